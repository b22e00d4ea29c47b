//! Ready-made mocks of the port for clearing away.

use super::MockHousekeeping;
use crate::store::StoreError;

/// What a mocked store says that is never available.
fn unavailable() -> StoreError {
    StoreError::unavailable("the mock always says so")
}

impl MockHousekeeping {
    /// A store in which nothing is old enough to go.
    #[must_use]
    pub fn empty() -> Self {
        let mut housekeeping = Self::new();
        housekeeping.expect_remove_idempotency_records().returning(|_, _, _| Ok(0));
        housekeeping.expect_remove_events().returning(|_, _, _, _| Ok(0));
        housekeeping
    }

    /// A store that cannot be reached.
    #[must_use]
    pub fn always_unavailable() -> Self {
        let mut housekeeping = Self::new();
        housekeeping.expect_remove_idempotency_records().returning(|_, _, _| Err(unavailable()));
        housekeeping.expect_remove_events().returning(|_, _, _, _| Err(unavailable()));
        housekeeping
    }
}
