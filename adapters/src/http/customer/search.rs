//! `POST /customers/search`

use rocket::post;

use super::{list::answer, search_request::SearchRequest};
use crate::http::{
    answer::Answer,
    body::Body,
    error::ApiError,
    guard::{CanRead, Services},
    json::parse,
};

/// Searches the customers of an environment. It reads, so who may read may ask it.
#[post("/customers/search", data = "<body>")]
pub(super) async fn search(caller: CanRead, services: Services<'_>, body: Body) -> Result<Answer, ApiError> {
    let query = parse(body.bytes(), SearchRequest::into_domain)?;
    let page = services.customers.list(&caller, &query).await?;
    answer(&query, &page)
}
