//! Scopes: the data that a caller can reach. Every repository method takes a scope, so no query can miss its tenant.

use super::{Actor, Permission, PermissionDenied, RequestId, Roles};
use crate::{ids::TenantId, lifecycle::Owner};

/// One environment of one tenant, and the actor. Data outside the scope looks like data that does not exist.
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
    /// The actor.
    pub actor: Actor,
}

/// One tenant with all its environments, and the actor.
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
    /// The actor.
    pub actor: Actor,
}

/// All data: for authentication, start-up and the command line, never for a request's own work.
///
/// ```
/// use patron_domain::tenancy::{Actor, SystemScope};
///
/// assert_eq!(SystemScope::patron().actor, Actor::system());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemScope {
    /// The actor.
    pub actor: Actor,
}

impl SystemScope {
    /// Patron itself.
    #[must_use]
    pub fn patron() -> Self {
        Self { actor: Actor::system() }
    }
}

/// An authenticated caller: its scope, roles and request.
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
    /// Builds a caller, whose identity the program must have checked. [`crate::tenancy::AccessService`] does so for API
    /// keys; an application with its own users builds callers from its own sessions.
    #[must_use]
    pub fn new(scope: EnvironmentScope, roles: Roles, request_id: Option<RequestId>) -> Self {
        Self { scope, roles, request_id }
    }

    /// The scope, if the roles include the permission. There is no other way from a caller to a scope.
    ///
    /// # Errors
    /// [`PermissionDenied`] with the missing permission.
    pub fn authorise(&self, permission: Permission) -> Result<&EnvironmentScope, PermissionDenied> {
        if self.roles.permit(permission) { Ok(&self.scope) } else { Err(PermissionDenied::Role(permission)) }
    }

    /// The whole tenant, if the roles include the permission. For objects outside environments: the environments
    /// themselves, and the keys of each.
    ///
    /// # Errors
    /// [`PermissionDenied`] with the missing permission.
    pub fn authorise_tenant(&self, permission: Permission) -> Result<TenantScope, PermissionDenied> {
        let scope = self.authorise(permission)?;
        Ok(TenantScope { tenant_id: scope.owner.tenant_id, actor: scope.actor.clone() })
    }

    /// The caller's roles.
    #[must_use]
    pub fn roles(&self) -> &Roles {
        &self.roles
    }

    /// Checks that an environment named by the client, if any, is the caller's own.
    ///
    /// # Errors
    /// [`PermissionDenied::Environment`] for any other, so that a write never changes the wrong environment.
    pub fn expect_environment(&self, named: &str) -> Result<(), PermissionDenied> {
        let own = self.scope.owner.environment_id.to_string();
        if named == own { Ok(()) } else { Err(PermissionDenied::Environment) }
    }

    /// The tenant and environment.
    #[must_use]
    pub fn owner(&self) -> Owner {
        self.scope.owner
    }

    /// The id of the caller's request.
    #[must_use]
    pub fn request_id(&self) -> Option<&RequestId> {
        self.request_id.as_ref()
    }
}
