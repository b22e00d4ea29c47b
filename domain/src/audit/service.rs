//! The operation on the audit log, with its permission check.

use std::sync::Arc;

use super::{AuditEntry, AuditLog, AuditNumber, AuditQuery};
use crate::{
    store::StoreError,
    tenancy::{Caller, Permission, PermissionDenied},
};

/// The audit log of the caller's environment, for `super_admin`.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{audit::{AuditQuery, AuditService}, testkit::{MemoryStore, a_caller}};
///
/// # futures::executor::block_on(async {
/// let service = AuditService { log: Arc::new(MemoryStore::default()) };
/// let page = service.entries(&a_caller(), AuditQuery { before: None, limit: 50 }).await.unwrap();
/// assert_eq!(page.next, None);
/// # });
/// ```
#[derive(Clone)]
pub struct AuditService {
    /// The audit log.
    pub log: Arc<dyn AuditLog>,
}

/// A page of entries, the newest first.
///
/// ```
/// use patron_domain::audit::AuditPage;
///
/// let empty = AuditPage { entries: vec![], next: None };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditPage {
    /// The entries.
    pub entries: Vec<AuditEntry>,
    /// The cursor for the next page; `None` on the last page.
    pub next: Option<AuditNumber>,
}

/// Why the audit log was not read.
///
/// ```
/// use patron_domain::{audit::AuditError, store::StoreError};
///
/// let unavailable = AuditError::from(StoreError::unavailable("busy"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The caller lacks the permission.
    #[error(transparent)]
    Denied(#[from] PermissionDenied),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AuditService {
    /// A page of entries, the newest first.
    ///
    /// # Errors
    /// When the caller is not a `super_admin`, or the store fails.
    pub async fn entries(&self, caller: &Caller, query: AuditQuery) -> Result<AuditPage, AuditError> {
        let scope = caller.authorise(Permission::Administer)?;
        // One more entry shows whether there is a next page.
        let asked = AuditQuery { limit: query.limit.saturating_add(1), ..query };
        let mut entries = self.log.entries(scope, asked).await?;
        let more = entries.len() > usize::from(query.limit);
        entries.truncate(query.limit.into());
        let next = entries.last().map(|last| last.number).filter(|_| more);
        Ok(AuditPage { entries, next })
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::{
        audit::{Act, MockAuditLog},
        tenancy::{Actor, Origin},
        testkit::{a_caller, a_reader, a_time, an_api_key, an_owner},
    };

    fn entry(number: i64) -> AuditEntry {
        let number = AuditNumber::from_stored(number).unwrap();
        AuditEntry::of(
            number,
            an_owner(),
            Act::key_created(&an_api_key()),
            &Actor::system(),
            &Origin::default(),
            a_time(),
        )
    }

    #[test]
    fn every_page_except_the_last_has_a_cursor() {
        for (found, next) in [(2, None), (3, AuditNumber::from_stored(8))] {
            let mut log = MockAuditLog::new();
            log.expect_entries()
                .once()
                .withf(|_, query| query.limit == 3)
                .returning(move |_, _| Ok([9, 8, 7].into_iter().take(found).map(entry).collect()));
            let service = AuditService { log: Arc::new(log) };
            let page = block_on(service.entries(&a_caller(), AuditQuery { before: None, limit: 2 })).unwrap();
            assert_eq!((page.entries.len(), page.next), (2, next));
        }
    }

    #[test]
    fn only_a_super_admin_can_read_the_log() {
        let service = AuditService { log: Arc::new(MockAuditLog::new()) };
        let answer = block_on(service.entries(&a_reader(), AuditQuery { before: None, limit: 2 }));
        assert_eq!(answer, Err(PermissionDenied::Role(Permission::Administer).into()));
    }
}
