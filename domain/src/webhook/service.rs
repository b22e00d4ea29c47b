//! What callers can ask about webhooks.

use std::{sync::Arc, time::Duration};

use super::{
    ChangeEndpoint, Delivery, DeliveryKind, DeliveryQuery, DeliveryState, EndpointAmendment, EndpointDescription,
    EndpointSecrets, EndpointUpdate, EndpointUrl, EventFilter, Health, MAX_REPLAY, SecretVault, WebhookBody,
    WebhookEndpoint, WebhookError, WebhookRepository, WebhookSecret, WebhookSender, request::TEST_EVENT,
};
use crate::{
    clock::Clock,
    event::{EventLimit, EventLog, EventPosition, EventQuery, EventRecord},
    ids::{EventId, IdGenerator, Randomness, WebhookEndpointId},
    lifecycle::Audit,
    store::{Page, PageRequest},
    tenancy::{Caller, EnvironmentScope, Permission, SystemScope},
    time::Timestamp,
};

/// Endpoints and deliveries, for callers with permissions.
///
/// Whoever can make an endpoint has every customer sent to an address of their choice, so all that changes, tests or
/// replays is for `super_admin`. Every role looks at endpoints and deliveries; secrets are shown to nobody twice.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{testkit::*, webhook::*};
///
/// let service = WebhookService {
///     webhooks: Arc::new(MemoryStore::default()),
///     events: Arc::new(MemoryStore::default()),
///     // Yours in place of these three.
///     sender: Arc::new(MockWebhookSender::answering(204)),
///     vault: Arc::new(MockSecretVault::plain()),
///     body: Arc::new(MockWebhookBody::naming_types()),
///     clock: Arc::new(FixedClock::default()),
///     ids: Arc::new(CountingIds::default()),
///     randomness: Arc::new(FixedRandomness([7; 32])),
/// };
/// let url = EndpointUrl::new("https://example.com/hooks").unwrap();
/// let new = NewEndpoint { url, event_types: EventFilter::all(), description: None };
/// # futures::executor::block_on(async {
/// let (endpoint, secret) = service.create(&a_caller(), new).await.unwrap();
/// assert!(secret.expose().starts_with("whsec_")); // shown this once
/// assert_eq!(service.test(&a_caller(), endpoint.id).await.unwrap().state, DeliveryState::Delivered);
/// # });
/// ```
#[derive(Clone)]
pub struct WebhookService {
    /// Keeps endpoints and deliveries.
    pub webhooks: Arc<dyn WebhookRepository>,
    /// Keeps the log.
    pub events: Arc<dyn EventLog>,
    /// Sends tests.
    pub sender: Arc<dyn WebhookSender>,
    /// Seals secrets.
    pub vault: Arc<dyn SecretVault>,
    /// Writes bodies.
    pub body: Arc<dyn WebhookBody>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Gives ids.
    pub ids: Arc<dyn IdGenerator>,
    /// Gives secrets.
    pub randomness: Arc<dyn Randomness>,
}

/// An endpoint somebody asks for.
///
/// ```
/// use patron_domain::webhook::{EndpointUrl, EventFilter, NewEndpoint};
///
/// let url = EndpointUrl::new("https://example.com/hooks").unwrap();
/// let new = NewEndpoint { url, event_types: EventFilter::all(), description: None };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEndpoint {
    /// Where deliveries go.
    pub url: EndpointUrl,
    /// Which events it is told of.
    pub event_types: EventFilter,
    /// What it is for.
    pub description: Option<EndpointDescription>,
}

/// What is to be delivered once more.
///
/// ```
/// use std::time::Duration;
/// use patron_domain::{testkit::a_time, webhook::Replay};
///
/// let (from, to) = (a_time(), a_time().later(Duration::from_secs(3_600)));
/// let the_hour_of_the_outage = Replay::between(from, to).unwrap();
/// assert_eq!(Replay::between(to, from), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replay {
    /// One event, whatever types the endpoint wants.
    Event(EventId),
    /// The events of a time, both ends included, of the types that the endpoint wants.
    Between(Timestamp, Timestamp),
    /// Everything that failed for good.
    Failed,
}

impl Replay {
    /// The events of a time; `None` when it ends before it begins.
    #[must_use]
    pub fn between(from: Timestamp, to: Timestamp) -> Option<Self> {
        (from <= to).then_some(Self::Between(from, to))
    }
}

