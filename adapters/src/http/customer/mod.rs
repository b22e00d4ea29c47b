//! Customers over HTTP.

mod archive;
mod batch;
mod create;
mod create_or_update;
mod export;
mod export_columns;
mod export_row;
pub(super) mod find;
mod get;
mod get_by_external_id;
mod items;
mod list;
mod parts_request;
mod parts_response;
mod past;
mod request;
pub(super) mod response;
mod row;
mod search;
mod search_request;
mod tags;
mod update;
mod update_request;

use rocket::{Route, routes};

pub use self::export::{ExportFile, ExportOptions};
pub(crate) use self::row::row_change;
pub(super) use self::{create::parse_create, past::ChangeResponse};
use crate::http::{error::ApiError, openapi::Endpoint};

/// All routes.
pub(super) fn routes() -> Vec<Route> {
    let own = routes![
        create::create,
        get::get,
        get_by_external_id::get_by_external_id,
        get_by_external_id::look_up,
        update::update,
        update::update_named,
        update::patch,
        create_or_update::create_or_update,
        archive::archive,
        archive::restore,
        tags::change_tags,
        list::list,
        search::search,
    ];
    [own, items::routes()].concat()
}

/// The route of exports.
pub(super) fn export_routes() -> Vec<Route> {
    routes![export::export]
}

/// The documentation of this route.
pub(super) fn export_documents() -> Vec<Endpoint> {
    vec![export::documented()]
}

/// The route of batches.
pub(super) fn batch_routes() -> Vec<Route> {
    routes![batch::batch]
}

/// The documentation of this route.
pub(super) fn batch_documents() -> Vec<Endpoint> {
    vec![batch::documented()]
}

/// The documentation of all endpoints.
pub(super) fn documents() -> Vec<Endpoint> {
    [
        vec![create::documented(), get::documented()],
        get_by_external_id::documented().into(),
        update::documented().into(),
        vec![create_or_update::documented()],
        archive::documented().into(),
        vec![tags::documented()],
        items::documents(),
        vec![list::documented(), search::documented()],
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The routes of earlier states.
pub(super) fn past_routes() -> Vec<Route> {
    routes![past::version, past::diff]
}

/// Their documentation.
pub(super) fn past_documents() -> Vec<Endpoint> {
    past::documented().into()
}

/// The error for an id without a customer.
fn missing() -> ApiError {
    ApiError::not_found("there is no customer with this id")
}
