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
    /// Everything, including keys.
    SuperAdmin,
    /// Read and write, without keys.
    AllWriter,
    /// Read only.
    AllReader,
}

words!(
    Role, "super_admin, all_writer, all_reader",
    SuperAdmin => "super_admin", AllWriter => "all_writer", AllReader => "all_reader",
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
    /// Read customers, taxes and mappings.
    Read,
    /// Change customers, taxes and mappings.
    Write,
    /// Read, create and revoke API keys, and change environments.
    Administer,
}

impl Permission {
    const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Administer];
}

impl Role {
    fn permits(self, permission: Permission) -> bool {
        match self {
            Self::SuperAdmin => true,
            Self::AllWriter => matches!(permission, Permission::Read | Permission::Write),
            Self::AllReader => matches!(permission, Permission::Read),
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
#[error("roles must have at least one of: super_admin, all_writer, all_reader")]
pub struct NoRole;

impl Rule for NoRole {
    fn rule(&self) -> &'static str {
        "required"
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

    /// The role that permits everything.
    #[must_use]
    pub fn super_admin() -> Self {
        Self(vec![Role::SuperAdmin])
    }

    /// Whether these roles permit everything that the others permit. Callers can grant at most their own rights.
    #[must_use]
    pub fn cover(&self, others: &Self) -> bool {
        Permission::ALL.iter().all(|permission| self.permit(*permission) || !others.permit(*permission))
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
    #[error("{}", match .0 {
        Permission::Read => "the caller may not read; that needs the role all_reader, all_writer or super_admin",
        Permission::Write => "the caller may only read; this needs the role all_writer or super_admin",
        Permission::Administer => "this needs the role super_admin",
    })]
    Role(Permission),
    /// The new key would have more rights than the caller.
    #[error("the caller cannot grant roles that it does not have; leave those roles out")]
    MoreThanOwn,
    /// The client named an environment other than the caller's.
    #[error("the caller belongs to another environment than the requested one")]
    Environment,
}

#[cfg(test)]
mod tests {
    use super::{NoRole, Permission, Role, Roles};

    #[test]
    fn each_role_permits_its_operations() {
        use Permission::{Administer, Read, Write};
        let permitted = |role| [Read, Write, Administer].map(|p| Roles::new([role]).unwrap().permit(p));
        assert_eq!(permitted(Role::SuperAdmin), [true, true, true]);
        assert_eq!(permitted(Role::AllWriter), [true, true, false]);
        assert_eq!(permitted(Role::AllReader), [true, false, false]);
    }

    #[test]
    fn roles_cover_others_that_permit_no_more() {
        let one = |role| Roles::new([role]).unwrap();
        let covered = |roles: &Roles| Role::ALL.iter().map(|role| roles.cover(&one(*role))).collect::<Vec<_>>();
        assert_eq!(covered(&one(Role::SuperAdmin)), [true, true, true]);
        assert_eq!(covered(&one(Role::AllWriter)), [false, true, true]);
        assert_eq!(covered(&one(Role::AllReader)), [false, false, true]);
        assert!(!one(Role::AllReader).cover(&Roles::new([Role::AllReader, Role::AllWriter]).unwrap()));
    }

    #[test]
    fn roles_are_a_set_with_at_least_one() {
        assert_eq!(Roles::new([]), Err(NoRole));
        let both = Roles::new([Role::AllReader, Role::AllWriter, Role::AllReader]).unwrap();
        assert_eq!(both.iter().collect::<Vec<_>>(), [Role::AllWriter, Role::AllReader]);
        assert!(both.permit(Permission::Write));
    }
}