impl WebhookService {
    /// Makes an endpoint, which is told of what happens from now on. The secret is answered this once.
    ///
    /// # Errors
    /// When the caller is no `super_admin`, there are too many endpoints, or secret or store fail.
    pub async fn create(
        &self,
        caller: &Caller,
        new: NewEndpoint,
    ) -> Result<(WebhookEndpoint, WebhookSecret), WebhookError> {
        let scope = caller.authorise(Permission::Administer)?;
        let now = self.clock.now();
        let id = self.ids.start(now).next_id();
        let secret = self.new_secret()?;
        let endpoint = WebhookEndpoint {
            id,
            owner: scope.owner,
            url: new.url,
            event_types: new.event_types,
            description: new.description,
            disabled: None,
            secrets: EndpointSecrets { current: self.vault.seal(id, &secret)?, previous: None },
            health: Health::default(),
            position: self.events.end(&SystemScope::patron()).await?,
            audit: Audit::created(now, &scope.actor),
        };
        self.webhooks.create_endpoint(scope, endpoint.clone()).await?;
        Ok((endpoint, secret))
    }

    /// The endpoints of the caller's environment, the newest first.
    ///
    /// # Errors
    /// When the caller may not read or the store fails.
    pub async fn endpoints(&self, caller: &Caller, page: PageRequest) -> Result<Page<WebhookEndpoint>, WebhookError> {
        let scope = caller.authorise(Permission::Read)?;
        Ok(self.webhooks.endpoints(scope, page).await?)
    }

    /// One endpoint.
    ///
    /// # Errors
    /// When the caller may not read, there is none with this id, or the store fails.
    pub async fn endpoint(&self, caller: &Caller, id: WebhookEndpointId) -> Result<WebhookEndpoint, WebhookError> {
        self.find(caller.authorise(Permission::Read)?, id).await
    }

    /// Changes an endpoint, and answers it as it is then.
    ///
    /// # Errors
    /// When the caller is no `super_admin`, there is none with this id, or the store fails.
    pub async fn update(
        &self,
        caller: &Caller,
        id: WebhookEndpointId,
        update: EndpointUpdate,
    ) -> Result<WebhookEndpoint, WebhookError> {
        let scope = caller.authorise(Permission::Administer)?;
        let amendment = EndpointAmendment::Update(Box::new(update));
        self.webhooks.change_endpoint(scope, ChangeEndpoint { id, amendment, at: self.clock.now() }).await
    }

    /// Deletes an endpoint.
    ///
    /// # Errors
    /// When the caller is no `super_admin`, there is none with this id, or the store fails.
    pub async fn delete(&self, caller: &Caller, id: WebhookEndpointId) -> Result<(), WebhookError> {
        let scope = caller.authorise(Permission::Administer)?;
        let deleted = self.webhooks.delete_endpoint(scope, id, self.clock.now()).await?;
        if deleted { Ok(()) } else { Err(WebhookError::UnknownEndpoint) }
    }

    /// Gives an endpoint another secret, which is answered this once. For the overlap, deliveries are signed with both.
    ///
    /// # Errors
    /// When the caller is no `super_admin`, there is none with this id, or secret or store fail.
    pub async fn rotate(
        &self,
        caller: &Caller,
        id: WebhookEndpointId,
        overlap: Duration,
    ) -> Result<(WebhookEndpoint, WebhookSecret), WebhookError> {
        let scope = caller.authorise(Permission::Administer)?;
        let (at, new) = (self.clock.now(), self.new_secret()?);
        let amendment =
            EndpointAmendment::Rotate { secret: self.vault.seal(id, &new)?, overlap_until: at.later(overlap) };
        let endpoint = self.webhooks.change_endpoint(scope, ChangeEndpoint { id, amendment, at }).await?;
        Ok((endpoint, new))
    }

    /// Deliveries of an endpoint, the newest first.
    ///
    /// # Errors
    /// When the caller may not read, there is no such endpoint, or the store fails.
    pub async fn deliveries(
        &self,
        caller: &Caller,
        id: WebhookEndpointId,
        query: DeliveryQuery,
    ) -> Result<Vec<Delivery>, WebhookError> {
        let scope = caller.authorise(Permission::Read)?;
        self.find(scope, id).await?;
        Ok(self.webhooks.deliveries(scope, id, query).await?)
    }

