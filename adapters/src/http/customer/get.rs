//! `GET /customers/{id}`

use patron_domain::ids::CustomerId;
use rocket::{get, routes};

use super::{
    missing,
    response::{CustomerResponse, found},
};
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanRead, Services},
    openapi::Endpoint,
    version::IfNoneMatch,
};

/// A customer of any status.
// The rank puts it after `/customers/external/<_..>`, which takes a bare `/customers/external` too.
#[get("/customers/<id>", rank = 1)]
pub(super) async fn get(
    caller: CanRead,
    services: Services<'_>,
    known: IfNoneMatch,
    id: &str,
) -> Result<Answer, ApiError> {
    let id = CustomerId::parse(id).map_err(|_| missing())?;
    let record = services.customers.find(&caller, id).await?.ok_or_else(missing)?;
    found(&record, &known)
}

/// What the document says of it.
pub(super) fn documented() -> Endpoint {
    Endpoint::new(routes![get], "getCustomer", "Show a customer", "By its id, whatever its status.")
        .with_key()
        .path::<CustomerId>("id", "The customer.")
        .answers::<CustomerResponse<'_>>(200, "The customer.")
        .cacheable()
}
