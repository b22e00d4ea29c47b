//! The operations about erasures, with permission checks.

use std::sync::Arc;

use super::{
    Bundle, CancelDeletion, CategoryCount, Cooldown, DeletionQuery, DeletionReason, DeletionRequest, DeletionState,
    Due, DueReason, NamedSubject, NewDeletionRequest, PrivacyError, PrivacyRepository, Receipt, ReceiptKey,
    ReceiptSigner, RequestChannel, Requested, SignedReceipt,
};
use crate::{
    clock::Clock,
    event::{EventEntity, EventLog, EventRecord},
    ids::{CustomerId, DeletionRequestId, IdGenerator},
    lifecycle::Precondition,
    page::PageRequest,
    tenancy::{Caller, Permission},
};

/// Requests for deletion, for callers with the role `super_admin`.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{
///     privacy::{MockReceiptSigner, NamedSubject, PrivacyError, PrivacyService, RequestChannel},
///     testkit::{CountingIds, FixedClock, MemoryStore, a_caller, an_id},
/// };
///
/// # futures::executor::block_on(async {
/// let store = Arc::new(MemoryStore::default());
/// let mut signer = MockReceiptSigner::new();
/// signer.expect_open().returning(|| Ok(()));
/// let service = PrivacyService {
///     privacy: store.clone(),
///     events: store,
///     signer: Arc::new(signer),
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
    /// The event log.
    pub events: Arc<dyn EventLog>,
    /// Signs receipts.
    pub signer: Arc<dyn ReceiptSigner>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of new ids.
    pub ids: Arc<dyn IdGenerator>,
}

impl PrivacyService {
    /// Requests the deletion of a customer, which suppresses it at once.
    ///
    /// # Errors
    /// When the caller lacks the permission, there is no such customer, something blocks its erasure, or the store fails.
    pub async fn request(
        &self,
        caller: &Caller,
        (subject, channel, cooldown, reason): (NamedSubject, RequestChannel, Cooldown, Option<DeletionReason>),
    ) -> Result<Requested, PrivacyError> {
        let scope = caller.authorise(Permission::Administer)?;
        self.signer.open().await?;
        let at = self.clock.now();
        let new = NewDeletionRequest { subject, channel, cooldown, reason, ids: self.ids.start(at), at };
        self.privacy.request(scope, new).await
    }

    /// A request.
    ///
    /// # Errors
    /// When the caller lacks the permission, there is no such request, or the store fails.
    pub async fn find(&self, caller: &Caller, id: DeletionRequestId) -> Result<DeletionRequest, PrivacyError> {
        let scope = caller.authorise(Permission::Administer)?;
        self.privacy.find(scope, id).await?.ok_or(PrivacyError::UnknownRequest)
    }

    /// The requests of the caller's environment, the newest first.
    ///
    /// # Errors
    /// When the caller lacks the permission, or the store fails.
    pub async fn requests(&self, caller: &Caller, query: DeletionQuery) -> Result<Vec<DeletionRequest>, PrivacyError> {
        let scope = caller.authorise(Permission::Administer)?;
        Ok(self.privacy.requests(scope, query).await?)
    }

    /// Cancels a request: the customer is visible again.
    ///
    /// # Errors
    /// When the caller lacks the permission, there is no such request, it can no longer be cancelled, or the store fails.
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

    /// All data about a customer of any status.
    ///
    /// # Errors
    /// When the caller lacks the permission, there is no such customer, or the store fails.
    pub async fn bundle(&self, caller: &Caller, id: CustomerId) -> Result<Bundle, PrivacyError> {
        let scope = caller.authorise(Permission::Administer)?;
        let record = self.privacy.record(scope, id).await?.ok_or(PrivacyError::UnknownCustomer)?;
        let mut history: Vec<EventRecord> = Vec::new();
        loop {
            let offset = u64::try_from(history.len()).unwrap_or(u64::MAX);
            let page = PageRequest::new(PageRequest::MAX_LIMIT.into(), offset).unwrap_or_default();
            let page = self.events.history(scope, EventEntity::Customer(id), page).await?;
            let last = page.items.is_empty();
            history.extend(page.items);
            if last || history.len() as u64 >= page.total {
                break;
            }
        }
        Ok(Bundle { at: self.clock.now(), record, history })
    }

    /// The customers whose data is about to be redacted, those first that are due first.
    ///
    /// # Errors
    /// When the caller lacks the permission, or the store fails.
    pub async fn due(&self, caller: &Caller) -> Result<Vec<Due>, PrivacyError> {
        let scope = caller.authorise(Permission::Administer)?;
        let (state, limit) = (Some(DeletionState::Suppressed), PageRequest::MAX_LIMIT);
        let requests = self.privacy.requests(scope, DeletionQuery { state, before: None, limit }).await?;
        let due = |request: &DeletionRequest| Due {
            customer_id: request.customer_id,
            due_at: request.due_at,
            why: DueReason::Request,
        };
        let mut due: Vec<_> = requests.iter().map(due).collect();
        due.sort_by_key(|due| (due.due_at, due.customer_id));
        Ok(due)
    }

    /// What the deletion of a customer would redact now.
    ///
    /// # Errors
    /// When the caller lacks the permission, there is no such customer, or the store fails.
    pub async fn personal_data(
        &self,
        caller: &Caller,
        subject: NamedSubject,
    ) -> Result<Vec<CategoryCount>, PrivacyError> {
        let scope = caller.authorise(Permission::Administer)?;
        self.privacy.personal_data(scope, subject).await?.ok_or(PrivacyError::UnknownCustomer)
    }

    /// The receipt of a completed request.
    ///
    /// # Errors
    /// When the caller lacks the permission, there is no such request, it is not completed, or the store fails.
    pub async fn receipt(&self, caller: &Caller, id: DeletionRequestId) -> Result<SignedReceipt, PrivacyError> {
        let request = self.find(caller, id).await?;
        let receipt = Receipt::of(&request, self.privacy.storage()).ok_or(PrivacyError::NoReceipt)?;
        self.signer.sign(&receipt).await
    }

    /// The public keys of receipts, the newest first. They are not secret.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn receipt_keys(&self) -> Result<Vec<ReceiptKey>, PrivacyError> {
        self.signer.public_keys().await
    }
}
