//! The parties that take turns at database connections, so that no tenant blocks another.

use super::value::Key;

/// The party whose turn a read or a transaction takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Party {
    /// An environment, by its number.
    Environment(i32),
    /// A tenant, for work over all of its environments.
    Tenant(Key),
    /// The system, for work over all tenants.
    System,
}

impl From<i32> for Party {
    fn from(environment: i32) -> Self {
        Self::Environment(environment)
    }
}
