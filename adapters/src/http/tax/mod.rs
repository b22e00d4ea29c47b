//! Tax rates and tax associations over HTTP.

mod create_rate;
mod get_rate;
mod list_associations;
mod request;
mod response;

use rocket::{Route, routes};

/// All routes.
pub(super) fn routes() -> Vec<Route> {
    routes![create_rate::create_rate, get_rate::get_rate, list_associations::list_associations]
}
