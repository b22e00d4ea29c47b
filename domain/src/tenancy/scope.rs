//! Scopes: what a caller may reach. A repository cannot be asked anything without one, so no query forgets its tenant.

use super::{Actor, Permission, PermissionDenied, RequestId, Roles};
use crate::{ids::TenantId, lifecycle::Owner};

/// One environment of one tenant, and who acts in it. Whatever lies outside is as if it did not exist.
///
/// ```
/// use patron_domain::{tenancy::{Actor, EnvironmentScope}, testkit::an_owner};
///
/// let scope = EnvironmentScope { owner: an_owner(), actor: Actor::new("importer").unwrap() };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentScope {
    /// The environment and its tenant.
    pub owner: Owner,
    /// Who acts.
    pub actor: Actor,
}

/// One tenant with all its environments, and who acts in it.
///
/// ```
/// use patron_domain::{tenancy::{Actor, TenantScope}, testkit::a_tenant};
///
/// let scope = TenantScope { tenant_id: a_tenant().id, actor: Actor::system() };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantScope {
    /// The tenant.
    pub tenant_id: TenantId,
    /// Who acts.
    pub actor: Actor,
}

/// Everything: for authentication, start-up and the command line, never for a request's own work.
///
/// ```
/// use patron_domain::tenancy::{Actor, SystemScope};
///
/// assert_eq!(SystemScope::patron().actor, Actor::system());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemScope {
    /// Who acts.
    pub actor: Actor,
}

impl SystemScope {
    /// Patron itself.
    #[must_use]
    pub fn patron() -> Self {
        Self { actor: Actor::system() }
    }
}

/// Somebody whose identity was checked: where they may act, with which roles, and in which request.
///
/// ```
/// use patron_domain::{tenancy::{Caller, Permission, Roles}, testkit::a_scope};
///
/// let caller = Caller::new(a_scope(), Roles::super_admin(), None);
/// assert_eq!(caller.authorise(Permission::Write), Ok(&a_scope()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    scope: EnvironmentScope,
    roles: Roles,
    request_id: Option<RequestId>,
}

impl Caller {
    /// Whoever calls this vouches for the identity. [`crate::tenancy::AccessService`] does so for API keys; an
    /// application with its own users builds callers from its own sessions.
    #[must_use]
    pub fn new(scope: EnvironmentScope, roles: Roles, request_id: Option<RequestId>) -> Self {
        Self { scope, roles, request_id }
    }

    /// The scope to act in, if the roles permit what is asked. The only way from a caller to a scope.
    ///
    /// # Errors
    /// [`PermissionDenied`] names the permission that is missing.
    pub fn authorise(&self, permission: Permission) -> Result<&EnvironmentScope, PermissionDenied> {
        if self.roles.permit(permission) { Ok(&self.scope) } else { Err(PermissionDenied::Role(permission)) }
    }

    /// The whole tenant to act in, if the roles permit what is asked. For what no environment owns: environments
    /// themselves, and the keys to each of them.
    ///
    /// # Errors
    /// [`PermissionDenied`] names the permission that is missing.
    pub fn authorise_tenant(&self, permission: Permission) -> Result<TenantScope, PermissionDenied> {
        let scope = self.authorise(permission)?;
        Ok(TenantScope { tenant_id: scope.owner.tenant_id, actor: scope.actor.clone() })
    }

    /// The caller's roles.
    #[must_use]
    pub fn roles(&self) -> &Roles {
        &self.roles
    }

    /// Checks that the environment a client names, if it names one, is the caller's own.
    ///
    /// # Errors
    /// [`PermissionDenied::Environment`] for any other: a write must never land in an environment that was not meant.
    pub fn expect_environment(&self, named: &str) -> Result<(), PermissionDenied> {
        let own = self.scope.owner.environment_id.to_string();
        if named == own { Ok(()) } else { Err(PermissionDenied::Environment) }
    }

    /// The tenant and environment.
    #[must_use]
    pub fn owner(&self) -> Owner {
        self.scope.owner
    }

    /// The request the caller acts in.
    #[must_use]
    pub fn request_id(&self) -> Option<&RequestId> {
        self.request_id.as_ref()
    }
}
