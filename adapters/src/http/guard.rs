//! Who is asking: request guards that recognise the caller before anything of the body is read.

use std::ops::Deref;

use patron_domain::tenancy::{Caller, Permission};
use rocket::{
    Request,
    request::{FromRequest, Outcome},
};

use super::{
    Api,
    error::ApiError,
    wrap::{fail, request_id},
};

/// A caller who may read.
pub(crate) struct CanRead(Caller);

/// A caller who may write.
pub(crate) struct CanWrite(Caller);

/// A caller who may change environments, keys and webhook endpoints.
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

/// Recognises the caller by `x-api-key`, or by `Authorization: Bearer`, and checks that it may do what is asked in the
/// environment that is named, if one is.
async fn caller(request: &Request<'_>, permission: Permission) -> Result<Caller, ApiError> {
    let headers = request.headers();
    let bearer = || {
        let (scheme, key) = headers.get_one("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
    };
    let key = headers.get_one("x-api-key").or_else(bearer).ok_or_else(ApiError::unauthenticated)?;
    let access = &Api::of(request)?.access;
    let caller = access.authenticate(key, Some(request_id(request).clone())).await?;
    if let Some(named) = headers.get_one("x-environment-id").filter(|named| !named.is_empty()) {
        caller.expect_environment(named)?;
    }
    caller.authorise(permission)?;
    Ok(caller)
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