    /// Sends a test to an endpoint, once and at once, enabled or not, and answers what came of it.
    ///
    /// # Errors
    /// When the caller is no `super_admin`, there is no such endpoint, or secret or store fail. A test that the endpoint
    /// does not take is no error.
    pub async fn test(&self, caller: &Caller, id: WebhookEndpointId) -> Result<Delivery, WebhookError> {
        let scope = caller.authorise(Permission::Administer)?;
        let endpoint = self.find(scope, id).await?;
        let now = self.clock.now();
        let mut ids = self.ids.start(now);
        let event_id = ids.next_id();
        let body = self.body.test(event_id, scope.owner, now);
        let attempt = self.sender.send(endpoint.request(self.vault.as_ref(), event_id, body, now)?).await;
        let state = if attempt.is_success() { DeliveryState::Delivered } else { DeliveryState::Failed };
        let delivery = Delivery {
            id: ids.next_id(),
            owner: scope.owner,
            endpoint_id: id,
            kind: DeliveryKind::Test,
            event_id,
            event_type: TEST_EVENT.to_owned(),
            entity_id: id.to_string(),
            position: EventPosition::START,
            state,
            attempts: 1,
            updated_at: attempt.at.later(attempt.took),
            last: Some(attempt),
            created_at: now,
        };
        self.webhooks.add_deliveries(scope, vec![delivery.clone()]).await?;
        Ok(delivery)
    }

    /// Has events delivered to an endpoint once more, and answers how many. They are on their way within seconds.
    ///
    /// # Errors
    /// When the caller is no `super_admin`, endpoint or event are unknown, there are too many, or the store fails.
    pub async fn replay(&self, caller: &Caller, id: WebhookEndpointId, what: Replay) -> Result<u64, WebhookError> {
        self.replay_in(caller.authorise(Permission::Administer)?, id, what).await
    }

    /// The same for the command line, which finds the endpoint in whatever environment it is.
    ///
    /// # Errors
    /// When endpoint or event are unknown, there are too many, or the store fails.
    pub async fn replay_any(
        &self,
        scope: &SystemScope,
        id: WebhookEndpointId,
        what: Replay,
    ) -> Result<u64, WebhookError> {
        let found = self.webhooks.find_any_endpoint(scope, id).await?.ok_or(WebhookError::UnknownEndpoint)?;
        let scope = EnvironmentScope { owner: found.owner, actor: scope.actor.clone() };
        self.replay_in(&scope, id, what).await
    }

    async fn replay_in(
        &self,
        scope: &EnvironmentScope,
        id: WebhookEndpointId,
        what: Replay,
    ) -> Result<u64, WebhookError> {
        let endpoint = self.find(scope, id).await?;
        let now = self.clock.now();
        let mut ids = self.ids.start(now);
        let events = match what {
            Replay::Failed => {
                // No platform of ours counts MAX_REPLAY beyond 32 bits.
                let limit = u32::try_from(MAX_REPLAY).unwrap_or(u32::MAX);
                return Ok(self.webhooks.retry_failed(scope, id, now, limit).await?);
            }
            Replay::Event(event) => vec![self.events.find(scope, event).await?.ok_or(WebhookError::UnknownEvent)?],
            Replay::Between(from, until) => self.between(scope, &endpoint, from, until).await?,
        };
        let deliveries: Vec<_> =
            events.iter().map(|event| Delivery::of(event, id, DeliveryKind::Replay, &mut ids, now)).collect();
        let count = deliveries.len();
        if count > 0 {
            self.webhooks.add_deliveries(scope, deliveries).await?;
        }
        Ok(count as u64)
    }

    async fn between(
        &self,
        scope: &EnvironmentScope,
        endpoint: &WebhookEndpoint,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<EventRecord>, WebhookError> {
        let mut query = EventQuery {
            after: EventPosition::START,
            types: endpoint.event_types.types(),
            from: Some(from),
            until: Some(until),
            limit: EventLimit::new(EventLimit::MAX).unwrap_or_default(),
            ..EventQuery::default()
        };
        let mut found = Vec::new();
        loop {
            let page = self.events.read(scope, &query).await?;
            // The frozen states are not needed here, and would fill the memory.
            found.extend(page.events.into_iter().map(|event| EventRecord { state: None, ..event }));
            if found.len() > MAX_REPLAY {
                return Err(WebhookError::TooManyEvents);
            }
            if !page.has_more {
                return Ok(found);
            }
            query.after = page.reached;
        }
    }

    async fn find(&self, scope: &EnvironmentScope, id: WebhookEndpointId) -> Result<WebhookEndpoint, WebhookError> {
        self.webhooks.find_endpoint(scope, id).await?.ok_or(WebhookError::UnknownEndpoint)
    }

    fn new_secret(&self) -> Result<WebhookSecret, WebhookError> {
        let bytes = self.randomness.secret_bytes().map_err(super::VaultError::from)?;
        Ok(WebhookSecret::from_random(bytes))
    }
}
