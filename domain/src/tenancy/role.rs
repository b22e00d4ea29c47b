//! Roles and permissions of callers.

use crate::{violation::Rule, words::words};

/// A role of an API key.
///
/// ```
/// use patron_domain::tenancy::Role;
///
/// assert_eq!(Role::parse("super_admin"), Ok(Role::SuperAdmin));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Full access to its own environment, including its keys.
    SuperAdmin,
    /// The tenant's environments and their keys, but not the content of the environments.
    TenantAdmin,
    /// Webhook endpoints, their deliveries and replays, and nothing else.
    WebhookAdmin,
    /// Reads and writes, no keys.
    AllWriter,
    /// Read access only.
    AllReader,
}

words!(
    Role, "super_admin, tenant_admin, webhook_admin, all_writer, all_reader",
    SuperAdmin => "super_admin",
    TenantAdmin => "tenant_admin",
    WebhookAdmin => "webhook_admin",
    AllWriter => "all_writer",
    AllReader => "all_reader",
);

/// A permission of a caller.
///
/// ```
/// use patron_domain::tenancy::{Permission, Roles};
///
/// assert!(Roles::super_admin().permit(Permission::Administer));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// Read customers, taxes, mappings, events and onboarding.
    Read,
    /// Change customers, taxes and mappings.
    Write,
    /// Change settings of the environment, and read its audit log.
    Administer,
    /// Read, create, rotate and revoke API keys of the caller's own environment.
    AdministerKeys,
    /// Create and change environments, and [`Self::AdministerKeys`] for every environment of the tenant.
    AdministerTenant,
    /// Read the names and types of the tenant's environments.
    ReadEnvironments,
    /// Read webhook endpoints and deliveries.
    ReadWebhooks,
    /// Change and test webhook endpoints, and replay deliveries.
    AdministerWebhooks,
}

impl Permission {
    /// All permissions.
    pub const ALL: [Self; 8] = [
        Self::Read,
        Self::Write,
        Self::Administer,
        Self::AdministerKeys,
        Self::AdministerTenant,
        Self::ReadEnvironments,
        Self::ReadWebhooks,
        Self::AdministerWebhooks,
    ];

    /// The roles that have this permission, as a text for people.
    #[must_use]
    pub const fn roles(self) -> &'static str {
        match self {
            Self::Read => "all_reader, all_writer or super_admin",
            Self::Write => "all_writer or super_admin",
            Self::Administer => "super_admin",
            Self::AdministerKeys => "super_admin or tenant_admin",
            Self::AdministerTenant => "tenant_admin",
            Self::ReadEnvironments => "all_reader, all_writer, super_admin or tenant_admin",
            Self::ReadWebhooks => "all_reader, all_writer, super_admin or webhook_admin",
            Self::AdministerWebhooks => "super_admin or webhook_admin",
        }
    }
}

impl Role {
    /// Whether the role has a permission. This is the whole matrix.
    #[must_use]
    pub const fn permits(self, permission: Permission) -> bool {
        use Permission::{
            AdministerKeys, AdministerTenant, AdministerWebhooks, Read, ReadEnvironments, ReadWebhooks, Write,
        };
        match self {
            // It reaches only its own environment.
            Self::SuperAdmin => !matches!(permission, AdministerTenant),
            Self::TenantAdmin => matches!(permission, AdministerTenant | AdministerKeys | ReadEnvironments),
            Self::WebhookAdmin => matches!(permission, ReadWebhooks | AdministerWebhooks),
            Self::AllWriter => matches!(permission, Read | Write | ReadEnvironments | ReadWebhooks),
            Self::AllReader => matches!(permission, Read | ReadEnvironments | ReadWebhooks),
        }
    }
}

/// One or more distinct roles.
///
/// ```
/// use patron_domain::tenancy::{Permission, Role, Roles};
///
/// let reader = Roles::new([Role::AllReader]).unwrap();
/// assert!(reader.permit(Permission::Read) && !reader.permit(Permission::Write));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roles(Vec<Role>);

/// The default role of a new key: `all_writer`, which can do all of a client's work but cannot create keys.
impl Default for Roles {
    fn default() -> Self {
        Self(vec![Role::AllWriter])
    }
}

/// The list of roles is empty.
///
/// ```
/// use patron_domain::tenancy::{NoRole, Roles};
///
/// assert_eq!(Roles::new([]), Err(NoRole));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("roles must name at least one of: super_admin, tenant_admin, webhook_admin, all_writer, all_reader")]
pub struct NoRole;

impl Rule for NoRole {
    fn rule(&self) -> &'static str {
        "required"
    }
}

impl Permission {
    /// Whether it permits changes. The others permit only reading.
    #[must_use]
    pub fn is_to_write(self) -> bool {
        !matches!(self, Self::Read | Self::ReadEnvironments | Self::ReadWebhooks)
    }
}

