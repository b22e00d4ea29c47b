//! The port for retention.

use async_trait::async_trait;

use super::{
    Cooldown, NamedSubject, NewDeletionRequest, PrivacyError, PutRetention, RequestChannel, Retention, RetentionSetting,
};
use crate::{
    ids::{CustomerId, DeletionRequestId, EventId, IdSequence},
    lifecycle::Owner,
    store::StoreError,
    tenancy::{EnvironmentScope, SystemScope},
    time::Timestamp,
};

/// One bounded step of the retention of an environment.
///
/// ```
/// use patron_domain::{ids::IdSequence, privacy::RetentionStep, testkit::{a_time, an_owner}};
///
/// let step = RetentionStep {
///     owner: an_owner(),
///     before: a_time(),
///     ids: IdSequence::start(a_time(), [0; 10]),
///     at: a_time(),
///     limit: 32,
/// };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionStep {
    /// The environment.
    pub owner: Owner,
    /// The retention of data from this time or earlier has ended.
    pub before: Timestamp,
    /// The ids for new objects.
    pub ids: IdSequence,
    /// The time.
    pub at: Timestamp,
    /// The most customers.
    pub limit: u16,
}

impl RetentionStep {
    /// The request for the deletion of a customer whose retention has ended. It has no cool-down, and ids of its own.
    ///
    /// ```
    /// use patron_domain::{
    ///     ids::IdSequence,
    ///     privacy::{RequestChannel, RetentionStep},
    ///     testkit::{a_time, an_id, an_owner},
    /// };
    ///
    /// let ids = IdSequence::start(a_time(), [0; 10]);
    /// let mut step = RetentionStep { owner: an_owner(), before: a_time(), ids, at: a_time(), limit: 32 };
    /// let request = step.request(an_id(1));
    /// assert_eq!((request.channel, request.cooldown.days()), (RequestChannel::Retention, 0));
    /// ```
    pub fn request(&mut self, customer: CustomerId) -> NewDeletionRequest {
        let ids = self.ids;
        // A decision takes an id for the event and one for the request.
        let _: (EventId, DeletionRequestId) = (self.ids.next_id(), self.ids.next_id());
        NewDeletionRequest {
            subject: NamedSubject::Id(customer),
            channel: RequestChannel::Retention,
            cooldown: Cooldown::NONE,
            reason: None,
            ids,
            at: self.at,
        }
    }
}

/// How long environments keep archived customers and former external ids. It works on the same data as
/// [`PrivacyRepository`](super::PrivacyRepository).
///
/// Every method MUST see only data in its scope, and be atomic and durable when it returns.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{privacy::CustomerRetention, testkit::{MemoryStore, a_scope}};
///
/// # futures::executor::block_on(async {
/// let retention: Arc<dyn CustomerRetention> = Arc::new(MemoryStore::default());
/// assert_eq!(retention.setting(&a_scope()).await, Ok(None));
/// # });
/// ```
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait CustomerRetention: Send + Sync {
    /// The retention of the scope; `None` if it is not set.
    async fn setting(&self, scope: &EnvironmentScope) -> Result<Option<RetentionSetting>, StoreError>;

    /// Decides by [`PutRetention::decide`], and sets the retention. An empty [`Retention`] deletes the setting; without a
    /// setting it changes nothing.
    async fn put(&self, scope: &EnvironmentScope, put: PutRetention) -> Result<RetentionSetting, PrivacyError>;

    /// The customers of the scope that retention counts, those first that count longest:
    /// [`retained_from`](crate::customer::CustomerAggregate::retained_from).
    async fn retained(&self, scope: &EnvironmentScope, limit: u16) -> Result<Vec<(CustomerId, Timestamp)>, StoreError>;

    /// The retention of every environment that has one, except those of suspended tenants.
    async fn settings(&self, scope: &SystemScope) -> Result<Vec<(Owner, Retention)>, StoreError>;

    /// Requests the deletion of customers that retention counts since [`RetentionStep::before`] or longer, by
    /// [`NewDeletionRequest::decide`](super::NewDeletionRequest::decide) without a cool-down, those first that count
    /// longest. It MUST leave out customers whose erasure is blocked. Returns the number of requests.
    async fn request_old(&self, scope: &SystemScope, step: RetentionStep) -> Result<u64, PrivacyError>;

    /// Removes former external ids whose terms ended at [`RetentionStep::before`] or earlier, by
    /// [`without_former_ids`](crate::customer::CustomerAggregate::without_former_ids): they then find nothing. Returns the
    /// number of changed customers.
    async fn forget_former_ids(&self, scope: &SystemScope, step: RetentionStep) -> Result<u64, StoreError>;
}
