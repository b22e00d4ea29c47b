//! The port that stores endpoints and deliveries.

use async_trait::async_trait;

use super::{
    delivery::{Delivery, DeliveryStatus},
    endpoint::{ChangeEndpoint, WebhookEndpoint},
    error::WebhookError,
    health::{DisabledReason, Health},
};
use crate::{
    event::EventCursor,
    idempotency::{CallersClaim, Done, OnceError},
    ids::{WebhookDeliveryId, WebhookEndpointId},
    lifecycle::{Owner, Precondition},
    page::{Page, PageRequest},
    shares::Shares,
    store::StoreError,
    tenancy::{EnvironmentScope, Quota, SystemScope},
    time::Timestamp,
};

/// Selects deliveries of an endpoint for a list, the newest first.
///
/// ```
/// use patron_domain::webhook::{DeliveryQuery, DeliveryStatus};
///
/// let failed = DeliveryQuery { status: Some(DeliveryStatus::Failed), limit: 50, ..DeliveryQuery::default() };
/// assert_eq!(failed.before, None);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryQuery {
    /// Only deliveries with this status.
    pub status: Option<DeliveryStatus>,
    /// Only deliveries created before this one.
    pub before: Option<WebhookDeliveryId>,
    /// The maximum number of results.
    pub limit: u16,
}

/// A request for the leases of endpoints that have work.
///
/// ```
/// use std::time::Duration;
/// use patron_domain::{tenancy::SystemScope, testkit::*, webhook::{LeaseClaim, WebhookRepository}};
///
/// let (now, until) = (a_time(), a_time().later(Duration::from_secs(60)));
/// let claim = LeaseClaim { holder: "relay 1".to_owned(), now, until, serving: vec![], places: 10 };
/// let store = MemoryStore::default();
/// let claimed = futures::executor::block_on(store.claim(&SystemScope::patron(), claim)).unwrap();
/// assert!(claimed.is_empty());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseClaim {
    /// The relay process that makes the request.
    pub holder: String,
    /// The current time.
    pub now: Timestamp,
    /// The end of the leases.
    pub until: Timestamp,
    /// The endpoints that it already serves, and their owners.
    pub serving: Vec<(WebhookEndpointId, Owner)>,
    /// The maximum number of endpoints that it serves, including these.
    pub places: u16,
}

impl LeaseClaim {
    /// Whether the relay already serves an endpoint.
    #[must_use]
    pub fn serves(&self, id: WebhookEndpointId) -> bool {
        self.serving.iter().any(|(served, _)| *served == id)
    }

    /// Chooses the endpoints to lease of those that have work, the longest waiting first. Environments share the places
    /// as [`Shares`] decides. `P` identifies an environment in the store; `served` has one entry for each endpoint that
    /// the relay already serves.
    #[must_use]
    pub fn choose<P: Ord + Clone, K>(&self, served: impl IntoIterator<Item = P>, waiting: Vec<(P, K)>) -> Vec<(P, K)> {
        let mut shares = Shares::new(self.places.into());
        served.into_iter().for_each(|environment| shares.take(environment));
        shares.hand_out(waiting)
    }
}

/// The result of a round at an endpoint, written in full or not at all.
///
/// ```
/// use patron_domain::{event::EventCursor, tenancy::SystemScope, testkit::*, webhook::*};
///
/// let endpoint = a_webhook_endpoint();
/// let round = RoundRecord {
///     owner: endpoint.owner,
///     endpoint_id: endpoint.id,
///     holder: "relay 1".to_owned(),
///     fresh: vec![a_delivery(1)],
///     changed: vec![],
///     position: EventCursor::START,
///     health: Health::default(),
///     disabled: None,
///     at: a_time(),
///     lease_until: None,
/// };
/// // Nothing is written without a lease.
/// let store = MemoryStore::default();
/// assert_eq!(futures::executor::block_on(store.record(&SystemScope::patron(), round)), Ok(false));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundRecord {
    /// The endpoint's environment.
    pub owner: Owner,
    /// The endpoint.
    pub endpoint_id: WebhookEndpointId,
    /// The holder of the endpoint's lease.
    pub holder: String,
    /// Deliveries that are not stored yet.
    pub fresh: Vec<Delivery>,
    /// Stored deliveries that have changed.
    pub changed: Vec<Delivery>,
    /// The place after the last event that was delivered to the endpoint or waits for it.
    pub position: EventCursor,
    /// The endpoint's health.
    pub health: Health,
    /// Why to disable the endpoint, if at all.
    pub disabled: Option<DisabledReason>,
    /// The time of the round's end.
    pub at: Timestamp,
    /// The new end of the lease; `None` releases it.
    pub lease_until: Option<Timestamp>,
}

