//! Roles: what a caller may do.

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
    /// Everything, keys included.
    SuperAdmin,
    /// Reads and writes, no keys.
    AllWriter,
    /// Reads.
    AllReader,
}

words!(
    Role, "super_admin, all_writer, all_reader",
    SuperAdmin => "super_admin", AllWriter => "all_writer", AllReader => "all_reader",
);

/// Something a caller may or may not do.
///
/// ```
/// use patron_domain::tenancy::{Permission, Roles};
///
/// assert!(Roles::super_admin().permit(Permission::Administer));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// Look at customers, taxes and mappings.
    Read,
    /// Change them.
    Write,
    /// Look at, make and revoke API keys, and change environments.
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

/// One or more roles, each once.
///
/// ```
/// use patron_domain::tenancy::{Permission, Role, Roles};
///
/// let reader = Roles::new([Role::AllReader]).unwrap();
/// assert!(reader.permit(Permission::Read) && !reader.permit(Permission::Write));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roles(Vec<Role>);

/// The roles of a key whose maker names none: `all_writer`, which does all of a client's work and makes no keys.
impl Default for Roles {
    fn default() -> Self {
        Self(vec![Role::AllWriter])
    }
}

/// A list of roles is empty.
///
/// ```
/// use patron_domain::tenancy::{NoRole, Roles};
///
/// assert_eq!(Roles::new([]), Err(NoRole));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("roles must name at least one of: super_admin, all_writer, all_reader")]
pub struct NoRole;

impl Rule for NoRole {
    fn rule(&self) -> &'static str {
        "required"
    }
}

impl Roles {
    /// Takes at least one role; repeated ones count once.
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

    /// Whether these roles permit everything that others permit: nobody hands out more than they have.
    #[must_use]
    pub fn cover(&self, others: &Self) -> bool {
        Permission::ALL.iter().all(|permission| self.permit(*permission) || !others.permit(*permission))
    }

    /// Whether one of the roles permits it.
    #[must_use]
    pub fn permit(&self, permission: Permission) -> bool {
        self.0.iter().any(|role| role.permits(permission))
    }

    /// The roles, in a fixed order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Role> {
        self.0.iter().copied()
    }
}

/// A caller may not do what was asked.
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
    /// A key was asked for that may do more than its maker.
    #[error("nobody can grant more than they may do themselves; leave out the roles that the caller lacks")]
    MoreThanOwn,
    /// The client named an environment that is not the caller's.
    #[error("the caller belongs to another environment than the one that is asked for")]
    Environment,
}

#[cfg(test)]
mod tests {
    use super::{NoRole, Permission, Role, Roles};

    #[test]
    fn each_role_permits_what_it_says() {
        use Permission::{Administer, Read, Write};
        let permitted = |role| [Read, Write, Administer].map(|p| Roles::new([role]).unwrap().permit(p));
        assert_eq!(permitted(Role::SuperAdmin), [true, true, true]);
        assert_eq!(permitted(Role::AllWriter), [true, true, false]);
        assert_eq!(permitted(Role::AllReader), [true, false, false]);
    }

    #[test]
    fn roles_cover_what_permits_no_more() {
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
