//! `POST /privacy/deletion-requests`

use patron_domain::{
    customer::ExternalId,
    privacy::NamedSubject,
    tenancy::Caller,
    violation::{Violation, Violations},
};
use rocket::{http::Status, post, routes};
use serde_json::json;

use super::{
    request::{NewDeletion, RequestDeletionRequest},
    response::DeletionResponse,
};
use crate::http::{
    answer::Answer,
    body::Body,
    error::ApiError,
    guard::{CanAdminister, Services},
    openapi::{DRY_RUN_PARAMETER, Endpoint, Refusal},
    query::Query,
};

/// Requests the deletion of a customer: it is suppressed at once, and redacted after the cool-down. A repeated request gets the
/// first one.
#[post("/privacy/deletion-requests", data = "<body>")]
pub(super) async fn request_deletion(
    caller: CanAdminister,
    services: Services<'_>,
    query: Query<'_>,
    body: Body<'_>,
) -> Result<Answer, ApiError> {
    let mut broken = Violations::new();
    query.only(&[DRY_RUN_PARAMETER], &mut broken);
    let read = body.read(RequestDeletionRequest::into_domain).await;
    let NewDeletion { subject, external_id, channel, cooldown, reason } = match read {
        Ok(new) if broken.is_empty() => new,
        Ok(_) => return Err(broken.into()),
        Err(refusal) => return Err(refusal.beside(broken)),
    };
    if let Some(external_id) = external_id {
        refuse_another(&services, &caller, &subject, &external_id).await?;
    }
    let requested = services.privacy()?.request(&caller, (subject, channel, cooldown, reason)).await?;
    let response = DeletionResponse::new(&requested.request);
    let status = if requested.is_new { Status::Accepted } else { Status::Ok };
    let location = format!("/privacy/deletion-requests/{}", requested.request.id);
    Ok(Answer::json(status, &response)?.at(location).tagged(requested.request.audit.version()))
}

/// Refuses a request with two identifiers that name different customers.
async fn refuse_another(
    services: &Services<'_>,
    caller: &Caller,
    subject: &NamedSubject,
    external_id: &ExternalId,
) -> Result<(), ApiError> {
    let NamedSubject::Id(id) = subject else { return Ok(()) };
    match services.customers.find(caller, *id).await? {
        Some(record) if record.customer.external_id != *external_id => {
            let mut broken = Violations::new();
            let message = "customer_id and external_customer_id name different customers; send one of them".to_owned();
            broken.push(Violation { path: "external_customer_id".to_owned(), rule: "same_customer", message });
            Err(broken.into())
        }
        _ => Ok(()),
    }
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "Needs a `super_admin` key. From now on the customer is invisible, and its external id can be used again only \
                with `confirm_new_subject`. After `cooldown_days` its personal data is redacted everywhere. Until then the \
                request can be cancelled.";
    Endpoint::new(routes![request_deletion], "requestDeletion", "Request the deletion of a customer", says)
        .with_key()
        .takes::<RequestDeletionRequest<'_>>([(
            "a letter",
            json!({
                "customer_id": "cust_01JDG3W9Z5X0M8R2K7T4B6Q1NE", "request_channel": "written", "cooldown_days": 7,
                "reason": "Letter of 2026-11-03",
            }),
        )])
        .answers::<DeletionResponse<'_>>(202, "The customer is suppressed.")
        .answers::<DeletionResponse<'_>>(200, "It was requested before: the first request.")
        .answering("ETag")
        .reporting()
        .refuses([Refusal::NotFound, Refusal::ErasureBlocked])
}
