//! The data that all stored objects have: owner, status, version and audit data.

use std::time::Duration;

use crate::{
    ids::{EnvironmentId, TenantId},
    tenancy::Actor,
    time::Timestamp,
    words::words,
};

/// The owner of an object: one environment of one tenant.
///
/// An environment belongs to one tenant for ever: its id MUST NOT repeat under another tenant. A store may keep both
/// apart or refuse the second, but never shows the data of one to the other.
///
/// ```
/// use patron_domain::{lifecycle::Owner, testkit::{an_id, an_owner}};
///
/// let owner = Owner { tenant_id: an_id(1), environment_id: an_id(2) };
/// assert_ne!(owner, an_owner());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Owner {
    /// The tenant.
    pub tenant_id: TenantId,
    /// The environment.
    pub environment_id: EnvironmentId,
}

impl Owner {
    /// The owner for a tenant and an environment with numbers of your own. Environments may be numbered per tenant: the
    /// environment's id contains the tenant's number, so ids do not repeat.
    ///
    /// ```
    /// use patron_domain::lifecycle::Owner;
    ///
    /// let (one, other) = (Owner::numbered(7, 1), Owner::numbered(8, 1));
    /// assert_ne!(one.environment_id, other.environment_id);
    /// assert_eq!(one.numbers(), Some((7, 1)));
    /// ```
    #[must_use]
    pub const fn numbered(tenant: u64, environment: u64) -> Self {
        // Widening keeps the number; `From` is not const.
        let (high, low) = (tenant as u128, environment as u128);
        Self { tenant_id: TenantId::from_u128(high), environment_id: EnvironmentId::from_u128(high << 64 | low) }
    }

    /// The numbers of the tenant and the environment; `None` unless [`Self::numbered`] made the ids.
    #[must_use]
    pub fn numbers(self) -> Option<(u64, u64)> {
        let environment = self.environment_id.to_u128();
        let tenant =
            u64::try_from(self.tenant_id.to_u128()).ok().filter(|tenant| u128::from(*tenant) == environment >> 64)?;
        Some((tenant, u64::try_from(environment & u128::from(u64::MAX)).ok()?))
    }
}

/// Whether an object is in use.
///
/// ```
/// use patron_domain::lifecycle::Status;
///
/// assert_eq!(Status::parse("archived"), Ok(Status::Archived));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// In use.
    Published,
    /// No longer in use: it can still be found by its id, and its unique values are free.
    Archived,
    /// Deleted.
    Deleted,
}

words!(Status, "published, archived, deleted", Published => "published", Archived => "archived", Deleted => "deleted");

/// The version of an object. For aggregates with events it is the number of changes: 1 when it is created, one more with
/// each change; it numbers the events without gaps. For other objects it is the time of the last change: see
/// [`Audit::version`].
///
/// ```
/// use patron_domain::lifecycle::Version;
///
/// assert_eq!(Version::FIRST.next().get(), 2);
/// assert_eq!(Version::from_stored(0), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(u64);

impl Version {
    /// The version of a new aggregate.
    pub const FIRST: Self = Self(1);

    /// Restores a stored number; `None` below 1.
    #[must_use]
    pub fn from_stored(number: i64) -> Option<Self> {
        u64::try_from(number).ok().filter(|number| *number >= 1).map(Self)
    }

    /// The version after one more change.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }
}

/// The version that an object must have for a change. In HTTP this is RFC 9110, section 13.1.1.
///
/// ```
/// use patron_domain::lifecycle::{Precondition, Version};
///
/// let only_first = Precondition::OneOf(vec![Version::FIRST]);
/// assert!(only_first.holds(Some(Version::FIRST)));
/// assert!(!only_first.holds(Some(Version::FIRST.next())) && !only_first.holds(None));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Precondition {
    /// No condition: the last writer wins.
    #[default]
    None,
    /// The object must exist, at any version (`*`).
    Exists,
    /// The object must be at one of these versions.
    OneOf(Vec<Version>),
    /// The object must not exist yet.
    Absent,
    /// The object must not exist, or be at none of these versions.
    NoneOf(Vec<Version>),
}

impl Precondition {
    /// Whether the condition holds for an object at a version; `None` if there is no such object.
    #[must_use]
    pub fn holds(&self, current: Option<Version>) -> bool {
        match self {
            Self::None => true,
            Self::Exists => current.is_some(),
            Self::OneOf(versions) => current.is_some_and(|current| versions.contains(&current)),
            Self::Absent => current.is_none(),
            Self::NoneOf(versions) => current.is_none_or(|current| !versions.contains(&current)),
        }
    }

    /// Checks the condition.
    ///
    /// # Errors
    /// When it does not hold.
    pub fn check(&self, current: Option<Version>) -> Result<(), VersionConflict> {
        if self.holds(current) { Ok(()) } else { Err(VersionConflict { current }) }
    }
}

/// An object is not at the version that the client expects.
///
/// ```
/// use patron_domain::lifecycle::{Precondition, Version, VersionConflict};
///
/// let conflict = VersionConflict { current: Some(Version::FIRST) };
/// assert_eq!(Precondition::Absent.check(Some(Version::FIRST)), Err(conflict));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it has been changed since; read it again, then repeat the change with its current version")]
pub struct VersionConflict {
    /// The current version; `None` when the object does not exist.
    pub current: Option<Version>,
}

/// Who created and last changed an object, and when.
///
/// ```
/// use patron_domain::{lifecycle::Audit, tenancy::Actor, testkit::a_time};
///
/// let mut audit = Audit::created(a_time(), &Actor::system());
/// audit.touch(a_time(), &Actor::new("somebody").unwrap());
/// assert_ne!(audit.created_by, audit.updated_by);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// When it was created.
    pub created_at: Timestamp,
    /// Who created it.
    pub created_by: Actor,
    /// When it was last changed, or created if it was never changed.
    pub updated_at: Timestamp,
    /// Who last changed it, or created it if it was never changed.
    pub updated_by: Actor,
}

impl Audit {
    /// The audit data of a new object.
    #[must_use]
    pub fn created(at: Timestamp, by: &Actor) -> Self {
        Self { created_at: at, created_by: by.clone(), updated_at: at, updated_by: by.clone() }
    }

    /// Records a change. If the clock was set back, the time of the last change does not go back.
    pub fn touch(&mut self, at: Timestamp, by: &Actor) {
        self.updated_at = self.updated_at.max(at);
        self.updated_by = by.clone();
    }

    /// Records a change of an object whose version is [`Self::version`]: the time of the last change rises.
    pub fn advance(&mut self, at: Timestamp, by: &Actor) {
        self.touch(at.max(self.updated_at.later(Duration::from_micros(1))), by);
    }

    /// The version of an object whose changes are not counted: the time of its last change in microseconds.
    ///
    /// ```
    /// use patron_domain::{lifecycle::Audit, tenancy::Actor, testkit::a_time};
    ///
    /// let mut audit = Audit::created(a_time(), &Actor::system());
    /// let before = audit.version();
    /// audit.advance(a_time(), &Actor::system());
    /// assert!(audit.version() > before);
    /// ```
    #[must_use]
    pub fn version(&self) -> Version {
        Version::from_stored(self.updated_at.micros()).unwrap_or(Version::FIRST)
    }
}
