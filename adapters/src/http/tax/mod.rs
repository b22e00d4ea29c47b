//! Tax rates and tax associations over HTTP.

mod association_request;
mod create_association;
mod create_rate;
mod delete_association;
mod delete_rate;
mod effective;
mod entity;
mod error;
mod get_association;
mod get_rate;
mod list_associations;
mod list_rates;
mod rate_changes;
mod request;
pub(super) mod response;
mod update_association;
mod update_rate;

use rocket::{Route, routes};

use crate::http::openapi::Endpoint;

/// All routes.
pub(super) fn routes() -> Vec<Route> {
    routes![
        create_rate::create_rate,
        list_rates::list_rates,
        get_rate::get_rate,
        update_rate::update_rate,
        delete_rate::delete_rate,
        rate_changes::create_change,
        rate_changes::list_changes,
        rate_changes::delete_change,
        create_association::create_association,
        list_associations::list_associations,
        get_association::get_association,
        update_association::update_association,
        delete_association::delete_association,
        effective::effective,
    ]
}

/// The documentation of all endpoints.
pub(super) fn documents() -> Vec<Endpoint> {
    let mut all = vec![
        create_rate::documented(),
        list_rates::documented(),
        get_rate::documented(),
        update_rate::documented(),
        delete_rate::documented(),
        create_association::documented(),
        list_associations::documented(),
        get_association::documented(),
        update_association::documented(),
        delete_association::documented(),
        effective::documented(),
    ];
    all.extend(rate_changes::documented());
    all
}
