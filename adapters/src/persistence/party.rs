//! On whose behalf a database is asked: connections are shared by turns, so that no tenant keeps another one waiting.

use super::value::Key;

/// Whose turn a read or a transaction takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Party {
    /// An environment's, by its number.
    Environment(i32),
    /// A tenant's, where it asks about all of its environments.
    Tenant(Key),
    /// Nobody's in particular: work that serves all of them.
    System,
}

impl From<i32> for Party {
    fn from(environment: i32) -> Self {
        Self::Environment(environment)
    }
}
