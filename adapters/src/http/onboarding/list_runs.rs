//! `GET /onboarding/runs`

use patron_domain::{
    ids::CustomerId,
    onboarding::{RunQuery, RunState},
};
use rocket::{get, routes};

use super::response::RunList;
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanRead, Services},
    listing::{Listing, cursor},
    openapi::{Endpoint, Limit},
    query::Query,
};

/// Runs of the environment, in the order in which their customers were created; `state=failed` for those that need a
/// person. `cursor` goes on where an answer's `next_cursor` says.
#[get("/onboarding/runs")]
pub(super) async fn list_runs(caller: CanRead, services: Services<'_>, query: Query<'_>) -> Result<Answer, ApiError> {
    let mut broken = query.faults();
    let limit = Listing::without_cursor(&query, &mut broken).page.limit();
    let state = query.checked("state", &mut broken, RunState::parse);
    let (name, after) = cursor(&query, &mut broken);
    let after = after.and_then(|after| broken.check(|| name.to_owned(), CustomerId::parse(after)));
    broken.into_result()?;
    let found = services.onboarding.runs(&caller, RunQuery { state, after, limit: limit + 1 }).await?;
    Answer::ok(&RunList::new(&found, limit))
}

/// What the document says of it.
pub(super) fn documented() -> Endpoint {
    let says = "In the order in which their customers were created. With `state=failed`, those that need a person.";
    Endpoint::new(routes![list_runs], "listOnboardingRuns", "List onboarding runs", says)
        .with_key()
        .query::<RunState>("state", "Only those that are this far; all when absent.")
        .query::<Limit>("limit", "How many items.")
        .query::<CustomerId>("cursor", "Where an answer's `next_cursor` says to go on.")
        .answers::<RunList<'_>>(200, "A page of runs.")
}
