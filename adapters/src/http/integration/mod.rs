//! Integration mappings over HTTP.

mod link;
mod list;
mod request;
pub(super) mod response;

use rocket::{Route, routes};

use crate::http::openapi::Endpoint;

/// All routes.
pub(super) fn routes() -> Vec<Route> {
    routes![list::list, link::link, link::unlink]
}

/// The documentation of all endpoints.
pub(super) fn documents() -> Vec<Endpoint> {
    link::documented().into_iter().chain([list::documented()]).collect()
}