impl Roles {
    /// Takes at least one role; repetitions are ignored.
    ///
    /// # Errors
    /// [`NoRole`] for an empty list.
    pub fn new(roles: impl IntoIterator<Item = Role>) -> Result<Self, NoRole> {
        let mut roles: Vec<_> = roles.into_iter().collect();
        roles.sort_unstable();
        roles.dedup();
        if roles.is_empty() { Err(NoRole) } else { Ok(Self(roles)) }
    }

    /// The role that permits everything within one environment.
    #[must_use]
    pub fn super_admin() -> Self {
        Self(vec![Role::SuperAdmin])
    }

    /// The roles of the first key: full access to its environment, and the administration of the tenant.
    #[must_use]
    pub fn first_key() -> Self {
        Self(vec![Role::SuperAdmin, Role::TenantAdmin])
    }

    /// Whether a key with these roles may create a key with other roles. A key grants only rights that it has. The
    /// exception is `tenant_admin`: it creates the first keys of new environments, so it can grant every role.
    #[must_use]
    pub fn may_grant(&self, others: &Self) -> bool {
        let covers =
            || Permission::ALL.iter().all(|permission| self.permit(*permission) || !others.permit(*permission));
        self.permit(Permission::AdministerTenant) || covers()
    }

    /// Whether one of the roles permits this.
    #[must_use]
    pub fn permit(&self, permission: Permission) -> bool {
        self.0.iter().any(|role| role.permits(permission))
    }

    /// The roles in a fixed order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Role> {
        self.0.iter().copied()
    }
}

/// Why a caller may not do something.
///
/// ```
/// use patron_domain::{tenancy::{Permission, PermissionDenied, Role}, testkit::a_reader};
///
/// assert_eq!(a_reader().authorise(Permission::Write), Err(PermissionDenied::Role(Permission::Write)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PermissionDenied {
    /// None of the caller's roles permits it.
    #[error("the caller lacks the permission for this; it needs the role {}", .0.roles())]
    Role(Permission),
    /// The new key would have more rights than the caller.
    #[error("the caller cannot grant roles that it does not have; leave those roles out")]
    MoreThanOwn,
    /// The tenant is suspended.
    #[error("the tenant is suspended")]
    Suspended,
    /// The caller's address is outside its allowed networks.
    #[error("the caller is not allowed to send requests from this address")]
    Network,
    /// The client named an environment other than the caller's.
    #[error("the caller does not belong to the requested environment")]
    Environment,
}

#[cfg(test)]
mod tests {
    use super::{NoRole, Permission, Role, Roles};

    #[test]
    fn each_role_has_exactly_its_permissions() {
        let (yes, no) = (true, false);
        // Read, Write, Administer, AdministerKeys, AdministerTenant, ReadEnvironments, ReadWebhooks, AdministerWebhooks
        let matrix = [
            (Role::SuperAdmin, [yes, yes, yes, yes, no, yes, yes, yes]),
            (Role::TenantAdmin, [no, no, no, yes, yes, yes, no, no]),
            (Role::WebhookAdmin, [no, no, no, no, no, no, yes, yes]),
            (Role::AllWriter, [yes, yes, no, no, no, yes, yes, no]),
            (Role::AllReader, [yes, no, no, no, no, yes, yes, no]),
        ];
        assert_eq!(matrix.map(|(role, _)| role), Role::ALL);
        for (role, permitted) in matrix {
            let roles = Roles::new([role]).unwrap();
            assert_eq!(Permission::ALL.map(|permission| roles.permit(permission)), permitted, "{role}");
        }
        for permission in Permission::ALL {
            for role in Role::ALL {
                let named = permission.roles().split([',', ' ']).any(|word| word == role.as_str());
                assert_eq!(named, role.permits(permission), "{role} {permission:?}");
            }
        }
    }

    #[test]
    fn each_role_grants_exactly_its_roles() {
        let one = |role| Roles::new([role]).unwrap();
        let (yes, no) = (true, false);
        // super_admin, tenant_admin, webhook_admin, all_writer, all_reader
        let matrix = [
            (Role::SuperAdmin, [yes, no, yes, yes, yes]),
            (Role::TenantAdmin, [yes, yes, yes, yes, yes]),
            (Role::WebhookAdmin, [no, no, yes, no, no]),
            (Role::AllWriter, [no, no, no, yes, yes]),
            (Role::AllReader, [no, no, no, no, yes]),
        ];
        for (role, granted) in matrix {
            let grants = |other: &Role| one(role).may_grant(&one(*other));
            assert_eq!(Role::ALL.iter().map(grants).collect::<Vec<_>>(), granted, "{role}");
        }
        assert!(!one(Role::AllReader).may_grant(&Roles::new([Role::AllReader, Role::AllWriter]).unwrap()));
    }

    #[test]
    fn roles_are_a_set_with_at_least_one() {
        assert_eq!(Roles::new([]), Err(NoRole));
        let both = Roles::new([Role::AllReader, Role::AllWriter, Role::AllReader]).unwrap();
        assert_eq!(both.iter().collect::<Vec<_>>(), [Role::AllWriter, Role::AllReader]);
        assert!(both.permit(Permission::Write));
    }
}
