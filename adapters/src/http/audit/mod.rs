//! The audit log over HTTP.

mod list;
mod response;

use rocket::{Route, routes};

use super::openapi::Endpoint;

/// All routes.
pub(super) fn routes() -> Vec<Route> {
    routes![list::list]
}

/// The documentation of all endpoints.
pub(super) fn documents() -> Vec<Endpoint> {
    vec![list::documented()]
}
