//! Request guards that identify the caller before the body is read.

use std::ops::Deref;

use patron_domain::{
    tenancy::{Caller, Permission},
    violation::{Violation, Violations},
};
use rocket::{
    Request,
    http::HeaderMap,
    request::{FromRequest, Outcome},
};

use super::{
    Api,
    error::ApiError,
    wrap::{fail, request_id},
};

/// A caller with permission to read.
pub(crate) struct CanRead(Caller);

/// A caller with permission to write.
pub(crate) struct CanWrite(Caller);

/// A caller with permission to change environments, keys and webhook endpoints.
pub(crate) struct CanAdminister(Caller);

macro_rules! caller_guard {
    ($guard:ident, $permission:expr) => {
        impl Deref for $guard {
            type Target = Caller;

            fn deref(&self) -> &Caller {
                &self.0
            }
        }

        #[rocket::async_trait]
        impl<'r> FromRequest<'r> for $guard {
            type Error = ();

            async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
                match caller(request, $permission).await {
                    Ok(caller) => Outcome::Success(Self(caller)),
                    Err(error) => Outcome::Error((fail(request, error), ())),
                }
            }
        }
    };
}

caller_guard!(CanRead, Permission::Read);
caller_guard!(CanWrite, Permission::Write);
caller_guard!(CanAdminister, Permission::Administer);

/// Identifies the caller, and checks its permission.
async fn caller(request: &Request<'_>, permission: Permission) -> Result<Caller, ApiError> {
    let caller = recognise(request).await?;
    caller.authorise(permission)?;
    Ok(caller)
}

/// Identifies the caller by `x-api-key` or `Authorization: Bearer`. If the request names an environment, it must be the
/// caller's.
pub(super) async fn recognise(request: &Request<'_>) -> Result<Caller, ApiError> {
    let headers = request.headers();
    let key = presented(headers)?.ok_or_else(ApiError::unauthenticated)?;
    let access = &Api::of(request)?.access;
    let caller = access.authenticate(key, Some(request_id(request).clone())).await?;
    if let Some(named) = headers.get_one("x-environment-id").filter(|named| !named.is_empty()) {
        caller.expect_environment(named)?;
    }
    Ok(caller)
}

/// The API key of a request. An empty header counts as absent.
///
/// # Errors
/// If the request has several different keys. Either of them could act in an environment that was not meant.
fn presented<'r>(headers: &'r HeaderMap<'_>) -> Result<Option<&'r str>, ApiError> {
    let bearer = |field: &'r str| {
        let (scheme, key) = field.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
    };
    let keys = headers.get("x-api-key").chain(headers.get("authorization").filter_map(bearer));
    let mut keys = keys.filter(|key| !key.is_empty());
    let first = keys.next();
    if keys.any(|other| Some(other) != first) {
        let mut broken = Violations::new();
        let message = "the request has two different API keys, in x-api-key and Authorization; send one of them";
        let (path, rule) = ("x-api-key".to_owned(), "one_key");
        broken.push(Violation { path, rule, message: message.to_owned() });
        return Err(broken.into());
    }
    Ok(first)
}

/// The services behind the routes.
pub(crate) struct Services<'r>(&'r Api);

impl Deref for Services<'_> {
    type Target = Api;

    fn deref(&self) -> &Api {
        self.0
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Services<'r> {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        match Api::of(request) {
            Ok(api) => Outcome::Success(Self(api)),
            Err(error) => Outcome::Error((fail(request, error), ())),
        }
    }
}

#[cfg(test)]
mod tests {
    use rocket::http::{Header, HeaderMap};

    use super::presented;

    #[test]
    fn a_key_may_be_repeated_and_an_empty_header_counts_as_absent() {
        let read = |fields: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            fields.iter().for_each(|(name, value)| headers.add(Header::new(*name, *value)));
            presented(&headers).map(|key| key.map(str::to_owned)).map_err(|error| error.status().code)
        };
        let key = Ok(Some("k".to_owned()));
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[("x-api-key", "k")]), key);
        assert_eq!(read(&[("authorization", "bearer k")]), key);
        assert_eq!(read(&[("x-api-key", ""), ("authorization", "Bearer k")]), key);
        assert_eq!(read(&[("x-api-key", "k"), ("authorization", "Bearer k"), ("x-api-key", "k")]), key);
        assert_eq!(read(&[("x-api-key", "k"), ("authorization", "Basic other")]), key);
        assert_eq!(read(&[("x-api-key", "k"), ("authorization", "Bearer ")]), key);
        assert_eq!(read(&[("x-api-key", ""), ("authorization", "k")]), Ok(None));
        assert_eq!(read(&[("x-api-key", "k"), ("authorization", "Bearer other")]), Err(400));
        assert_eq!(read(&[("x-api-key", "k"), ("x-api-key", "other")]), Err(400));
    }
}
