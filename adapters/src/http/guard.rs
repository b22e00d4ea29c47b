//! Request guards that identify the caller before the body is read.

use std::{ops::Deref, sync::OnceLock};

use patron_domain::{
    lifecycle::Owner,
    tenancy::{Actor, Caller, Permission},
};
use rocket::{
    Request,
    request::{FromRequest, Outcome},
};

use super::{
    Api,
    error::ApiError,
    limits, peer,
    report::RequestedReport,
    wrap::{fail, request_id},
};

/// A caller with permission to read.
pub(crate) struct CanRead(Caller);

/// A caller with permission to write.
pub(crate) struct CanWrite(Caller);

/// A caller with permission to change settings of the environment.
pub(crate) struct CanAdminister(Caller);

/// A caller with permission to create and revoke keys.
pub(crate) struct CanAdministerKeys(Caller);

/// A caller with permission to change environments.
pub(crate) struct CanAdministerTenant(Caller);

/// A caller with permission to read environments.
pub(crate) struct CanReadEnvironments(Caller);

/// A caller with permission to read webhook endpoints.
pub(crate) struct CanReadWebhooks(Caller);

/// A caller with permission to change webhook endpoints.
pub(crate) struct CanAdministerWebhooks(Caller);

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
caller_guard!(CanAdministerKeys, Permission::AdministerKeys);
caller_guard!(CanAdministerTenant, Permission::AdministerTenant);
caller_guard!(CanReadEnvironments, Permission::ReadEnvironments);
caller_guard!(CanReadWebhooks, Permission::ReadWebhooks);
caller_guard!(CanAdministerWebhooks, Permission::AdministerWebhooks);

/// Identifies the caller, and checks its permission.
async fn caller(request: &Request<'_>, permission: Permission) -> Result<Caller, ApiError> {
    // Noted first, so that refusals of a dry run have its header too.
    let report = RequestedReport::note(request, permission);
    let caller = recognise(request).await?;
    caller.authorise(permission)?;
    limits::take(request, &caller, Some(permission))?;
    let Some(write) = report else { return Ok(caller) };
    if write.is_dry_run() {
        Api::of(request)?.callers.dry_run(&caller);
    }
    Ok(write.by(caller))
}

/// Identifies the caller of a request that no route accepts. The checks have the usual order, so the caller is checked
/// before the error is returned.
pub(super) async fn known(request: &Request<'_>) -> Result<Caller, ApiError> {
    let caller = recognise(request).await?;
    limits::take(request, &caller, None)?;
    Ok(caller)
}

/// The identified caller of a request, for its line in the log.
#[derive(Default)]
pub(super) struct Recognised(OnceLock<(Actor, Owner)>);

impl Recognised {
    fn note(request: &Request<'_>, caller: &Caller) {
        // A second identification in the same request finds the same caller.
        let _ = request.local_cache(Self::default).0.set((caller.actor().clone(), caller.owner()));
    }

    /// The id of the key and its owner. `None` if no caller was identified.
    pub(super) fn of<'r>(request: &'r Request<'_>) -> Option<&'r (Actor, Owner)> {
        request.local_cache(Self::default).0.get()
    }
}

/// Identifies the caller. If the request names an environment, it must be the caller's.
async fn recognise(request: &Request<'_>) -> Result<Caller, ApiError> {
    let caller = Api::of(request)?.callers.recognise(request, request_id(request)).await?;
    let caller = caller.at_address(peer::address(request));
    Recognised::note(request, &caller);
    if let Some(named) = request.headers().get_one("x-environment-id").filter(|named| !named.is_empty()) {
        caller.expect_environment(named)?;
    }
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
