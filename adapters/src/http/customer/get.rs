//! `GET /customers/{id}`

use patron_domain::{customer::query::Expansion, ids::CustomerId};
use rocket::{get, http::uri::Origin, routes};

use super::{
    missing,
    response::{CustomerResponse, found},
};
use crate::http::{
    answer::Answer,
    elsewhere,
    error::ApiError,
    guard::{CanRead, Services},
    openapi::Endpoint,
    query::Query,
    version::IfNoneMatch,
};

/// A customer of any status.
// The rank puts it after `/customers/external/<_..>`, which takes a bare `/customers/external` too.
#[get("/customers/<id>", rank = 1)]
pub(super) async fn get(
    caller: CanRead,
    services: Services<'_>,
    known: IfNoneMatch,
    query: Query<'_>,
    uri: &Origin<'_>,
    id: &str,
) -> Result<Answer, ApiError> {
    checked(&query)?;
    let id = CustomerId::parse(id).map_err(|_| nobodys(id, uri))?;
    let record = services.customers.find(&caller, id).await?.ok_or_else(missing)?;
    found(&record, &known)
}

/// What the query may say: what lists may be asked to show too, which is always there.
pub(super) fn checked(query: &Query<'_>) -> Result<(), ApiError> {
    let mut broken = query.faults();
    query.checked("expand", &mut broken, Expansion::parse);
    Ok(broken.into_result()?)
}

/// The refusal of what cannot be an id of a customer.
fn nobodys(id: &str, uri: &Origin<'_>) -> ApiError {
    if elsewhere::is_path(id) {
        return ApiError::no_such_path("GET", uri.path().as_str());
    }
    ApiError::not_found(
        "there is no customer with this id: the ids here begin with cust_; by an id of your own ask \
         GET /customers/external/{external_id}",
    )
}

/// What the document says of it.
pub(super) fn documented() -> Endpoint {
    Endpoint::new(routes![get], "getCustomer", "Show a customer", "By its id, whatever its status.")
        .with_key()
        .path::<CustomerId>("id", "The customer.")
        .query::<Expansion>("expand", "Accepted as in lists; links are always there.")
        .answers::<CustomerResponse<'_>>(200, "The customer.")
        .cacheable()
}
