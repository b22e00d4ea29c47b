//! The port for erasing customers.

use std::collections::HashMap;

use async_trait::async_trait;

use super::{
    CategoryCount, DeletionRequest, DeletionState, NamedSubject, NewDeletionRequest, PersonalRecord, PrivacyError,
    StorageKind,
};
use crate::{
    ids::{CustomerId, DeletionRequestId, IdSequence},
    lifecycle::{Owner, Precondition},
    store::StoreError,
    tenancy::{EnvironmentScope, SystemScope},
    time::Timestamp,
};

/// The outcome of a request for deletion.
///
/// ```
/// use patron_domain::{privacy::Requested, testkit::a_deletion_request};
///
/// let first = Requested { request: a_deletion_request(), is_new: true };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requested {
    /// The request, or the first one.
    pub request: DeletionRequest,
    /// Whether the customer was suppressed now.
    pub is_new: bool,
}

/// Cancelling a request.
///
/// ```
/// use patron_domain::{ids::IdSequence, lifecycle::Precondition, privacy::CancelDeletion, testkit::a_time};
///
/// let ids = IdSequence::start(a_time(), [0; 10]);
/// let cancel = CancelDeletion { ids, at: a_time(), only_if: Precondition::None };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelDeletion {
    /// The ids for new objects.
    pub ids: IdSequence,
    /// The time.
    pub at: Timestamp,
    /// The version that the request must have.
    pub only_if: Precondition,
}

/// Selects requests, the newest first.
///
/// ```
/// use patron_domain::privacy::DeletionQuery;
///
/// let query = DeletionQuery { state: None, before: None, limit: 20 };
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeletionQuery {
    /// Only those in a state.
    pub state: Option<DeletionState>,
    /// Only those with a smaller id.
    pub before: Option<DeletionRequestId>,
    /// The most.
    pub limit: u16,
}

/// Takes requests that are due.
///
/// ```
/// use patron_domain::{privacy::ErasureClaim, testkit::a_time};
///
/// let claim = ErasureClaim {
///     holder: "server 1".to_owned(),
///     now: a_time(),
///     until: a_time(),
///     limit: 8,
///     most_of_one: 4,
///     under_way: Default::default(),
/// };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasureClaim {
    /// The holder of the leases.
    pub holder: String,
    /// The time.
    pub now: Timestamp,
    /// The end of the leases.
    pub until: Timestamp,
    /// The most requests.
    pub limit: u16,
    /// The most of one environment, including those under way.
    pub most_of_one: u16,
    /// The number under way, by environment.
    pub under_way: HashMap<Owner, u16>,
}

impl ErasureClaim {
    /// The most requests of an environment that may be taken.
    #[must_use]
    pub fn room_for(&self, owner: Owner) -> u16 {
        let under_way = self.under_way.get(&owner).copied().unwrap_or_default();
        self.most_of_one.saturating_sub(under_way).min(self.limit)
    }
}

/// One bounded step of the redaction of some requests, under their leases.
///
/// ```
/// use patron_domain::{ids::IdSequence, privacy::RedactionStep, testkit::{a_deletion_request, a_time}};
///
/// let request = a_deletion_request();
/// let step = RedactionStep {
///     owner: request.owner,
///     requests: vec![request.id],
///     holder: "server 1".to_owned(),
///     until: a_time(),
///     ids: IdSequence::start(a_time(), [0; 10]),
///     at: a_time(),
///     limit: 200,
/// };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedactionStep {
    /// The environment.
    pub owner: Owner,
    /// The requests, all of this environment. Many share a transaction.
    pub requests: Vec<DeletionRequestId>,
    /// The holder of the leases.
    pub holder: String,
    /// The new end of the leases.
    pub until: Timestamp,
    /// The ids for new objects.
    pub ids: IdSequence,
    /// The time.
    pub at: Timestamp,
    /// The most records, of all requests together.
    pub limit: u32,
}

/// The outcome of a step for one request.
///
/// ```
/// use patron_domain::{privacy::Redaction, testkit::a_deletion_request};
///
/// let clean = Redaction { request: a_deletion_request(), more: false };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redaction {
    /// The request after the step.
    pub request: DeletionRequest,
    /// Whether there may be more.
    pub more: bool,
}

