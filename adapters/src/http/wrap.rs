//! The wrapper around every route: the request's id, the services, errors as JSON, CORS headers, one log line, and
//! metrics.
//!
//! Rocket has no middleware for single routes, so each handler is wrapped in one of ours. Nothing is registered for the
//! whole application, so an application's own routes are not affected.

use std::{sync::Arc, time::Instant};

use patron_domain::tenancy::RequestId;
use rocket::{
    Data, Request, Response, Route,
    http::Status,
    response::Responder,
    route::{Handler, Outcome},
};
use tracing::field::display;

use super::{
    Api, cors, deadline,
    error::ApiError,
    guard::{self, Recognised},
    limits,
    metrics::{RouteMetrics, count_unknown},
    noted::Noted,
    peer, report,
};

/// The services of the request's route, for guards and handlers.
#[derive(Default)]
pub(super) struct CurrentApi(pub(super) Option<Arc<Api>>);

/// The error that a guard recorded for the response.
#[derive(Default)]
struct Failure(std::sync::OnceLock<ApiError>);

/// Records an error for the response, and returns the status that Rocket expects of a guard.
pub(super) fn fail(request: &Request<'_>, error: ApiError) -> Status {
    let status = error.status();
    // Only the first error is reported.
    let _ = request.local_cache(Failure::default).0.set(error);
    status
}

/// The id of a request: the client's own `X-Request-ID` if it is valid, otherwise a new one.
pub(super) fn request_id<'r>(request: &'r Request<'_>) -> &'r RequestId {
    request.local_cache(|| {
        let given = request.headers().get_one("x-request-id").and_then(|id| RequestId::new(id).ok());
        given.unwrap_or_else(new_request_id)
    })
}

#[expect(clippy::disallowed_methods, reason = "a request id is not part of the domain")]
#[expect(clippy::expect_used, reason = "32 hexadecimal digits are a valid request id; a unit test calls this")]
fn new_request_id() -> RequestId {
    RequestId::new(format!("{:032x}", fastrand::u128(..))).expect("hexadecimal digits")
}

/// The audience of a route's responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Audience {
    /// Identified callers. Responses depend on the credentials, including errors.
    Keyed,
    /// Any client.
    Public,
}

/// Wraps all routes.
pub(super) fn wrap(routes: Vec<Route>, api: &Arc<Api>, audience: Audience) -> Vec<Route> {
    wrap_all(routes, api, audience, || Some(RouteMetrics::default()))
}

/// Wraps fallback routes. Their paths have no metrics.
pub(super) fn wrap_fallbacks(routes: Vec<Route>, api: &Arc<Api>, audience: Audience) -> Vec<Route> {
    wrap_all(routes, api, audience, || None)
}

fn wrap_all(
    routes: Vec<Route>,
    api: &Arc<Api>,
    audience: Audience,
    metrics: impl Fn() -> Option<RouteMetrics>,
) -> Vec<Route> {
    let wrap_one = |mut route: Route| {
        let (api, metrics) = (api.clone(), metrics());
        route.handler = Box::new(Wrapped { inner: route.handler, api, audience, metrics });
        route
    };
    routes.into_iter().map(wrap_one).collect()
}

#[derive(Clone)]
struct Wrapped {
    inner: Box<dyn Handler>,
    api: Arc<Api>,
    audience: Audience,
    /// The metrics of the route. `None` for fallback routes.
    metrics: Option<RouteMetrics>,
}

