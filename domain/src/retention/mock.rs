//! Ready-made mocks of the retention port.

use super::MockRetentionStore;
use crate::store::StoreError;

/// The error of a mocked store that is never available.
fn unavailable() -> StoreError {
    StoreError::unavailable("this mock is never available")
}

impl MockRetentionStore {
    /// A store in which nothing is old enough to remove.
    #[must_use]
    pub fn empty() -> Self {
        let mut retention = Self::new();
        retention.expect_remove_kept_answers().returning(|_, _, _| Ok(0));
        retention.expect_remove_events().returning(|_, _, _, _| Ok(0));
        retention
    }

    /// A store that cannot be reached.
    #[must_use]
    pub fn always_unavailable() -> Self {
        let mut retention = Self::new();
        retention.expect_remove_kept_answers().returning(|_, _, _| Err(unavailable()));
        retention.expect_remove_events().returning(|_, _, _, _| Err(unavailable()));
        retention
    }
}
