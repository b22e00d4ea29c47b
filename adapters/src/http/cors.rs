//! Cross-origin requests (Fetch standard, section 3.3), disabled unless origins are configured.

use rocket::{Request, Response};

use super::Credential;

/// The origins that browsers may send requests from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Origins {
    /// No origin: responses have no CORS headers.
    #[default]
    None,
    /// Every origin.
    Any,
    /// These origins, in the form that browsers send, such as `https://app.example.com`.
    List(Vec<String>),
}

impl Origins {
    fn allow(&self, origin: &str) -> bool {
        match self {
            Self::None => false,
            Self::Any => true,
            Self::List(origins) => origins.iter().any(|one| one == origin),
        }
    }
}

/// What pages may send besides credentials.
const REQUEST_HEADERS: &str = "content-type, idempotency-key, if-match, if-none-match, prefer, \
                               x-environment-id, x-patron-onboarding-run, x-request-id";
/// The response headers that pages could not read otherwise (Fetch standard, section 3.3.4).
const RESPONSE_HEADERS: &str = "Allow, ETag, Idempotency-Replayed, Location, Patron-As-Of, Patron-Dry-Run, Patron-Ignored, \
                                RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Patron-Former-External-Id, \
                                X-Request-ID";
/// How long a browser may cache a preflight response, in seconds.
const MAX_AGE: &str = "600";

fn origin<'r>(request: &'r Request<'_>, origins: &Origins) -> Option<&'r str> {
    request.headers().get_one("origin").filter(|origin| origins.allow(origin))
}

/// Whether a request is a preflight from an allowed origin.
pub(super) fn is_preflight(request: &Request<'_>, origins: &Origins) -> bool {
    request.headers().contains("access-control-request-method") && origin(request, origins).is_some()
}

/// Adds the allowed methods and headers. The origin is added to every response.
pub(super) fn answer_preflight(methods: &str, credentials: &[Credential], response: &mut Response<'_>) {
    let headers: Vec<_> = credentials.iter().map(|one| one.header()).chain([REQUEST_HEADERS]).collect();
    response.set_raw_header("Access-Control-Allow-Methods", methods.to_owned());
    response.set_raw_header("Access-Control-Allow-Headers", headers.join(", "));
    response.set_raw_header("Access-Control-Max-Age", MAX_AGE);
}

/// Allows the page of a configured origin to read the response. Returns whether responses depend on the origin.
pub(super) fn allow(request: &Request<'_>, origins: &Origins, response: &mut Response<'_>) -> bool {
    if *origins == Origins::None {
        return false;
    }
    if let Some(origin) = origin(request, origins) {
        response.set_raw_header("Access-Control-Allow-Origin", origin.to_owned());
        response.set_raw_header("Access-Control-Expose-Headers", RESPONSE_HEADERS);
    }
    // Even if this origin may not read it.
    true
}
