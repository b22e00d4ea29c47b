//! The log of events over HTTP.

mod history;
mod list;
mod response;

use rocket::{Route, routes};

/// All routes.
pub(super) fn routes() -> Vec<Route> {
    routes![list::list, history::history]
}
