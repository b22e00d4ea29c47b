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

/// Lists the audit log of the caller's environment, newest first. `cursor` is the `next_cursor` of the previous page.
#[get("/audit")]
pub(super) async fn list(caller: CanAdminister, services: Services<'_>, query: Query<'_>) -> Result<Answer, ApiError> {
    let mut broken = query.faults();
    let limit = Listing::without_cursor(&query, &mut broken).page.limit();
    let (name, before) = cursor(&query, &mut broken);
    let before = before.and_then(|before| broken.check(|| name.to_owned(), AuditNumber::parse(before)));
    broken.into_result()?;
    let page = services.audit()?.entries(&caller, AuditQuery { before, limit }).await?;
    Answer::page(&services, page.entries.len(), &AuditList::new(&page, limit)).await
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "Needs a `super_admin` key. Changes of keys, environments, webhook endpoints, custom fields and onboarding \
                workflows, newest first. Uses of revoked or expired keys are counted by the hour. Entries cannot be changed or \
                removed. `next_cursor` is present if there are more.";
    Endpoint::new(routes![list], "listAuditEntries", "List the audit log", says)
        .with_key()
        .query::<Limit>("limit", "The most items.")
        .query::<AuditNumber>("cursor", "The `next_cursor` of the previous page.")
        .answers::<AuditList<'_>>(200, "A page of entries.")
}
