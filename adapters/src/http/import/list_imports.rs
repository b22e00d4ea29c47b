//! `GET /imports`

use patron_domain::ids::ImportId;
use rocket::{get, routes};

use super::response::ImportList;
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanRead, Services},
    listing::{Listing, cursor},
    openapi::{Endpoint, Limit},
    query::Query,
};

/// Lists imports, the newest first. `cursor` is the `next_cursor` of the previous page.
#[get("/imports")]
pub(super) async fn list_imports(
    caller: CanRead,
    services: Services<'_>,
    query: Query<'_>,
) -> Result<Answer, ApiError> {
    let mut broken = query.faults();
    let limit = Listing::without_cursor(&query, &mut broken).page.limit();
    let (name, before) = cursor(&query, &mut broken);
    let before = before.and_then(|before| broken.check(|| name.to_owned(), ImportId::parse(before)));
    broken.into_result()?;
    let found = services.imports()?.imports(&caller, before, limit + 1).await?;
    Answer::ok(&ImportList::new(&found, limit))
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    Endpoint::new(routes![list_imports], "listImports", "List imports", "The newest first.")
        .with_key()
        .query::<Limit>("limit", "The most items.")
        .query::<ImportId>("cursor", "The `next_cursor` of the previous page.")
        .answers::<ImportList<'_>>(200, "A page of imports.")
}
