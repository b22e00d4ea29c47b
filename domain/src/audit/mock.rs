//! Ready-made mocks of the port for the audit log.

use super::MockAuditLog;
use crate::store::StoreError;

fn unavailable() -> StoreError {
    StoreError::unavailable("this mock is never available")
}

impl MockAuditLog {
    /// A log without entries. Counted uses are not kept.
    #[must_use]
    pub fn empty() -> Self {
        let mut log = Self::new();
        log.expect_entries().returning(|_, _| Ok(Vec::new()));
        log.expect_count_uses().returning(|_, _| Ok(()));
        log.expect_forget_addresses().returning(|_, _, _| Ok(0));
        log
    }

    /// A log that cannot be reached: every call returns [`StoreError::Unavailable`].
    #[must_use]
    pub fn always_unavailable() -> Self {
        let mut log = Self::new();
        log.expect_entries().returning(|_, _| Err(unavailable()));
        log.expect_count_uses().returning(|_, _| Err(unavailable()));
        log.expect_forget_addresses().returning(|_, _, _| Err(unavailable()));
        log
    }
}
