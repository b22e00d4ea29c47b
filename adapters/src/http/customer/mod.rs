//! Customers over HTTP.

mod create;
mod get;
mod get_by_external_id;
mod request;
pub(super) mod response;

use rocket::{Route, routes};

/// All routes.
pub(super) fn routes() -> Vec<Route> {
    routes![create::create, get::get, get_by_external_id::get_by_external_id]
}
