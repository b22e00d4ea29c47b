//! Wrong methods and unknown paths: 405 with `Allow`, where Rocket would respond 404. Only callers with a key get a
//! 404.

use std::collections::BTreeMap;

use rocket::{
    Data, Request, Response, Route,
    http::{Method, Status},
    route::{Handler, Outcome},
};

use super::{
    Api, cors,
    error::ApiError,
    guard,
    wrap::{Audience, render},
};

const ALL: [Method; 9] = [
    Method::Get,
    Method::Head,
    Method::Post,
    Method::Put,
    Method::Patch,
    Method::Delete,
    Method::Options,
    Method::Trace,
    Method::Connect,
];

/// Ranks after all our routes: Rocket's own ranks are below 0, and explicit ones here are below 10.
const FIRST_RANK: isize = 1_000;

/// For each path of the routes, one more route for every method that it does not support. If the routes need a key, the
/// caller is checked first, as everywhere.
pub(super) fn not_allowed(routes: &[Route], cors_origins: &cors::Origins, audience: Audience) -> Vec<Route> {
    // Ordered by rank, like Rocket: of two paths that both match, the more exact one determines the allowed methods.
    let mut paths: BTreeMap<(isize, String), Vec<Method>> = BTreeMap::new();
    for route in routes {
        paths.entry((route.rank, route.uri.path().to_owned())).or_default().push(route.method);
    }
    let mut fallbacks = Vec::new();
    // A separate rank for each path, because overlapping paths must not share one.
    for (rank, ((_, path), mut methods)) in (FIRST_RANK..).zip(paths) {
        if methods.contains(&Method::Get) {
            // Rocket responds to HEAD with the route for GET.
            methods.push(Method::Head);
        }
        methods.sort_unstable_by_key(|method| ALL.iter().position(|one| one == method));
        let allow: Vec<_> = methods.iter().map(|method| method.as_str()).collect();
        let handler = NotAllowed { allow: allow.join(", "), cors_origins: cors_origins.clone(), audience };
        for method in ALL.into_iter().filter(|method| !methods.contains(method)) {
            fallbacks.push(Route::ranked(rank, method, &path, handler.clone()));
        }
    }
    fallbacks
}

#[derive(Clone)]
struct NotAllowed {
    allow: String,
    cors_origins: cors::Origins,
    audience: Audience,
}

#[rocket::async_trait]
impl Handler for NotAllowed {
    async fn handle<'r>(&self, request: &'r Request<'_>, _data: Data<'r>) -> Outcome<'r> {
        let preflight = request.method() == Method::Options && cors::is_preflight(request, &self.cors_origins);
        if preflight {
            let mut response = Response::build().status(Status::NoContent).finalize();
            let credentials = Api::of(request).map(|api| api.callers.credentials()).unwrap_or_default();
            cors::answer_preflight(&self.allow, &credentials, &mut response);
            return Outcome::Success(response);
        }
        let refused = match self.audience {
            Audience::Keyed => guard::known(request).await.err(),
            Audience::Public => None,
        };
        let error = refused.unwrap_or_else(|| ApiError::method_not_allowed(&self.allow));
        Outcome::Success(render(request, error))
    }
}

/// Ranks after every other route of the base.
const LAST_RANK: isize = 1_000_000;

/// Routes for all unknown paths below a base, with any method: a 404 that names the path for callers with a key,
/// otherwise a 401.
pub(super) fn unknown_paths(base: &str) -> Vec<Route> {
    // HEAD uses the route for GET. If one base is below another, the longer one comes first.
    let rank = LAST_RANK - isize::try_from(base.len()).unwrap_or(LAST_RANK / 2);
    let methods = ALL.into_iter().filter(|method| *method != Method::Head);
    methods.map(|method| Route::ranked(rank, method, "/<_..>", NoSuchPath)).collect()
}

#[derive(Clone)]
struct NoSuchPath;

#[rocket::async_trait]
impl Handler for NoSuchPath {
    async fn handle<'r>(&self, request: &'r Request<'_>, _data: Data<'r>) -> Outcome<'r> {
        let error = match guard::known(request).await {
            Ok(_) => no_such_path(request),
            Err(error) => error,
        };
        Outcome::Success(render(request, error))
    }
}

/// A 404 that names the requested path.
pub(super) fn no_such_path(request: &Request<'_>) -> ApiError {
    match Api::of(request) {
        Ok(api) => api.no_such_path(request.method().as_str(), request.uri().path().as_str()),
        Err(error) => error,
    }
}
