//! `GET /audit`

use patron_domain::audit::{AuditNumber, AuditQuery};
use rocket::{get, routes};

use super::response::AuditList;
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanAdminister, Services},
    listing::{Listing, cursor},
    openapi::{Endpoint, Limit},
    query::Query,
};

/// The audit log of the caller's environment, the newest first. `cursor` goes on where an answer's `next_cursor` says.
#[get("/audit")]
pub(super) async fn list(caller: CanAdminister, services: Services<'_>, query: Query<'_>) -> Result<Answer, ApiError> {
    let mut broken = query.faults();
    let limit = Listing::without_cursor(&query, &mut broken).page.limit();
    let (name, before) = cursor(&query, &mut broken);
    let before = before.and_then(|before| broken.check(|| name.to_owned(), AuditNumber::parse(before)));
    broken.into_result()?;
    let page = services.audit()?.entries(&caller, AuditQuery { before, limit }).await?;
    Answer::page(page.entries.len(), &AuditList::new(&page, limit)).await
}

/// What the document says of it.
pub(super) fn documented() -> Endpoint {
    let says = "Needs a `super_admin` key. What was done to keys, environments, webhook endpoints and onboarding workflows, \
                the newest first; uses of revoked or expired keys are counted by the hour. Nothing in it can be changed or \
                removed here. `next_cursor` is there when there are more.";
    Endpoint::new(routes![list], "listAuditEntries", "List the audit log", says)
        .with_key()
        .query::<Limit>("limit", "How many items.")
        .query::<AuditNumber>("cursor", "Where an answer's `next_cursor` says to go on.")
        .answers::<AuditList<'_>>(200, "A page of entries.")
}
