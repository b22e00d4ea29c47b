//! The port that keeps endpoints and deliveries.

use async_trait::async_trait;

use super::{
    delivery::{Delivery, DeliveryStatus},
    endpoint::{ChangeEndpoint, WebhookEndpoint},
    error::WebhookError,
    health::{DisabledReason, Health},
};
use crate::{
    event::EventPosition,
    idempotency::{CallersClaim, Done, OnceError},
    ids::{WebhookDeliveryId, WebhookEndpointId},
    lifecycle::Owner,
    page::{Page, PageRequest},
    store::StoreError,
    tenancy::{EnvironmentScope, SystemScope},
    time::Timestamp,
};

/// Which deliveries of an endpoint are listed, the newest first.
///
/// ```
/// use patron_domain::webhook::{DeliveryQuery, DeliveryStatus};
///
/// let failed = DeliveryQuery { status: Some(DeliveryStatus::Failed), limit: 50, ..DeliveryQuery::default() };
/// assert_eq!(failed.before, None);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryQuery {
    /// Only those that are this far.
    pub status: Option<DeliveryStatus>,
    /// Only those that were made before this one.
    pub before: Option<WebhookDeliveryId>,
    /// The most that are answered.
    pub limit: u16,
}

/// Asks for endpoints that have something to do.
///
/// ```
/// use std::time::Duration;
/// use patron_domain::{tenancy::SystemScope, testkit::*, webhook::{LeaseClaim, WebhookRepository}};
///
/// let (now, until) = (a_time(), a_time().later(Duration::from_secs(60)));
/// let claim = LeaseClaim { holder: "relay 1".to_owned(), now, until, serving: vec![], limit: 10 };
/// let store = MemoryStore::default();
/// let claimed = futures::executor::block_on(store.claim(&SystemScope::patron(), claim)).unwrap();
/// assert!(claimed.is_empty());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseClaim {
    /// Who asks: one running relay.
    pub holder: String,
    /// The time.
    pub now: Timestamp,
    /// Until when the endpoints are the holder's.
    pub until: Timestamp,
    /// Those that it serves already.
    pub serving: Vec<WebhookEndpointId>,
    /// The most endpoints wanted.
    pub limit: u16,
}

/// What a round at an endpoint is written down as: whole or not at all.
///
/// ```
/// use patron_domain::{event::EventPosition, tenancy::SystemScope, testkit::*, webhook::*};
///
/// let endpoint = a_webhook_endpoint();
/// let round = RoundRecord {
///     owner: endpoint.owner,
///     endpoint_id: endpoint.id,
///     holder: "relay 1".to_owned(),
///     fresh: vec![a_delivery(1)],
///     changed: vec![],
///     position: EventPosition::START,
///     health: Health::default(),
///     disabled: None,
///     at: a_time(),
///     lease_until: None,
/// };
/// // Without a lease nothing is written.
/// let store = MemoryStore::default();
/// assert_eq!(futures::executor::block_on(store.record(&SystemScope::patron(), round)), Ok(false));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundRecord {
    /// The endpoint's environment.
    pub owner: Owner,
    /// The endpoint.
    pub endpoint_id: WebhookEndpointId,
    /// Who holds its lease.
    pub holder: String,
    /// Its deliveries that were not written down before.
    pub fresh: Vec<Delivery>,
    /// Its deliveries that were, and have changed.
    pub changed: Vec<Delivery>,
    /// How far in the log it is.
    pub position: EventPosition,
    /// How it is doing.
    pub health: Health,
    /// Whether it is to be disabled.
    pub disabled: Option<DisabledReason>,
    /// The time.
    pub at: Timestamp,
    /// Until when the lease goes on; `None` gives it back.
    pub lease_until: Option<Timestamp>,
}

