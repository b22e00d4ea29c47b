//! `POST` and `GET /taxes/rates/{id}/changes`, `DELETE /taxes/rates/{id}/changes/{change}`

use patron_domain::{
    ids::{TaxRateChangeId, TaxRateId},
    lifecycle::Precondition,
    page::Page,
    tax::{ChangeTaxRateError, TaxRateAmendment},
};
use rocket::{delete, get, http::Status, post, routes};
use serde_json::json;

use super::{request::ChangeRequest, response::TaxRateChangeResponse};
use crate::http::{
    answer::Answer,
    body::Body,
    error::ApiError,
    guard::{CanRead, CanWrite, Services},
    idempotency::Idempotency,
    list::List,
    listing::Listing,
    openapi::{Endpoint, Refusal},
    query::Query,
};

/// Changes the value of a tax rate from a date on, also of a rate in use.
#[post("/taxes/rates/<id>/changes", data = "<body>")]
pub(super) async fn create_change(
    caller: CanWrite,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    id: &str,
    body: Body<'_>,
) -> Result<Answer, ApiError> {
    let new = body.read(ChangeRequest::into_domain).await?;
    let id = TaxRateId::parse(id).map_err(|_| ChangeTaxRateError::Unknown)?;
    let from = new.effective_from;
    let changed = services.taxes()?.schedule(&caller, id, new, idempotency.over(body.bytes()).await?).await?;
    let change = changed.value.history.changes.iter().find(|change| change.effective_from == from);
    let change = change.ok_or_else(ApiError::system_error)?;
    let location = format!("/taxes/rates/{id}/changes/{}", change.id);
    Ok(Answer::created(location, &TaxRateChangeResponse::new(change))?.replayed(changed.replayed))
}

/// Lists the changes of a tax rate by date.
#[get("/taxes/rates/<id>/changes")]
pub(super) async fn list_changes(
    caller: CanRead,
    services: Services<'_>,
    query: Query<'_>,
    id: &str,
) -> Result<Answer, ApiError> {
    let mut broken = query.faults();
    let listing = Listing::read(&query, &mut broken);
    broken.into_result()?;
    let id = TaxRateId::parse(id).map_err(|_| ChangeTaxRateError::Unknown)?;
    let rate = services.taxes()?.find_rate(&caller, id).await?.ok_or(ChangeTaxRateError::Unknown)?;
    let changes = Page::cut(rate.history.changes, listing.page);
    List::new(&changes, listing.page, TaxRateChangeResponse::new).answer(&services).await
}

/// Removes a change that has not begun.
#[delete("/taxes/rates/<id>/changes/<change>")]
pub(super) async fn delete_change(
    caller: CanWrite,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    id: &str,
    change: &str,
) -> Result<Answer, ApiError> {
    let request = idempotency.over(&[]).await?;
    let id = TaxRateId::parse(id).map_err(|_| ChangeTaxRateError::Unknown)?;
    let change = TaxRateChangeId::parse(change).map_err(|_| ChangeTaxRateError::UnknownChange)?;
    let amendment = TaxRateAmendment::Unschedule(change);
    let changed = services.taxes()?.change_rate(&caller, id, amendment, Precondition::None, request).await?;
    Ok(Answer::empty(Status::NoContent).replayed(changed.replayed))
}

/// The documentation of these endpoints.
pub(super) fn documented() -> [Endpoint; 3] {
    let says = "Also for a rate in use. A time in the past needs `correction`, which only `super_admin` keys may send. \
                A rate has at most 100 changes.";
    let sixteen = json!({ "effective_from": "2030-07-01T00:00:00+02:00", "percentage_value": "16" });
    [
        Endpoint::new(routes![create_change], "createTaxRateChange", "Change a tax rate's value from a date on", says)
            .with_key()
            .path::<TaxRateId>("id", "The tax rate.")
            .takes::<ChangeRequest<'_>>([("a lower rate", sixteen)])
            .answers::<TaxRateChangeResponse<'_>>(201, "The change.")
            .idempotent()
            .refuses([Refusal::InvalidOperation, Refusal::Taken]),
        Endpoint::new(routes![list_changes], "listTaxRateChanges", "List the changes of a tax rate", "By date.")
            .with_key()
            .path::<TaxRateId>("id", "The tax rate.")
            .paged()
            .lists::<TaxRateChangeResponse<'_>>("A page of changes."),
        Endpoint::new(
            routes![delete_change],
            "deleteTaxRateChange",
            "Remove a change of a tax rate",
            "Before it begins.",
        )
        .with_key()
        .path::<TaxRateId>("id", "The tax rate.")
        .path::<TaxRateChangeId>("change", "The change.")
        .answers_nothing(204, "The change is removed.")
        .idempotent()
        .refuses([Refusal::InvalidOperation]),
    ]
}
