//! The operations about erasures, with permission checks.

use std::sync::Arc;

use super::{
    CancelDeletion, CategoryCount, Cooldown, DeletionQuery, DeletionReason, DeletionRequest, NamedSubject,
    NewDeletionRequest, PrivacyError, PrivacyRepository, Receipt, RequestChannel, Requested,
};
use crate::{
    clock::Clock,
    ids::{DeletionRequestId, IdGenerator},
    lifecycle::Precondition,
    tenancy::{Caller, Permission},
};

/// Requests for deletion, for callers with the role `super_admin`.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{
///     privacy::{NamedSubject, PrivacyError, PrivacyService, RequestChannel},
///     testkit::{CountingIds, FixedClock, MemoryStore, a_caller, an_id},
/// };
///
/// # futures::executor::block_on(async {
/// let service = PrivacyService {
///     privacy: Arc::new(MemoryStore::default()),
///     clock: Arc::new(FixedClock::default()),
///     ids: Arc::new(CountingIds::default()),
/// };
/// let asked = (NamedSubject::Id(an_id(1)), RequestChannel::Api, Default::default(), None);
/// assert_eq!(service.request(&a_caller(), asked).await, Err(PrivacyError::UnknownCustomer));
/// # });
/// ```
#[derive(Clone)]
pub struct PrivacyService {
    /// The store.
    pub privacy: Arc<dyn PrivacyRepository>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of new ids.
    pub ids: Arc<dyn IdGenerator>,
}

impl PrivacyService {
    /// Requests the deletion of a customer, which suppresses it at once.
    ///
    /// # Errors
    /// When the caller may not, there is no such customer, something blocks its erasure, or the store fails.
    pub async fn request(
        &self,
        caller: &Caller,
        (subject, channel, cooldown, reason): (NamedSubject, RequestChannel, Cooldown, Option<DeletionReason>),
    ) -> Result<Requested, PrivacyError> {
        let scope = caller.authorise(Permission::Administer)?;
        let at = self.clock.now();
        let new = NewDeletionRequest { subject, channel, cooldown, reason, ids: self.ids.start(at), at };
        self.privacy.request(scope, new).await
    }

    /// A request.
    ///
    /// # Errors
    /// When the caller may not, there is no such request, or the store fails.
    pub async fn find(&self, caller: &Caller, id: DeletionRequestId) -> Result<DeletionRequest, PrivacyError> {
        let scope = caller.authorise(Permission::Administer)?;
        self.privacy.find(scope, id).await?.ok_or(PrivacyError::UnknownRequest)
    }

    /// The requests of the caller's environment, the newest first.
    ///
    /// # Errors
    /// When the caller may not, or the store fails.
    pub async fn requests(&self, caller: &Caller, query: DeletionQuery) -> Result<Vec<DeletionRequest>, PrivacyError> {
        let scope = caller.authorise(Permission::Administer)?;
        Ok(self.privacy.requests(scope, query).await?)
    }

    /// Cancels a request: the customer is visible again.
    ///
    /// # Errors
    /// When the caller may not, there is no such request, it cannot be cancelled any more, or the store fails.
    pub async fn cancel(
        &self,
        caller: &Caller,
        id: DeletionRequestId,
        only_if: Precondition,
    ) -> Result<DeletionRequest, PrivacyError> {
        let scope = caller.authorise(Permission::Administer)?;
        let at = self.clock.now();
        self.privacy.cancel(scope, id, CancelDeletion { ids: self.ids.start(at), at, only_if }).await
    }

    /// What the deletion of a customer would redact now.
    ///
    /// # Errors
    /// When the caller may not, there is no such customer, or the store fails.
    pub async fn personal_data(
        &self,
        caller: &Caller,
        subject: NamedSubject,
    ) -> Result<Vec<CategoryCount>, PrivacyError> {
        let scope = caller.authorise(Permission::Administer)?;
        self.privacy.personal_data(scope, subject).await?.ok_or(PrivacyError::UnknownCustomer)
    }

    /// The content of the receipt of a completed request.
    ///
    /// # Errors
    /// When the caller may not, there is no such request, it is not completed, or the store fails.
    pub async fn receipt(&self, caller: &Caller, id: DeletionRequestId) -> Result<Receipt, PrivacyError> {
        let request = self.find(caller, id).await?;
        Receipt::of(&request, self.privacy.storage()).ok_or(PrivacyError::NoReceipt)
    }
}
