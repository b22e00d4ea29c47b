//! The HTTP API as routes that any Rocket application can mount.
//!
//! [`mount`] adds the routes and their JSON error responses under a base path. It adds no fairing, no managed state and
//! no catcher for other paths. Each concept has its own folder with one file for each endpoint, in the order request,
//! response, handler.

mod activity;
mod answer;
mod apart;
mod api;
mod audit;
mod body;
mod callers;
mod cors;
mod cursor;
mod custom_field;
mod customer;
mod deadline;
mod docs;
mod document;
mod elsewhere;
mod error;
mod event;
mod file;
mod guard;
mod health;
mod idempotency;
mod import;
mod indent;
mod integration;
mod json;
mod limits;
mod list;
mod listing;
mod messages;
mod methods;
mod metrics;
mod noted;
mod onboarding;
mod openapi;
#[cfg(feature = "persistence")]
mod over;
mod path_tail;
mod peer;
mod privacy;
mod query;
mod references;
mod report;
mod tax;
mod tenancy;
mod version;
mod warning;
mod webhook;
mod wrap;

use std::sync::Arc;

use patron_domain::customer::NewCustomer;
use rocket::{
    Build, Catcher, Request, Rocket, Route,
    catcher::{self, Handler},
    http::Status,
};

pub(crate) use self::customer::row_change;
#[cfg(feature = "persistence")]
pub use self::over::{Calls, Ports};
pub use self::{
    apart::LongWork,
    api::{Api, HttpOptions},
    callers::{ApiKeys, CallerError, Callers, Credential},
    cors::Origins,
    customer::{ExportFile, ExportOptions},
    docs::mount_docs,
    event::{customer_value, event_line},
    file::{FileCutOff, Parts},
    health::Readiness,
    limits::RateLimits,
    metrics::mount_metrics,
    privacy::bundle_json,
    webhook::JsonBody,
};
use self::{
    error::ApiError,
    wrap::{Audience, CurrentApi, finish, render, request_id, wrap, wrap_fallbacks},
};

/// Reads the body of `POST /customers` as its route does, up to the command; `None` if it is refused.
///
/// Public only for measuring this step, in `tests/bench parse`. Applications mount the routes instead.
#[doc(hidden)]
#[must_use]
pub fn parse_create_customer(body: &[u8]) -> Option<NewCustomer> {
    customer::parse_create(body).ok()
}

/// Mounts the routes of an API under a base path such as `/v1`: those of the services that it has.
#[must_use]
pub fn mount(rocket: Rocket<Build>, base: &str, api: &Arc<Api>) -> Rocket<Build> {
    mount_routes(rocket, base, api, routes_of(api), Audience::Keyed)
}

fn routes_of(api: &Api) -> Vec<Route> {
    let mut routes = [customer::routes(), integration::routes()].concat();
    routes.extend(api.batches.iter().flat_map(|_| customer::batch_routes()));
    routes.extend(api.exports.iter().flat_map(|_| customer::export_routes()));
    routes.extend(api.imports.iter().flat_map(|_| import::routes()));
    routes.extend(api.find.iter().flat_map(|_| customer::find::routes()));
    routes.extend(api.taxes.iter().flat_map(|_| tax::routes()));
    routes.extend(api.custom_fields.iter().flat_map(|_| custom_field::routes()));
    routes.extend(api.administration.iter().flat_map(|_| tenancy::routes()));
    routes.extend(api.audit.iter().flat_map(|_| audit::routes()));
    routes.extend(api.events.iter().flat_map(|_| event::routes()));
    routes.extend(api.events.iter().flat_map(|_| activity::routes()));
    routes.extend(api.past.iter().flat_map(|_| customer::past_routes()));
    routes.extend(api.webhooks.iter().flat_map(|_| webhook::routes()));
    routes.extend(api.onboarding.iter().flat_map(|_| onboarding::routes()));
    routes.extend(api.privacy.iter().flat_map(|_| privacy::routes()));
    routes
}

/// Mounts `live` and `ready` under a base path such as `/health`. They need no credentials.
#[must_use]
pub fn mount_health(rocket: Rocket<Build>, base: &str, api: &Arc<Api>) -> Rocket<Build> {
    let _ = api.places.health.set(base.trim_end_matches('/').to_owned());
    mount_routes(rocket, base, api, health::all(), Audience::Public)
}

fn mount_routes(
    rocket: Rocket<Build>,
    base: &str,
    api: &Arc<Api>,
    routes: Vec<Route>,
    audience: Audience,
) -> Rocket<Build> {
    let fallbacks = methods::not_allowed(&routes, &api.options.cors_origins, audience);
    let mut routes = wrap([routes, fallbacks].concat(), api, audience);
    if audience == Audience::Keyed {
        routes.extend(wrap_fallbacks(methods::unknown_paths(base), api, audience));
    }
    let catcher = Catcher::new(None, JsonCatcher { api: api.clone(), audience });
    rocket.mount(base, routes).register(base, vec![catcher])
}

/// A catcher that responds with JSON if no route matches. [`mount`] registers one for its base. An application that
/// serves only Patron also registers one for `/`.
#[must_use]
pub fn catcher(api: &Arc<Api>) -> Catcher {
    Catcher::new(None, JsonCatcher { api: api.clone(), audience: Audience::Public })
}

#[derive(Clone)]
struct JsonCatcher {
    api: Arc<Api>,
    audience: Audience,
}

#[rocket::async_trait]
impl Handler for JsonCatcher {
    async fn handle<'r>(&self, status: Status, request: &'r Request<'_>) -> catcher::Result<'r> {
        request.local_cache(|| CurrentApi(Some(self.api.clone())));
        let error = match status {
            Status::NotFound => methods::no_such_path(request),
            status => ApiError::of_status(status),
        };
        let mut response = render(request, error);
        finish(request, &self.api, self.audience, &mut response);
        let id = request_id(request);
        metrics::count_unknown(request.method(), status);
        let (method, peer) = (request.method().as_str(), peer::address(request).map(tracing::field::display));
        tracing::info!(method, status = status.code, request_id = id.as_str(), peer, "no route");
        Ok(response)
    }
}
