//! `GET /customers/{id}`

use patron_domain::{customer::query::Expansion, ids::CustomerId, time::Timestamp};
use rocket::{get, http::uri::Origin, routes};

use super::{
    missing, past,
    response::{CustomerResponse, found},
};
use crate::http::{
    Api,
    answer::Answer,
    elsewhere,
    error::ApiError,
    guard::{CanRead, Services},
    openapi::{AS_OF_HEADER, Endpoint, Refusal},
    query::Query,
    version::IfNoneMatch,
};

/// Shows a customer of any status: now, or as it was at a time.
// The rank is after that of `/customers/external/<_..>`, which also matches a bare `/customers/external`.
#[get("/customers/<id>", rank = 1)]
pub(super) async fn get(
    caller: CanRead,
    services: Services<'_>,
    known: IfNoneMatch<'_>,
    query: Query<'_>,
    uri: &Origin<'_>,
    id: &str,
) -> Result<Answer, ApiError> {
    let at = past::time_of(&services, &query)?;
    let id = CustomerId::parse(id).map_err(|_| nobodys(&services, id, uri))?;
    if let Some(at) = at {
        return past::as_of(services.past()?.at(&caller, id, at).await?, at, &known);
    }
    let record = services.customers.find(&caller, id).await?.ok_or_else(missing)?;
    found(&record, &known)
}

/// The error for an id that cannot be a customer's.
fn nobodys(api: &Api, id: &str, uri: &Origin<'_>) -> ApiError {
    if elsewhere::is_path(id) {
        return api.no_such_path("GET", uri.path().as_str());
    }
    ApiError::not_found(
        "there is no customer with this id: customer ids begin with cust_; to look up your own id, use \
         GET /customers/external/{external_id}",
    )
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    Endpoint::new(routes![get], "getCustomer", "Show a customer", "By its id, in any status.")
        .with_key()
        .path::<CustomerId>("id", "The customer.")
        .query::<Expansion>("expand", "Accepted as in lists. Links are always included.")
        .query::<Timestamp>("at", "The time of an earlier state.")
        .answers::<CustomerResponse<'_>>(200, "The customer.")
        .answering(AS_OF_HEADER)
        .refuses([Refusal::Gone])
        .cacheable()
}
