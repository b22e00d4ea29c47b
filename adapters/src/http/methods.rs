//! Wrong methods and unknown paths: 405 with `Allow`, where Rocket would answer 404; and 404 only to who has a key.

use std::collections::BTreeMap;

use rocket::{
    Data, Request, Response, Route,
    http::{Method, Status},
    route::{Handler, Outcome},
};

use super::{
    cors,
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

/// Later than every route of ours: the ranks that Rocket gives are below 0, those that routes here name below 10.
const FIRST_RANK: isize = 1_000;

/// For each path of the routes, one more route for each method that it does not take. Who asks is looked at first, as
/// everywhere, where a key is needed.
pub(super) fn not_allowed(routes: &[Route], cors_origins: &cors::Origins, audience: Audience) -> Vec<Route> {
    // By rank first, as Rocket ranks: of two paths that both match, the more exact one says what is allowed.
    let mut paths: BTreeMap<(isize, String), Vec<Method>> = BTreeMap::new();
    for route in routes {
        paths.entry((route.rank, route.uri.path().to_owned())).or_default().push(route.method);
    }
    let mut fallbacks = Vec::new();
    // A rank of its own for each path, because two paths that may both match must not have the same.
    for (rank, ((_, path), mut methods)) in (FIRST_RANK..).zip(paths) {
        if methods.contains(&Method::Get) {
            // Rocket answers HEAD by the route for GET.
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
            cors::answer_preflight(&self.allow, &mut response);
            return Outcome::Success(response);
        }
        let refused = match self.audience {
            Audience::Keyed => guard::recognise(request).await.err(),
            Audience::Public => None,
        };
        let error = refused.unwrap_or_else(|| ApiError::method_not_allowed(&self.allow));
        Outcome::Success(render(request, error))
    }
}

/// Later than every other route of the base: what nothing else takes.
const LAST_RANK: isize = 1_000_000;

/// Routes for every path below a base that nothing else takes, whatever the method: 404 that names the path, to who has a
/// key, and 401 to everybody else.
pub(super) fn unknown_paths(base: &str) -> Vec<Route> {
    // HEAD is answered by the route for GET. Of two bases of which one lies below the other the longer comes first.
    let rank = LAST_RANK - isize::try_from(base.len()).unwrap_or(LAST_RANK / 2);
    let methods = ALL.into_iter().filter(|method| *method != Method::Head);
    methods.map(|method| Route::ranked(rank, method, "/<_..>", NoSuchPath)).collect()
}

#[derive(Clone)]
struct NoSuchPath;

#[rocket::async_trait]
impl Handler for NoSuchPath {
    async fn handle<'r>(&self, request: &'r Request<'_>, _data: Data<'r>) -> Outcome<'r> {
        let error = match guard::recognise(request).await {
            Ok(_) => no_such_path(request),
            Err(error) => error,
        };
        Outcome::Success(render(request, error))
    }
}

/// 404 that names the path that was asked for.
pub(super) fn no_such_path(request: &Request<'_>) -> ApiError {
    ApiError::no_such_path(request.method().as_str(), request.uri().path().as_str())
}
