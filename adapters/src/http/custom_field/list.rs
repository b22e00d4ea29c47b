//! `GET /custom-fields`

use rocket::{get, routes};

use super::response::CustomFieldResponse;
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanAdminister, Services},
    list::List,
    listing::Listing,
    openapi::Endpoint,
    query::Query,
};

/// Lists the custom fields of the environment, in the order of their keys.
#[get("/custom-fields")]
pub(super) async fn list(caller: CanAdminister, services: Services<'_>, query: Query<'_>) -> Result<Answer, ApiError> {
    let mut broken = query.faults();
    let page = Listing::read(&query, &mut broken).page;
    broken.into_result()?;
    let found = services.custom_fields()?.list(&caller, page).await?;
    Answer::ok(&List::new(&found, page, CustomFieldResponse::new))
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "Needs a `super_admin` key. In the order of their keys.";
    Endpoint::new(routes![list], "listCustomFields", "List custom fields", says)
        .with_key()
        .paged()
        .lists::<CustomFieldResponse<'_>>("A page of custom fields.")
}