/// Suppresses and erases customers. It works on the same data as [`crate::customer::CustomerRepository`].
///
/// Every method MUST see only data in its scope, and be atomic and durable when it returns.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{privacy::PrivacyRepository, testkit::{MemoryStore, a_deletion_request, a_scope}};
///
/// # futures::executor::block_on(async {
/// let privacy: Arc<dyn PrivacyRepository> = Arc::new(MemoryStore::default());
/// assert_eq!(privacy.find(&a_scope(), a_deletion_request().id).await, Ok(None));
/// # });
/// ```
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait PrivacyRepository: Send + Sync {
    /// Decides a request by [`NewDeletionRequest::decide`], and suppresses the customer.
    ///
    /// From then on no other port MUST find the customer, by whatever means, nor count it; its events MUST have no
    /// state; its onboarding MUST rest. A create or rename that claims its external id, or a former one, MUST be reported by
    /// [`CustomerFacts::erased`](crate::customer::CustomerFacts::erased), forever. Of concurrent requests about one
    /// customer exactly one MUST be new.
    async fn request(&self, scope: &EnvironmentScope, new: NewDeletionRequest) -> Result<Requested, PrivacyError>;

    /// A request; `None` when the scope has none with this id.
    async fn find(
        &self,
        scope: &EnvironmentScope,
        id: DeletionRequestId,
    ) -> Result<Option<DeletionRequest>, StoreError>;

    /// The request in force about a customer; `None` if there is none or it was cancelled.
    async fn about(
        &self,
        scope: &EnvironmentScope,
        subject: NamedSubject,
    ) -> Result<Option<DeletionRequest>, StoreError>;

    /// The requests of the scope.
    async fn requests(
        &self,
        scope: &EnvironmentScope,
        query: DeletionQuery,
    ) -> Result<Vec<DeletionRequest>, StoreError>;

    /// Cancels a request by [`DeletionRequest::cancel`]. Every other port MUST then return what it returned before,
    /// except for the customer's version. Cancelling twice changes nothing.
    async fn cancel(
        &self,
        scope: &EnvironmentScope,
        id: DeletionRequestId,
        cancel: CancelDeletion,
    ) -> Result<DeletionRequest, PrivacyError>;

    /// All data about a customer, except its events. `None` if the customer is unknown or suppressed.
    async fn record(&self, scope: &EnvironmentScope, id: CustomerId) -> Result<Option<PersonalRecord>, StoreError>;

    /// The number of records in each category that an erasure would redact now. `None` if the customer is unknown or suppressed.
    async fn personal_data(
        &self,
        scope: &EnvironmentScope,
        subject: NamedSubject,
    ) -> Result<Option<Vec<CategoryCount>>, StoreError>;

    /// Leases due requests of any environment, the longest due first, except those of suspended tenants; their state is
    /// [`DeletionState::Redacting`]. A request of a holder that vanishes MUST become due again at the end of its lease.
    async fn claim(&self, scope: &SystemScope, claim: ErasureClaim) -> Result<Vec<DeletionRequest>, StoreError>;

    /// Redacts at most `limit` records. Requests whose lease the holder no longer has are left out, and nothing of them is
    /// written.
    async fn redact(&self, scope: &SystemScope, step: RedactionStep) -> Result<Vec<Redaction>, StoreError>;

    /// Counts what is left, and ends each request by [`DeletionRequest::verified`], together with the event
    /// [`DeletionRequest::erased_mark`]. It MUST NOT be completed while anything is left. Returns the requests, without
    /// those whose lease the holder no longer has: nothing of them is written.
    async fn verify(&self, scope: &SystemScope, step: RedactionStep) -> Result<Vec<DeletionRequest>, StoreError>;

    /// Removes what the store itself keeps of redacted records, such as a log of changes. Called before [`Self::verify`].
    async fn forget(&self, scope: &SystemScope) -> Result<(), StoreError>;

    /// The kind of store, for receipts.
    fn storage(&self) -> StorageKind;
}