#[rocket::async_trait]
impl Handler for Wrapped {
    #[expect(clippy::disallowed_methods, reason = "the duration of a response is not part of the domain")]
    async fn handle<'r>(&self, request: &'r Request<'_>, mut data: Data<'r>) -> Outcome<'r> {
        let started = Instant::now();
        let id = request_id(request);
        request.local_cache(|| CurrentApi(Some(self.api.clone())));
        let answered = async {
            match is_disguised(request, &mut data).await {
                true => Outcome::Error(fail(request, disguise_refusal(request).await)),
                false => self.inner.handle(request, data).await,
            }
        };
        let answered = deadline::within(request, started, self.api.options.request_timeout, answered).await;
        let outcome = answered.unwrap_or_else(|| {
            tracing::warn!("answered 503, because the request took too long");
            Outcome::Error(fail(request, ApiError::too_late()))
        });
        let mut response = match outcome {
            Outcome::Success(response) => response,
            Outcome::Error(status) => failure(request, status),
            Outcome::Forward(forwarded) => return Outcome::Forward(forwarded),
        };
        response = report::answer(request, &self.api, response).await;
        finish(request, &self.api, self.audience, &mut response);
        // The template, never the path: a path can contain an external id, which is personal data.
        let route = request.route().map_or("", |route| route.uri.as_str());
        let took = started.elapsed();
        match &self.metrics {
            Some(metrics) => metrics.count(request.route(), response.status(), took),
            None => count_unknown(request.method(), response.status()),
        }
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let (method, status) = (request.method().as_str(), response.status().code);
        let (peer, caller) = (peer::address(request).map(display), Recognised::of(request));
        let (key, tenant, environment) = (
            caller.map(|(actor, _)| actor.as_str()),
            caller.map(|(_, owner)| display(owner.tenant_id)),
            caller.map(|(_, owner)| display(owner.environment_id)),
        );
        let request_id = id.as_str();
        tracing::info!(method, route, status, micros, request_id, peer, key, tenant, environment, "answered");
        Outcome::Success(response)
    }
}

/// Whether Rocket has treated a POSTed form as another method, because its first field is `_method`. No route accepts
/// forms, and a POST must never delete.
async fn is_disguised(request: &Request<'_>, data: &mut Data<'_>) -> bool {
    const FIELD: &[u8] = b"_method=";
    // As much as Rocket itself examines.
    const SEEN: usize = FIELD.len() + "delete".len();
    let is_form = request.content_type().is_some_and(|kind| kind.is_form());
    is_form && data.peek(SEEN).await.windows(FIELD.len()).any(|field| field == FIELD)
}

/// The error for such a form, in the order of all checks.
async fn disguise_refusal(request: &Request<'_>) -> ApiError {
    match guard::known(request).await {
        Ok(_) => ApiError::unsupported_media_type(),
        Err(error) => error,
    }
}

/// Adds the headers of every response.
pub(super) fn finish(request: &Request<'_>, api: &Api, audience: Audience, response: &mut Response<'_>) {
    response.set_raw_header("X-Request-ID", request_id(request).as_str().to_owned());
    if audience == Audience::Keyed && !response.headers().contains("cache-control") {
        response.set_raw_header("Cache-Control", "private, no-cache");
    }
    // A cache must never show a caller the response to another caller (RFC 9111, 4.1 and 5.2.2).
    let mut vary: Vec<_> = response.headers().get_one("vary").into_iter().map(str::to_owned).collect();
    if audience == Audience::Keyed {
        vary.extend(api.callers.credentials().into_iter().map(|one| one.header().to_owned()));
    }
    if cors::allow(request, &api.options.cors_origins, response) {
        vary.push("Origin".to_owned());
    }
    if !vary.is_empty() {
        response.set_raw_header("Vary", vary.join(", "));
    }
    limits::add_headers(request, response);
    if let Some(ignored) = Noted::of(request).header() {
        response.set_header(ignored);
    }
}

/// The error that a guard recorded, or else the one for the status.
fn failure<'r>(request: &'r Request<'_>, status: Status) -> Response<'r> {
    let left = request.local_cache(Failure::default).0.get().cloned();
    render(request, left.unwrap_or_else(|| ApiError::of_status(status)))
}

/// Renders an error as a response.
pub(super) fn render<'r>(request: &'r Request<'_>, error: ApiError) -> Response<'r> {
    // Rendering cannot fail. The bare status satisfies Rocket's signature.
    error.clone().respond_to(request).unwrap_or_else(|_| Response::build().status(error.status()).finalize())
}

#[cfg(test)]
mod tests {
    #[test]
    fn new_request_ids_differ() {
        assert_ne!(super::new_request_id(), super::new_request_id());
    }
}
