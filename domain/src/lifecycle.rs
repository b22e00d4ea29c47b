//! What every stored thing carries: whose it is, its status, its version, and who changed it when.

use crate::{
    ids::{EnvironmentId, TenantId},
    tenancy::Actor,
    time::Timestamp,
    words::words,
};

/// Whose a thing is: one environment of one tenant.
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

/// Whether a thing is in use.
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
    /// Put away: still found by its id, frees what it held uniquely.
    Archived,
    /// Deleted.
    Deleted,
}

words!(Status, "published, archived, deleted", Published => "published", Archived => "archived", Deleted => "deleted");

/// The number of changes an aggregate has seen, without gaps: 1 when created, one more with each change. It numbers the
/// aggregate's events and is its version.
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
    /// The version of what was just created.
    pub const FIRST: Self = Self(1);

    /// Takes back a stored number; `None` below 1.
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

/// Who created and last changed a thing, and when.
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
    /// When it was last changed; the time of its creation at first.
    pub updated_at: Timestamp,
    /// Who changed it last; who created it at first.
    pub updated_by: Actor,
}

impl Audit {
    /// Of a thing created now.
    #[must_use]
    pub fn created(at: Timestamp, by: &Actor) -> Self {
        Self { created_at: at, created_by: by.clone(), updated_at: at, updated_by: by.clone() }
    }

    /// Notes a change. A clock that was set back does not take the time of the last change back.
    pub fn touch(&mut self, at: Timestamp, by: &Actor) {
        self.updated_at = self.updated_at.max(at);
        self.updated_by = by.clone();
    }
}
