//! The operations about erasures, with permission checks.

use std::sync::Arc;

use super::{
    Bundle, CancelDeletion, Category, CategoryCount, Cooldown, CustomerRetention, DeletionQuery, DeletionReason,
    DeletionRequest, DeletionState, Due, DueReason, NamedSubject, NewDeletionRequest, PrivacyError, PrivacyRepository,
    PutRetention, Receipt, ReceiptKey, ReceiptSigner, RequestChannel, Requested, Retention, RetentionSetting,
    SignedReceipt,
};
use crate::{
    clock::Clock,
    event::{EventEntity, EventLog, EventRecord},
    ids::{CustomerId, DeletionRequestId, IdGenerator},
    lifecycle::Precondition,
    page::PageRequest,
    tenancy::{Caller, EnvironmentScope, Permission},
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
///     retention: store.clone(),
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
    /// The retention of environments, in the same store.
    pub retention: Arc<dyn CustomerRetention>,
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
    /// Requests the deletion of a customer, which suppresses it at once. The report of a dry run gets the numbers of records
    /// that its erasure would redact.
    ///
    /// # Errors
    /// When the caller lacks the permission, there is no such customer, something blocks its erasure, or the store fails.
    pub async fn request(
        &self,
        caller: &Caller,
        (subject, channel, cooldown, reason): (NamedSubject, RequestChannel, Cooldown, Option<DeletionReason>),
    ) -> Result<Requested, PrivacyError> {
        let scope = caller.authorise(Permission::Administer)?;
        match scope.origin.is_dry_run() {
            true => self.signer.open_existing().await?,
            false => self.signer.open().await?,
        }
        let (at, has_reason) = (self.clock.now(), reason.is_some());
        let ids = scope.origin.ids(&*self.ids, at);
        let new = NewDeletionRequest { subject: subject.clone(), channel, cooldown, reason, ids, at };
        let requested = self.privacy.request(scope, new).await?;
        if let Some(report) = scope.origin.report().filter(|report| report.is_dry_run() && requested.is_new) {
            report.would_redact(self.would_redact(scope, subject, has_reason).await?);
        }
        Ok(requested)
    }

    /// The number of records that the erasure of a customer would redact, by category. A new request has a reason, too.
    async fn would_redact(
        &self,
        scope: &EnvironmentScope,
        subject: NamedSubject,
        has_reason: bool,
    ) -> Result<Vec<CategoryCount>, PrivacyError> {
        // Without the report, which describes the request.
        let scope = EnvironmentScope::new(scope.owner, scope.actor.clone());
        let counts = self.privacy.personal_data(&scope, subject).await?.ok_or(PrivacyError::UnknownCustomer)?;
        let with_reason = |count: CategoryCount| match count.category {
            Category::DeletionRequests => CategoryCount { redacted: count.redacted + u64::from(has_reason), ..count },
            _ => count,
        };
        Ok(counts.into_iter().map(with_reason).collect())
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
        let ids = scope.origin.ids(&*self.ids, at);
        self.privacy.cancel(scope, id, CancelDeletion { ids, at, only_if }).await
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
            why: request.channel.into(),
        };
        let mut due: Vec<_> = requests.iter().map(due).collect();
        let setting = self.retention.setting(scope).await?;
        if let Some(days) = setting.and_then(|setting| setting.retention.archived_days) {
            let retained = self.retention.retained(scope, limit).await?.into_iter();
            let why = DueReason::Retention;
            due.extend(retained.map(|(customer_id, from)| Due { customer_id, due_at: days.end(from), why }));
        }
        due.sort_by_key(|due| (due.due_at, due.customer_id));
        due.truncate(limit.into());
        Ok(due)
    }

    /// The retention of the caller's environment; `None` if it is not set.
    ///
    /// # Errors
    /// When the caller lacks the permission, or the store fails.
    pub async fn retention(&self, caller: &Caller) -> Result<Option<RetentionSetting>, PrivacyError> {
        let scope = caller.authorise(Permission::Administer)?;
        Ok(self.retention.setting(scope).await?)
    }

    /// Sets the retention of the caller's environment. An empty one deletes the setting.
    ///
    /// # Errors
    /// When the caller lacks the permission, the setting has another version, or the store fails.
    pub async fn put_retention(
        &self,
        caller: &Caller,
        retention: Retention,
        only_if: Precondition,
    ) -> Result<RetentionSetting, PrivacyError> {
        let scope = caller.authorise(Permission::Administer)?;
        self.retention.put(scope, PutRetention { retention, at: self.clock.now(), only_if }).await
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
