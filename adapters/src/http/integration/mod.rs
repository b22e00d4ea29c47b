//! Integration mappings over HTTP.

mod link;
mod list;
mod request;
pub(super) mod response;

use rocket::{Route, routes};

/// All routes.
pub(super) fn routes() -> Vec<Route> {
    routes![list::list, link::link, link::unlink]
}
