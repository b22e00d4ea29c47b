//! Cross-origin requests (the Fetch standard, section 3.3), off unless origins are configured.

use rocket::{Request, Response};

/// The origins that may ask from a browser.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Origins {
    /// None: no header of this kind is ever sent.
    #[default]
    None,
    /// Any.
    Any,
    /// These, each as a browser sends it, such as `https://app.example.com`.
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

const REQUEST_HEADERS: &str = "x-api-key, authorization, content-type, idempotency-key, if-match, if-none-match, prefer, \
                               x-environment-id, x-patron-onboarding-run, x-request-id";
/// Everything that the API answers and that a page could not read otherwise (the Fetch standard, section 3.3.4).
const RESPONSE_HEADERS: &str = "Allow, ETag, Idempotency-Replayed, Location, Patron-As-Of, Patron-Dry-Run, Patron-Ignored, \
                                RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Patron-Former-External-Id, \
                                X-Request-ID";
/// For how many seconds a browser may keep the answer of a preflight.
const MAX_AGE: &str = "600";

fn origin<'r>(request: &'r Request<'_>, origins: &Origins) -> Option<&'r str> {
    request.headers().get_one("origin").filter(|origin| origins.allow(origin))
}

/// Whether a request asks beforehand if another may be sent, from an origin that may.
pub(super) fn is_preflight(request: &Request<'_>, origins: &Origins) -> bool {
    request.headers().contains("access-control-request-method") && origin(request, origins).is_some()
}

/// Says what may be sent. The origin itself is added with every answer.
pub(super) fn answer_preflight(methods: &str, response: &mut Response<'_>) {
    response.set_raw_header("Access-Control-Allow-Methods", methods.to_owned());
    response.set_raw_header("Access-Control-Allow-Headers", REQUEST_HEADERS);
    response.set_raw_header("Access-Control-Max-Age", MAX_AGE);
}

/// Lets the page of an origin that may ask read an answer. Whether answers depend on the origin at all.
pub(super) fn allow(request: &Request<'_>, origins: &Origins, response: &mut Response<'_>) -> bool {
    if *origins == Origins::None {
        return false;
    }
    if let Some(origin) = origin(request, origins) {
        response.set_raw_header("Access-Control-Allow-Origin", origin.to_owned());
        response.set_raw_header("Access-Control-Expose-Headers", RESPONSE_HEADERS);
    }
    // Even when this one may not read it.
    true
}
