//! The log of events over HTTP.

mod history;
mod line;
mod list;
pub(crate) mod response;

use rocket::{Route, routes};

pub use self::{line::event_line, response::customer_value};
use crate::http::openapi::Endpoint;

/// All routes.
pub(super) fn routes() -> Vec<Route> {
    routes![list::list, history::history]
}

/// The documentation of all endpoints.
pub(super) fn documents() -> Vec<Endpoint> {
    vec![list::documented(), history::documented()]
}
