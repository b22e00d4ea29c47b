//! `POST /customers/search`

use rocket::{post, routes};
use serde_json::json;

use super::{list::answer, response::CustomerResponse, search_request::SearchRequest};
use crate::http::{
    answer::Answer,
    body::Body,
    custom_field::known,
    error::ApiError,
    guard::{CanRead, Services},
    openapi::Endpoint,
};

/// Searches the customers of an environment. It only reads, so keys that may read may use it.
#[post("/customers/search", data = "<body>")]
pub(super) async fn search(caller: CanRead, services: Services<'_>, body: Body<'_>) -> Result<Answer, ApiError> {
    let query = body.read(SearchRequest::into_domain).await?;
    known(&services, &caller, query.custom_fields()).await?;
    let page = services.customers.list(&caller, &query).await?;
    answer(&services, &query, &page).await
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "All conditions must match. `{}` finds all customers, and an empty list none. Keys that may read may \
                search.";
    Endpoint::new(routes![search], "searchCustomers", "Search customers", says)
        .with_key()
        .takes::<SearchRequest<'_>>([
            ("everybody", json!({})),
            (
                "by metadata and name",
                json!({
                    "metadata": { "plan": "gold" },
                    "filters": [{ "field": "name", "operator": "contains", "value": { "string": "gmbh" } }],
                    "sort": [{ "field": "name", "direction": "asc" }],
                    "expand": "integrations",
                    "limit": 20,
                }),
            ),
        ])
        .lists::<CustomerResponse<'_>>("A page of customers.")
}
