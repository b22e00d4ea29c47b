//! Integration mappings over HTTP.

mod list;
pub(super) mod response;

use rocket::{Route, routes};

/// All routes.
pub(super) fn routes() -> Vec<Route> {
    routes![list::list]
}
