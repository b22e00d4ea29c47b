//! Ready-made mocks of the housekeeping port.

use super::MockHousekeeping;
use crate::store::StoreError;

/// The error of a mocked store that is never available.
fn unavailable() -> StoreError {
    StoreError::unavailable("this mock is never available")
}

impl MockHousekeeping {
    /// A store in which nothing is old enough to remove.
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