/// Keeps endpoints and their deliveries. Every method MUST be atomic, and durable when it answers.
///
/// Methods that take a claim MUST keep its record together with the work, and nothing of it when they refuse. When the
/// claim has a record already, they MUST do nothing and answer what was answered then, without secrets, whatever has
/// changed meanwhile; a record of another request MUST be refused.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{testkit::*, webhook::WebhookRepository};
///
/// # futures::executor::block_on(async {
/// let webhooks: Arc<dyn WebhookRepository> = Arc::new(MemoryStore::default());
/// let endpoint = a_webhook_endpoint();
/// webhooks.create_endpoint(&a_scope(), endpoint.clone(), None).await.unwrap();
/// assert_eq!(webhooks.find_endpoint(&a_scope(), endpoint.id).await, Ok(Some(endpoint)));
/// # });
/// ```
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait WebhookRepository: Send + Sync {
    /// Writes a new endpoint of the scope's environment, whatever owner the value names.
    ///
    /// MUST answer [`WebhookError::TooManyEndpoints`] when there are [`super::MAX_ENDPOINTS`]; concurrent calls MAY
    /// together go beyond.
    async fn create_endpoint(
        &self,
        scope: &EnvironmentScope,
        endpoint: WebhookEndpoint,
        claim: Option<CallersClaim>,
    ) -> Result<Done<WebhookEndpoint>, WebhookError>;

    /// The endpoints of the scope's environment that are not deleted, the newest first, ids breaking ties.
    async fn endpoints(&self, scope: &EnvironmentScope, page: PageRequest)
    -> Result<Page<WebhookEndpoint>, StoreError>;

    /// An endpoint of the scope's environment; `None` when there is none with this id, or it was deleted.
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

    /// Changes an endpoint as [`ChangeEndpoint::decide`] says of its row under lock, and answers it as it is then. The
    /// position and the lease MUST be left alone. MUST answer [`WebhookError::UnknownEndpoint`] for one that is not
    /// there or was deleted.
    async fn change_endpoint(
        &self,
        scope: &EnvironmentScope,
        change: ChangeEndpoint,
        claim: Option<CallersClaim>,
    ) -> Result<Done<WebhookEndpoint>, WebhookError>;

    /// Deletes an endpoint of the scope's environment, with its secrets; `None` when there was none. What waits is not
    /// delivered any more. Its deliveries MAY stay until [`Self::remove_deliveries`] takes them.
    async fn delete_endpoint(
        &self,
        scope: &EnvironmentScope,
        id: WebhookEndpointId,
        at: Timestamp,
        claim: Option<CallersClaim>,
    ) -> Result<Option<Done<()>>, OnceError>;

    /// Deliveries of an endpoint, the newest first by their ids.
    async fn deliveries(
        &self,
        scope: &EnvironmentScope,
        id: WebhookEndpointId,
        query: DeliveryQuery,
    ) -> Result<Vec<Delivery>, StoreError>;

    /// Writes new deliveries of an endpoint of the scope's environment, and answers how many. `at` is the time of the
    /// claim's record.
    async fn add_deliveries(
        &self,
        scope: &EnvironmentScope,
        deliveries: Vec<Delivery>,
        at: Timestamp,
        claim: Option<CallersClaim>,
    ) -> Result<Done<u64>, OnceError>;

    /// Writes the delivery of a test, and answers it.
    async fn add_test(
        &self,
        scope: &EnvironmentScope,
        test: Delivery,
        claim: Option<CallersClaim>,
    ) -> Result<Done<Delivery>, OnceError>;

    /// Makes the failed deliveries of an endpoint wait again, as replays without any attempt that are due now: the oldest
    /// first, at most `limit`. Answers how many.
    async fn retry_failed(
        &self,
        scope: &EnvironmentScope,
        id: WebhookEndpointId,
        at: Timestamp,
        limit: u32,
        claim: Option<CallersClaim>,
    ) -> Result<Done<u64>, OnceError>;

    /// Takes leases of endpoints of any environment that have something to do: events past their position, or a delivery
    /// that is due.
    ///
    /// MUST leave out those that are disabled, deleted, paused, named as being served, or leased by another holder for
    /// longer than now. Of several claims at once no two MUST get one endpoint. The holder's own leases MAY be given again,
    /// so that a relay that starts anew under the same name takes up what it had.
    async fn claim(&self, scope: &SystemScope, claim: LeaseClaim) -> Result<Vec<WebhookEndpoint>, StoreError>;

    /// Makes a lease last longer; `false` when it is another's meanwhile, or the endpoint is disabled or deleted.
    async fn renew(
        &self,
        scope: &SystemScope,
        id: WebhookEndpointId,
        holder: &str,
        until: Timestamp,
    ) -> Result<bool, StoreError>;

    /// The deliveries of an endpoint that wait: of first deliveries the first `first` in the order of the log, of replays
    /// those that are due, at most `replays`.
    async fn waiting(
        &self,
        scope: &EnvironmentScope,
        id: WebhookEndpointId,
        now: Timestamp,
        first: u32,
        replays: u32,
    ) -> Result<Vec<Delivery>, StoreError>;

    /// Writes a round down: deliveries, position and health together. MUST write nothing and answer `false` when the lease
    /// is another's meanwhile, or the endpoint was deleted.
    async fn record(&self, scope: &SystemScope, record: RoundRecord) -> Result<bool, StoreError>;

    /// Removes deliveries of any environment that are through or have failed, and last changed before a time: at most
    /// `limit`, and those of deleted endpoints that wait. Answers how many.
    async fn remove_deliveries(
        &self,
        scope: &SystemScope,
        changed_before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError>;
}