/// Stores endpoints and their deliveries. Every method MUST be atomic, and durable when it returns.
///
/// Methods with a claim MUST write its record together with the work, and nothing when they refuse. If the claim
/// already has a record, they MUST do nothing and return the stored result without secrets, whatever has changed since.
/// A record of a different request MUST be refused.
///
/// If the origin of a scope asks for a [dry run](crate::tenancy::Origin::is_dry_run), a write MUST return what it would
/// return now, and leave nothing behind.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{tenancy::Quota, testkit::*, webhook::WebhookRepository};
///
/// # futures::executor::block_on(async {
/// let webhooks: Arc<dyn WebhookRepository> = Arc::new(MemoryStore::default());
/// let endpoint = a_webhook_endpoint();
/// webhooks.create_endpoint(&a_scope(), endpoint.clone(), Quota::UNLIMITED, None).await.unwrap();
/// assert_eq!(webhooks.find_endpoint(&a_scope(), endpoint.id).await, Ok(Some(endpoint)));
/// # });
/// ```
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait WebhookRepository: Send + Sync {
    /// Writes a new endpoint of the scope's environment, whatever owner the value has.
    ///
    /// This MUST return the error of [`check_endpoints`](super::check_endpoints) for the number of endpoints that are not
    /// deleted. Concurrent calls MAY exceed the maximum together.
    async fn create_endpoint(
        &self,
        scope: &EnvironmentScope,
        endpoint: WebhookEndpoint,
        quota: Quota,
        claim: Option<CallersClaim>,
    ) -> Result<Done<WebhookEndpoint>, WebhookError>;

    /// The endpoints of the scope's environment that are not deleted, the newest first; ids break ties.
    async fn endpoints(&self, scope: &EnvironmentScope, page: PageRequest)
    -> Result<Page<WebhookEndpoint>, StoreError>;

    /// An endpoint of the scope's environment; `None` when there is none with this id or it was deleted.
    async fn find_endpoint(
        &self,
        scope: &EnvironmentScope,
        id: WebhookEndpointId,
    ) -> Result<Option<WebhookEndpoint>, StoreError>;

    /// An endpoint of any environment, for the command line.
    async fn find_any_endpoint(
        &self,
        scope: &SystemScope,
        id: WebhookEndpointId,
    ) -> Result<Option<WebhookEndpoint>, StoreError>;

    /// Changes an endpoint: calls [`ChangeEndpoint::decide`] with the locked row, writes the result unless it is the same,
    /// and returns it.
    /// Position and lease MUST stay as they are. For an endpoint that does not exist or was deleted, this MUST return
    /// [`WebhookError::UnknownEndpoint`].
    async fn change_endpoint(
        &self,
        scope: &EnvironmentScope,
        change: ChangeEndpoint,
        claim: Option<CallersClaim>,
    ) -> Result<Done<WebhookEndpoint>, WebhookError>;

    /// Deletes an endpoint of the scope's environment, with its secrets; `None` when there was none. It MUST return
    /// [`WebhookError::VersionConflict`] unless `only_if` holds for [`WebhookEndpoint::version`]. Waiting deliveries are no
    /// longer sent. Deliveries MAY stay until [`Self::remove_deliveries`] removes them.
    async fn delete_endpoint(
        &self,
        scope: &EnvironmentScope,
        id: WebhookEndpointId,
        at: Timestamp,
        only_if: Precondition,
        claim: Option<CallersClaim>,
    ) -> Result<Option<Done<()>>, WebhookError>;

    /// Deliveries of an endpoint, the newest first by their ids.
    async fn deliveries(
        &self,
        scope: &EnvironmentScope,
        id: WebhookEndpointId,
        query: DeliveryQuery,
    ) -> Result<Vec<Delivery>, StoreError>;

    /// Writes new deliveries of an endpoint of the scope's environment, and returns their number. `at` is the time of
    /// the claim's record.
    async fn add_deliveries(
        &self,
        scope: &EnvironmentScope,
        deliveries: Vec<Delivery>,
        at: Timestamp,
        claim: Option<CallersClaim>,
    ) -> Result<Done<u64>, OnceError>;

    /// Writes the delivery of a test, and returns it.
    async fn add_test(
        &self,
        scope: &EnvironmentScope,
        test: Delivery,
        claim: Option<CallersClaim>,
    ) -> Result<Done<Delivery>, OnceError>;

    /// Turns failed deliveries of an endpoint into waiting replays that have no attempts yet and are due now: the
    /// oldest first, at most `limit`. Returns their number.
    async fn retry_failed(
        &self,
        scope: &EnvironmentScope,
        id: WebhookEndpointId,
        at: Timestamp,
        limit: u32,
        claim: Option<CallersClaim>,
    ) -> Result<Done<u64>, OnceError>;

    /// Leases endpoints of any environment that have work: events after their position, or a delivery that is due.
    /// [`LeaseClaim::choose`] MUST choose them, so that no environment blocks another.
    ///
    /// Endpoints that are disabled, deleted, paused, of a suspended tenant or listed as served MUST NOT be returned,
    /// nor those that another holder has leased beyond the current time. Of concurrent claims no two MUST get the same
    /// endpoint. The holder's own leases MAY be returned again, so that a relay that restarts under the same name
    /// resumes its work.
    async fn claim(&self, scope: &SystemScope, claim: LeaseClaim) -> Result<Vec<WebhookEndpoint>, StoreError>;

    /// Extends a lease; `false` when another holder has it now, or the endpoint is disabled, deleted, or of a
    /// suspended tenant.
    async fn renew(
        &self,
        scope: &SystemScope,
        id: WebhookEndpointId,
        holder: &str,
        until: Timestamp,
    ) -> Result<bool, StoreError>;

    /// The waiting deliveries of an endpoint: the earliest `first` of the first deliveries in log order, and at most
    /// `replays` of the replays that are due.
    async fn waiting(
        &self,
        scope: &EnvironmentScope,
        id: WebhookEndpointId,
        now: Timestamp,
        first: u32,
        replays: u32,
    ) -> Result<Vec<Delivery>, StoreError>;

    /// Writes the result of a round: deliveries, position and health together. When another holder has the lease now,
    /// the endpoint was deleted, or the log [was taken back](EventCursor::was_taken_back) behind the round's position,
    /// this MUST write nothing and return `false`. The relay then continues from the stored position.
    async fn record(&self, scope: &SystemScope, record: RoundRecord) -> Result<bool, StoreError>;

    /// Removes delivered and failed deliveries of any environment that were last changed before a time, and waiting
    /// ones of deleted endpoints: at most `limit`. Returns their number.
    async fn remove_deliveries(
        &self,
        scope: &SystemScope,
        changed_before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError>;
}
