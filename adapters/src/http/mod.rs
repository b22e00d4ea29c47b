//! The HTTP API as routes that any Rocket application can mount.
//!
//! [`mount`] adds the routes and their JSON error responses under a base path. It adds no fairing, no managed state and
//! no catcher for other paths. Each concept has its own folder with one file for each endpoint, in the order request,
//! response, handler.

mod answer;
mod apart;
mod body;
mod cors;
mod cursor;
mod customer;
mod deadline;
mod elsewhere;
mod error;
mod event;
mod guard;
mod health;
mod idempotency;
mod indent;
mod integration;
mod json;
mod list;
mod listing;
mod messages;
mod methods;
mod metrics;
mod noted;
mod onboarding;
mod openapi;
mod path_tail;
mod query;
mod references;
mod tax;
mod tenancy;
mod version;
mod warning;
mod webhook;
mod wrap;

use std::{sync::Arc, time::Duration};

use patron_domain::{
    customer::{CustomerService, NewCustomer},
    event::EventService,
    onboarding::OnboardingService,
    tax::TaxService,
    tenancy::{AccessService, AdministrationService},
    webhook::WebhookService,
};
use rocket::{
    Build, Catcher, Request, Rocket, Route,
    catcher::{self, Handler},
    http::Status,
};

pub use self::{
    cors::Origins,
    event::event_line,
    health::Readiness,
    metrics::mount_metrics,
    openapi::{document, mount_docs},
    webhook::JsonBody,
};
use self::{
    error::ApiError,
    wrap::{Audience, CurrentApi, finish, render, request_id, wrap, wrap_fallbacks},
};

/// The services and options of the routes.
pub struct Api {
    /// Customers.
    pub customers: CustomerService,
    /// Tax rates and associations.
    pub taxes: TaxService,
    /// The log of events.
    pub events: EventService,
    /// Environments and keys.
    pub administration: AdministrationService,
    /// Webhook endpoints and deliveries.
    pub webhooks: WebhookService,
    /// Onboarding workflows and runs.
    pub onboarding: OnboardingService,
    /// Identifies callers.
    pub access: AccessService,
    /// Checks whether requests can be served.
    pub readiness: Arc<dyn Readiness>,
    /// Limits.
    pub options: HttpOptions,
}

/// Limits of the HTTP API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpOptions {
    /// The most bytes of a body; a longer one gets a 413. Default: 1 MiB.
    pub body_limit: usize,
    /// How long a body may take to arrive, before a 408. Default: 10 s.
    pub body_timeout: Duration,
    /// How long a request may take, from the end of its body to the start of its answer, before a 503. Default: 10 s.
    /// Give the database the same.
    pub request_timeout: Duration,
    /// The origins that browsers may send requests from. Default: none.
    pub cors_origins: Origins,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            body_limit: 1_048_576,
            body_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(10),
            cors_origins: Origins::None,
        }
    }
}

impl Api {
    fn options(&self) -> &HttpOptions {
        &self.options
    }

    /// The services of the request's route.
    fn of<'r>(request: &'r Request<'_>) -> Result<&'r Self, ApiError> {
        request.local_cache(CurrentApi::default).0.as_deref().ok_or_else(ApiError::system_error)
    }
}

/// Reads the body of `POST /customers` as its route does, up to the command; `None` if it is refused.
///
/// Public only for measuring this step, in `tests/bench parse`. Applications mount the routes instead.
#[doc(hidden)]
#[must_use]
pub fn parse_create_customer(body: &[u8]) -> Option<NewCustomer> {
    customer::parse_create(body).ok()
}

/// Mounts the API under a base path such as `/v1`.
#[must_use]
pub fn mount(rocket: Rocket<Build>, base: &str, api: &Arc<Api>) -> Rocket<Build> {
    let concepts = [customer::routes(), tax::routes(), integration::routes(), tenancy::routes(), event::routes()];
    let routes = [concepts.concat(), webhook::routes(), onboarding::routes()].concat();
    mount_routes(rocket, base, api, routes, Audience::Keyed)
}

/// Mounts `live` and `ready` under a base path such as `/health`. They need no key.
#[must_use]
pub fn mount_health(rocket: Rocket<Build>, base: &str, api: &Arc<Api>) -> Rocket<Build> {
    mount_routes(rocket, base, api, health::all(), Audience::Public)
}

fn mount_routes(
    rocket: Rocket<Build>,
    base: &str,
    api: &Arc<Api>,
    routes: Vec<Route>,
    audience: Audience,
) -> Rocket<Build> {
    let cors_origins = api.options.cors_origins.clone();
    let fallbacks = methods::not_allowed(&routes, &cors_origins, audience);
    let mut routes = wrap([routes, fallbacks].concat(), api, audience);
    if audience == Audience::Keyed {
        routes.extend(wrap_fallbacks(methods::unknown_paths(base), api, audience));
    }
    let catcher = Catcher::new(None, JsonCatcher { cors_origins, audience });
    rocket.mount(base, routes).register(base, vec![catcher])
}

/// A catcher that responds with JSON if no route matches. [`mount`] registers one for its base. An application that
/// serves only Patron also registers one for `/`.
#[must_use]
pub fn catcher(cors_origins: Origins) -> Catcher {
    Catcher::new(None, JsonCatcher { cors_origins, audience: Audience::Public })
}

#[derive(Clone)]
struct JsonCatcher {
    cors_origins: Origins,
    audience: Audience,
}

#[rocket::async_trait]
impl Handler for JsonCatcher {
    async fn handle<'r>(&self, status: Status, request: &'r Request<'_>) -> catcher::Result<'r> {
        let error = match status {
            Status::NotFound => methods::no_such_path(request),
            status => ApiError::of_status(status),
        };
        let mut response = render(request, error);
        finish(request, &self.cors_origins, self.audience, &mut response);
        let id = request_id(request);
        metrics::count_unknown(request.method(), status);
        tracing::info!(method = request.method().as_str(), status = status.code, request_id = id.as_str(), "no route");
        Ok(response)
    }
}
