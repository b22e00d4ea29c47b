//! `GET /customers/external/{external_id}`, `GET /customers/lookup/{external_id}`

use patron_domain::{
    customer::{ExternalId, query::Expansion},
    tenancy::Caller,
};
use rocket::{get, routes};

use super::{
    get::checked,
    response::{CustomerResponse, found},
};
use crate::http::{
    Api,
    answer::Answer,
    elsewhere,
    error::ApiError,
    guard::{CanRead, Services},
    openapi::Endpoint,
    path_tail::PathTail,
    query::Query,
    version::IfNoneMatch,
};

/// The published customer with an external id, which is the whole rest of the path; or else the one that had it last.
#[get("/customers/external/<_..>")]
pub(super) async fn get_by_external_id(
    caller: CanRead,
    services: Services<'_>,
    known: IfNoneMatch,
    query: Query<'_>,
    tail: PathTail,
) -> Result<Answer, ApiError> {
    checked(&query)?;
    find(&caller, &services, &known, tail).await
}

/// The same by the path that older clients use.
#[get("/customers/lookup/<_..>")]
pub(super) async fn look_up(
    caller: CanRead,
    services: Services<'_>,
    known: IfNoneMatch,
    query: Query<'_>,
    tail: PathTail,
) -> Result<Answer, ApiError> {
    checked(&query)?;
    find(&caller, &services, &known, tail).await
}

async fn find(caller: &Caller, api: &Api, known: &IfNoneMatch, tail: PathTail) -> Result<Answer, ApiError> {
    // An external id may well end so; but who asks for this and finds nobody has another path in mind.
    let is_elsewhere = tail.text.as_deref().is_some_and(|tail| tail.contains('/') && elsewhere::is_path(tail));
    let missing = || match is_elsewhere {
        true => ApiError::no_such_path("GET", &tail.path),
        false => ApiError::not_found("there is no published customer with this external id"),
    };
    let external_id = tail.text.as_deref().and_then(|text| ExternalId::new(text).ok()).ok_or_else(missing)?;
    let record = api.customers.find_by_external_id(caller, &external_id).await?.ok_or_else(missing)?;
    let answer = found(&record, known)?;
    if record.customer.external_id == external_id {
        return Ok(answer);
    }
    // It had this external id before. The one it has now is personal and stays out of headers; it is in the body.
    Ok(answer.header("X-Patron-Former-External-Id", "true"))
}

/// What the document says of them.
pub(super) fn documented() -> [Endpoint; 2] {
    let says = "The published customer, or else the one that had the external id last. It is the whole rest of the path: \
                a slash in it may be escaped, or not.";
    let (own, older) = (routes![get_by_external_id], routes![look_up]);
    [
        Endpoint::new(own, "getCustomerByExternalId", "Show a customer by its external id", says),
        Endpoint::new(older, "lookupCustomer", "The same, by the path that older clients use", says),
    ]
    .map(|endpoint| {
        endpoint
            .with_key()
            .path::<ExternalId>("external_id", "The customer's external id.")
            .query::<Expansion>("expand", "Accepted as in lists; links are always there.")
            .answers::<CustomerResponse<'_>>(200, "The customer.")
            .answering("X-Patron-Former-External-Id")
            .cacheable()
    })
}
