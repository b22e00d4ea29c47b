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

/// Lists runs of the environment in the order in which their customers were created. `state=failed` selects those that
/// need a person. `cursor` is the `next_cursor` of the previous page.
#[get("/onboarding/runs")]
pub(super) async fn list_runs(caller: CanRead, services: Services<'_>, query: Query<'_>) -> Result<Answer, ApiError> {
    let mut broken = query.faults();
    let limit = Listing::without_cursor(&query, &mut broken).page.limit();
    let state = query.checked("state", &mut broken, RunState::parse);
    let (name, after) = cursor(&query, &mut broken);
    let after = after.and_then(|after| broken.check(|| name.to_owned(), CustomerId::parse(after)));
    broken.into_result()?;
    let found = services.onboarding()?.runs(&caller, RunQuery { state, after, limit: limit + 1 }).await?;
    Answer::ok(&RunList::new(&found, limit))
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "In the order in which their customers were created. `state=failed` lists those that need a person.";
    Endpoint::new(routes![list_runs], "listOnboardingRuns", "List onboarding runs", says)
        .with_key()
        .query::<RunState>("state", "Only runs in this state, by default all.")
        .query::<Limit>("limit", "The most items.")
        .query::<CustomerId>("cursor", "The `next_cursor` of the previous page.")
        .answers::<RunList<'_>>(200, "A page of runs.")
}
