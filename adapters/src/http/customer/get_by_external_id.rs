//! `GET /customers/external/{external_id}`, `GET /customers/lookup/{external_id}`

use patron_domain::{
    customer::{ExternalId, query::Expansion},
    tenancy::Caller,
    time::Timestamp,
};
use rocket::{get, routes};

use super::{
    past,
    response::{CustomerResponse, found},
};
use crate::http::{
    Api,
    answer::Answer,
    elsewhere,
    error::ApiError,
    guard::{CanRead, Services},
    openapi::{AS_OF_HEADER, Endpoint, Refusal},
    path_tail::PathTail,
    query::Query,
    version::IfNoneMatch,
};

/// Shows the published customer with an external id, or else the one that had it last. The external id is the whole
/// rest of the path.
#[get("/customers/external/<_..>")]
pub(super) async fn get_by_external_id(
    caller: CanRead,
    services: Services<'_>,
    known: IfNoneMatch<'_>,
    query: Query<'_>,
    tail: PathTail,
) -> Result<Answer, ApiError> {
    let at = past::time_of(&services, &query)?;
    find(&caller, &services, &known, tail, at).await
}

/// The same, at the path of older clients.
#[get("/customers/lookup/<_..>")]
pub(super) async fn look_up(
    caller: CanRead,
    services: Services<'_>,
    known: IfNoneMatch<'_>,
    query: Query<'_>,
    tail: PathTail,
) -> Result<Answer, ApiError> {
    let at = past::time_of(&services, &query)?;
    find(&caller, &services, &known, tail, at).await
}

async fn find(
    caller: &Caller,
    api: &Api,
    known: &IfNoneMatch<'_>,
    tail: PathTail,
    at: Option<Timestamp>,
) -> Result<Answer, ApiError> {
    // An external id may end like this. But if it is not found, the request probably meant another path.
    let is_elsewhere = tail.text.as_deref().is_some_and(|tail| tail.contains('/') && elsewhere::is_path(tail));
    let missing = || match is_elsewhere {
        true => api.no_such_path("GET", &tail.path),
        false => ApiError::not_found("there is no published customer with this external id"),
    };
    let external_id = tail.text.as_deref().and_then(|text| ExternalId::new(text).ok()).ok_or_else(missing)?;
    if let Some(at) = at {
        return past::as_of(api.past()?.at_by_external_id(caller, &external_id, at).await?, at, known);
    }
    let record = api.customers.find_by_external_id(caller, &external_id).await?.ok_or_else(missing)?;
    let answer = found(&record, known)?;
    if record.customer.external_id == external_id {
        return Ok(answer);
    }
    // The customer was found by a former external id. Its present one is personal data, so only the body shows it.
    Ok(answer.header("X-Patron-Former-External-Id", "true"))
}

/// The documentation of these endpoints.
pub(super) fn documented() -> [Endpoint; 2] {
    let says = "The published customer, or else the one that had the external id last. The external id is the whole \
                rest of the path. Slashes in it may be escaped or not.";
    let (own, older) = (routes![get_by_external_id], routes![look_up]);
    [
        Endpoint::new(own, "getCustomerByExternalId", "Show a customer by its external id", says),
        Endpoint::new(older, "lookupCustomer", "The same, at the path of older clients", says),
    ]
    .map(|endpoint| {
        endpoint
            .with_key()
            .path::<ExternalId>("external_id", "The customer's external id.")
            .query::<Expansion>("expand", "Accepted as in lists. Links are always included.")
            .query::<Timestamp>(
                "at",
                "The time of an earlier state. It shows the customer that had the external id then.",
            )
            .answers::<CustomerResponse<'_>>(200, "The customer.")
            .answering(AS_OF_HEADER)
            .refuses([Refusal::Gone])
            .answering("X-Patron-Former-External-Id")
            .cacheable()
    })
}
