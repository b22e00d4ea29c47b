//! `POST /activity`

use rocket::{post, routes};
use serde_json::json;

use super::{request::ListActivityRequest, response::ActivityList, service};
use crate::http::{
    answer::Answer,
    body::Body,
    error::ApiError,
    guard::{CanRead, Services},
    openapi::Endpoint,
};

/// Lists activity, newest first. It only reads, so keys that may read may use it.
#[post("/activity", data = "<body>")]
pub(super) async fn list(caller: CanRead, services: Services<'_>, body: Body<'_>) -> Result<Answer, ApiError> {
    let query = body.read(ListActivityRequest::into_domain).await?;
    let page = service(&services)?.list(&caller, &query).await?;
    Answer::page(&services, page.items.len(), &ActivityList::new(&page, query.limit)).await
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "The changes of customers and tax rates, the ends of imports, and for `super_admin` keys the audit log, newest \
                first. All conditions must match. A page may be shorter than `limit`; `has_more` says whether it goes on.";
    Endpoint::new(routes![list], "listActivity", "List activity", says)
        .with_key()
        .takes::<ListActivityRequest<'_>>([
            ("everything", json!({})),
            ("one kind of change", json!({ "actions": ["customer.created"], "limit": 20 })),
        ])
        .answers::<ActivityList<'_>>(200, "A page of activity.")
}
