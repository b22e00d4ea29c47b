//! The metrics of routes, and the page for Prometheus.

use std::{
    io::Cursor,
    sync::{Arc, OnceLock},
    time::Duration,
};

use ::metrics::{Counter, Histogram, counter, histogram};
use rocket::{
    Build, Data, Request, Response, Rocket, Route,
    http::{ContentType, Method, Status},
    route::{Handler, Outcome},
};

use utoipa::openapi::{ObjectBuilder, schema::Type};

use super::{Api, openapi::Endpoint};
use crate::metrics::names;

/// The statuses of our responses. Any other is counted as the last one.
const STATUSES: [u16; 19] =
    [200, 201, 204, 304, 400, 401, 403, 404, 405, 408, 409, 410, 412, 413, 415, 422, 429, 503, 500];

/// The metrics of one route. They are created at its first request, so unused routes have none.
///
/// A request costs two atomic additions, because the handles are kept and found by index.
#[derive(Clone, Default)]
pub(super) struct RouteMetrics(Arc<OnceLock<Figures>>);

struct Figures {
    method: &'static str,
    route: String,
    seconds: Histogram,
    answers: [OnceLock<Counter>; STATUSES.len()],
}

impl RouteMetrics {
    /// Counts a response of a route. `route` is its template and must not depend on the request.
    pub(super) fn count(&self, route: Option<&Route>, status: Status, took: Duration) {
        let Some(route) = route else { return };
        let figures = self.0.get_or_init(|| Figures::new(route));
        figures.seconds.record(took.as_secs_f64());
        let place = STATUSES.iter().position(|one| *one == status.code).unwrap_or(STATUSES.len() - 1);
        figures.answers[place].get_or_init(|| figures.answer(STATUSES[place])).increment(1);
    }
}

impl Figures {
    fn new(route: &Route) -> Self {
        let (method, route) = (route.method.as_str(), route.uri.to_string());
        let seconds = histogram!(names::REQUEST_SECONDS, "method" => method, "route" => route.clone());
        Self { method, route, seconds, answers: Default::default() }
    }

    fn answer(&self, status: u16) -> Counter {
        let (route, status) = (self.route.clone(), status.to_string());
        counter!(names::REQUESTS, "method" => self.method, "route" => route, "status" => status)
    }
}

/// Counts the response to a request without a route, under one label for all paths.
pub(super) fn count_unknown(method: Method, status: Status) {
    let (method, status) = (method.as_str(), status.code.to_string());
    counter!(names::REQUESTS, "method" => method, "route" => "unknown", "status" => status).increment(1);
}

/// Counts a dry run: of a write that would be done, or of one that would be refused.
pub(super) fn dry_run(would_be_done: bool) {
    let outcome = if would_be_done { "done" } else { "refused" };
    counter!(names::DRY_RUNS, "outcome" => outcome).increment(1);
}

/// Mounts `GET /metrics`, which needs no credentials and returns the text of `render`, in Prometheus's text format. The
/// document of an API on the same port describes it.
#[must_use]
pub fn mount_metrics(
    rocket: Rocket<Build>,
    api: Option<&Api>,
    render: impl Fn() -> String + Send + Sync + 'static,
) -> Rocket<Build> {
    if let Some(api) = api {
        let _ = api.places.metrics.set(());
    }
    rocket.mount("/", [route(render)])
}

fn route(render: impl Fn() -> String + Send + Sync + 'static) -> Route {
    Route::new(Method::Get, "/metrics", Page(Arc::new(render)))
}

pub(super) fn documents() -> Vec<Endpoint> {
    let text = ObjectBuilder::new().schema_type(Type::String).build();
    let says = "The server can also have a port of its own for it.";
    let endpoint = Endpoint::new(vec![route(String::new)], "getMetrics", "Metrics for Prometheus", says);
    vec![endpoint.answers_with(200, "The metrics, in Prometheus's text format.", "text/plain", text)]
}

#[derive(Clone)]
struct Page(Arc<dyn Fn() -> String + Send + Sync>);

#[rocket::async_trait]
impl Handler for Page {
    async fn handle<'r>(&self, _: &'r Request<'_>, _: Data<'r>) -> Outcome<'r> {
        let page = (self.0)();
        let mut response = Response::new();
        let kind = ContentType::new("text", "plain").with_params([("version", "0.0.4"), ("charset", "utf-8")]);
        response.set_header(kind);
        response.set_sized_body(page.len(), Cursor::new(page));
        Outcome::Success(response)
    }
}
