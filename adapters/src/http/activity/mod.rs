//! Activity over HTTP, in Flexprice's shape.

mod get;
mod list;
mod request;
mod response;

use patron_domain::activity::ActivityService;
use rocket::{Route, routes};

use super::{Api, error::ApiError, openapi::Endpoint};

/// All routes.
pub(super) fn routes() -> Vec<Route> {
    routes![list::list, get::get]
}

/// The documentation of all endpoints.
pub(super) fn documents() -> Vec<Endpoint> {
    vec![list::documented(), get::documented()]
}

/// The service over the logs of an API.
fn service(api: &Api) -> Result<ActivityService, ApiError> {
    let audit = api.audit.as_ref().map(|audit| audit.log.clone());
    Ok(ActivityService { events: api.events()?.events.clone(), audit })
}
