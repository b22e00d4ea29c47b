//! Scopes: the data that a caller can reach. Every repository method takes a scope, so no query can miss its tenant.

use std::net::IpAddr;

use super::{Actor, Origin, Permission, PermissionDenied, RateLimit, RequestId, Roles};
use crate::{
    ids::{EnvironmentId, TenantId},
    lifecycle::Owner,
    report::WriteReport,
};

/// One environment of one tenant, and the actor. Data outside the scope looks like data that does not exist.
///
/// ```
/// use patron_domain::{tenancy::{Actor, EnvironmentScope}, testkit::an_owner};
///
/// let scope = EnvironmentScope::new(an_owner(), Actor::new("importer").unwrap());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentScope {
    /// The environment and its tenant.
    pub owner: Owner,
    /// The actor.
    pub actor: Actor,
    /// The origin.
    pub origin: Origin,
}

impl EnvironmentScope {
    /// A scope of an actor without an origin.
    #[must_use]
    pub fn new(owner: Owner, actor: Actor) -> Self {
        Self { owner, actor, origin: Origin::default() }
    }
}

/// One tenant with all its environments, and the actor.
///
/// ```
/// use patron_domain::{tenancy::{Actor, TenantScope}, testkit::a_tenant};
///
/// let scope = TenantScope::new(a_tenant().id, Actor::system());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantScope {
    /// The tenant.
    pub tenant_id: TenantId,
    /// The actor.
    pub actor: Actor,
    /// The origin.
    pub origin: Origin,
}

impl TenantScope {
    /// A scope of an actor without an origin.
    #[must_use]
    pub fn new(tenant_id: TenantId, actor: Actor) -> Self {
        Self { tenant_id, actor, origin: Origin::default() }
    }

    /// One environment of the tenant, for the same actor.
    #[must_use]
    pub fn environment(self, environment_id: EnvironmentId) -> EnvironmentScope {
        let Self { tenant_id, actor, origin } = self;
        EnvironmentScope { owner: Owner { tenant_id, environment_id }, actor, origin }
    }
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
    rate_limit: RateLimit,
}

impl Caller {
    /// Builds a caller, whose identity the program must have checked. [`crate::tenancy::AccessService`] does so for API
    /// keys; an application with its own users builds callers from its own sessions.
    #[must_use]
    pub fn new(mut scope: EnvironmentScope, roles: Roles, request_id: Option<RequestId>) -> Self {
        if let Some(request_id) = request_id {
            scope.origin = scope.origin.in_request(request_id);
        }
        Self { scope, roles, rate_limit: RateLimit::default() }
    }

    /// The same caller, with a rate limit.
    #[must_use]
    pub fn limited_to(self, rate_limit: RateLimit) -> Self {
        Self { rate_limit, ..self }
    }

    /// The caller's rate limit.
    #[must_use]
    pub fn rate_limit(&self) -> RateLimit {
        self.rate_limit
    }

    /// The same caller, with a network address. Programs with their own authentication get it from the connection.
    #[must_use]
    pub fn at_address(mut self, address: Option<IpAddr>) -> Self {
        if let Some(address) = address {
            self.scope.origin = self.scope.origin.at_address(address);
        }
        self
    }

    /// The same caller, whose next write reports what it does: see [`Origin::reporting`].
    #[must_use]
    pub fn reporting(mut self, report: WriteReport) -> Self {
        self.scope.origin = self.scope.origin.reporting(report);
        self
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
        let (Owner { tenant_id, environment_id }, actor) = (scope.owner, scope.actor.clone());
        Ok(TenantScope { tenant_id, actor, origin: scope.origin.clone().at_home_in(environment_id) })
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

    /// The environment in which the caller administers keys: its own, or any for a `tenant_admin`. No other operation
    /// crosses environments, so a key of a development environment cannot act in a production environment.
    ///
    /// # Errors
    /// [`PermissionDenied`] with the missing permission.
    pub fn authorise_keys_of(&self, environment_id: EnvironmentId) -> Result<EnvironmentScope, PermissionDenied> {
        let own = self.scope.owner.environment_id == environment_id;
        let needed = if own { Permission::AdministerKeys } else { Permission::AdministerTenant };
        Ok(self.authorise_tenant(needed)?.environment(environment_id))
    }

    /// The actor.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.scope.actor
    }

    /// The tenant and environment.
    #[must_use]
    pub fn owner(&self) -> Owner {
        self.scope.owner
    }

    /// Where the caller's request came from.
    pub(super) fn origin(&self) -> &Origin {
        &self.scope.origin
    }

    /// The id of the caller's request.
    #[must_use]
    pub fn request_id(&self) -> Option<&RequestId> {
        self.scope.origin.request_id()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        tenancy::Role,
        testkit::{a_scope, an_id},
    };

    #[test]
    fn only_a_tenant_admin_reaches_other_environments_and_only_their_keys() {
        let (own, other) = (a_scope().owner.environment_id, an_id(77));
        // The access of each role to the keys of its own environment and of another one.
        let reach = [
            (Role::SuperAdmin, true, false),
            (Role::TenantAdmin, true, true),
            (Role::WebhookAdmin, false, false),
            (Role::AllWriter, false, false),
            (Role::AllReader, false, false),
        ];
        assert_eq!(reach.map(|(role, ..)| role), Role::ALL);
        for (role, here, elsewhere) in reach {
            let caller = Caller::new(a_scope(), Roles::new([role]).unwrap(), None);
            assert_eq!(caller.authorise_keys_of(own).is_ok(), here, "{role}");
            assert_eq!(caller.authorise_keys_of(other).is_ok(), elsewhere, "{role}");
            // All other permissions apply only to its own environment, because `authorise` returns no other scope.
            for permission in Permission::ALL.into_iter().filter(|one| role.permits(*one)) {
                assert_eq!(caller.authorise(permission).map(|scope| scope.owner), Ok(a_scope().owner));
            }
        }
    }
}
