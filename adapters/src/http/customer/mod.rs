//! Customers over HTTP.

mod archive;
mod create;
mod create_or_update;
mod get;
mod get_by_external_id;
mod list;
mod request;
pub(super) mod response;
mod search;
mod search_request;
mod update;
mod update_request;

use rocket::{Route, routes};

pub(super) use self::create::parse_create;
use crate::http::{error::ApiError, openapi::Endpoint};

/// All routes.
pub(super) fn routes() -> Vec<Route> {
    let by_external_id = routes![
        get_by_external_id::get_by_external_id,
        get_by_external_id::look_up,
        create_or_update::create_or_update
    ];
    let by_id = routes![get::get, update::update, update::patch, archive::archive];
    let others = routes![create::create, update::update_named, archive::restore, list::list, search::search];
    // `/customers/external/<_..>` takes a bare `/customers/external` too, so `/customers/<id>` comes after it.
    [ranked(by_external_id, -8), ranked(by_id, -7), others].concat()
}

/// Gives routes a rank. Rocket tries one route after the other, those of paths with parameters from -5 on unless they are
/// ranked; these are asked for most.
fn ranked(mut routes: Vec<Route>, rank: isize) -> Vec<Route> {
    routes.iter_mut().for_each(|route| route.rank = rank);
    routes
}

/// What the document says of them.
pub(super) fn documents() -> Vec<Endpoint> {
    [
        vec![create::documented(), get::documented()],
        get_by_external_id::documented().into(),
        update::documented().into(),
        vec![create_or_update::documented()],
        archive::documented().into(),
        vec![list::documented(), search::documented()],
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn missing() -> ApiError {
    ApiError::not_found("there is no customer with this id")
}
