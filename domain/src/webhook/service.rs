//! What callers can ask about webhooks.

use std::{sync::Arc, time::Duration};

use super::{
    ChangeEndpoint, Delivery, DeliveryKind, DeliveryQuery, DeliveryState, EndpointAmendment, EndpointDescription,
    EndpointSecrets, EndpointUpdate, EndpointUrl, EventFilter, Health, SecretVault, WebhookBody, WebhookEndpoint,
    WebhookError, WebhookRepository, WebhookSecret, WebhookSender, request::TEST_EVENT,
};
use crate::{
    clock::Clock,
    event::{EventLog, EventPosition},
    idempotency::{Answer, CallersClaim, Done, IdempotencyRecords, IdempotentRequest},
    ids::{IdGenerator, Randomness, WebhookEndpointId},
    lifecycle::Audit,
    page::{Page, PageRequest},
    tenancy::{Caller, EnvironmentScope, Permission, SystemScope},
    time::Timestamp,
};

/// Endpoints and deliveries, for callers with permissions.
///
/// Whoever can make an endpoint has every customer sent to an address of their choice, so all that changes, tests or
/// replays is for `super_admin`. Every role looks at endpoints and deliveries; secrets are shown to nobody twice, not even
/// to a request that comes again under its idempotency key.
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
///     records: Arc::new(MemoryStore::default()),
///     idempotency_ttl: patron_domain::customer::DEFAULT_IDEMPOTENCY_TTL,
/// };
/// let url = EndpointUrl::new("https://example.com/hooks").unwrap();
/// let new = NewEndpoint { url, event_types: EventFilter::all(), description: None };
/// # futures::executor::block_on(async {
/// let (endpoint, secret) = service.create(&a_caller(), new, None).await.unwrap();
/// assert!(secret.unwrap().expose().starts_with("whsec_")); // shown this once
/// let test = service.test(&a_caller(), endpoint.id, None).await.unwrap();
/// assert_eq!(test.value.state, DeliveryState::Delivered);
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
    /// Tells what was done under idempotency keys.
    pub records: Arc<dyn IdempotencyRecords>,
    /// For how long a request that comes again under its key is answered as the first time.
    pub idempotency_ttl: Duration,
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

impl WebhookService {
    /// Makes an endpoint, which is told of what happens from now on. The secret is answered this once: a request that comes
    /// again under its idempotency key is answered without it.
    ///
    /// # Errors
    /// When the caller is no `super_admin`, there are too many endpoints, or secret or store fail.
    pub async fn create(
        &self,
        caller: &Caller,
        new: NewEndpoint,
        request: Option<IdempotentRequest>,
    ) -> Result<(WebhookEndpoint, Option<WebhookSecret>), WebhookError> {
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
            position: self.events.end(&SystemScope::patron(), scope.owner).await?,
            audit: Audit::created(now, &scope.actor),
        };
        let claim = self.claim(scope, request, now);
        let Done { value, replayed } = self.webhooks.create_endpoint(scope, endpoint, claim).await?;
        Ok((value, (!replayed).then_some(secret)))
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
        request: Option<IdempotentRequest>,
    ) -> Result<Done<WebhookEndpoint>, WebhookError> {
        let scope = caller.authorise(Permission::Administer)?;
        let (at, amendment) = (self.clock.now(), EndpointAmendment::Update(Box::new(update)));
        let claim = self.claim(scope, request, at);
        self.webhooks.change_endpoint(scope, ChangeEndpoint { id, amendment, at }, claim).await
    }

    /// Deletes an endpoint.
    ///
    /// # Errors
    /// When the caller is no `super_admin`, there is none with this id, or the store fails.
    pub async fn delete(
        &self,
        caller: &Caller,
        id: WebhookEndpointId,
        request: Option<IdempotentRequest>,
    ) -> Result<Done<()>, WebhookError> {
        let scope = caller.authorise(Permission::Administer)?;
        let now = self.clock.now();
        let deleted = self.webhooks.delete_endpoint(scope, id, now, self.claim(scope, request, now)).await?;
        deleted.ok_or(WebhookError::UnknownEndpoint)
    }

    /// Gives an endpoint another secret, which is answered this once, as in [`Self::create`]. For the overlap, deliveries
    /// are signed with both.
    ///
    /// # Errors
    /// When the caller is no `super_admin`, there is none with this id, or secret or store fail.
    pub async fn rotate(
        &self,
        caller: &Caller,
        id: WebhookEndpointId,
        overlap: Duration,
        request: Option<IdempotentRequest>,
    ) -> Result<(WebhookEndpoint, Option<WebhookSecret>), WebhookError> {
        let scope = caller.authorise(Permission::Administer)?;
        let (at, new) = (self.clock.now(), self.new_secret()?);
        let amendment =
            EndpointAmendment::Rotate { secret: self.vault.seal(id, &new)?, overlap_until: at.later(overlap) };
        let (change, claim) = (ChangeEndpoint { id, amendment, at }, self.claim(scope, request, at));
        let Done { value, replayed } = self.webhooks.change_endpoint(scope, change, claim).await?;
        Ok((value, (!replayed).then_some(new)))
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

    /// Sends a test to an endpoint, once and at once, enabled or not, and answers what came of it. What comes again under
    /// its idempotency key while the first is under way may send one too; both are answered alike.
    ///
    /// # Errors
    /// When the caller is no `super_admin`, there is no such endpoint, or secret or store fail. A test that the endpoint
    /// does not take is no error.
    pub async fn test(
        &self,
        caller: &Caller,
        id: WebhookEndpointId,
        request: Option<IdempotentRequest>,
    ) -> Result<Done<Delivery>, WebhookError> {
        let scope = caller.authorise(Permission::Administer)?;
        let now = self.clock.now();
        let claim = self.claim(scope, request, now);
        if let Some(sent) = self.before(scope, claim.as_ref()).await? {
            return Ok(Done::before(sent));
        }
        let endpoint = self.find(scope, id).await?;
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
        Ok(self.webhooks.add_test(scope, delivery, claim).await?)
    }

    pub(super) async fn find(
        &self,
        scope: &EnvironmentScope,
        id: WebhookEndpointId,
    ) -> Result<WebhookEndpoint, WebhookError> {
        self.webhooks.find_endpoint(scope, id).await?.ok_or(WebhookError::UnknownEndpoint)
    }

    pub(super) fn claim(
        &self,
        scope: &EnvironmentScope,
        request: Option<IdempotentRequest>,
        now: Timestamp,
    ) -> Option<CallersClaim> {
        CallersClaim::within(scope, request.map(|request| request.claim(now, self.idempotency_ttl)))
    }

    /// What was answered before under a key.
    pub(super) async fn before<T: Answer>(
        &self,
        scope: &EnvironmentScope,
        claim: Option<&CallersClaim>,
    ) -> Result<Option<T>, WebhookError> {
        let Some(CallersClaim { claim, .. }) = claim else { return Ok(None) };
        Ok(claim.answered(self.records.as_ref(), scope).await?)
    }

    fn new_secret(&self) -> Result<WebhookSecret, WebhookError> {
        let bytes = self.randomness.secret_bytes().map_err(super::VaultError::from)?;
        Ok(WebhookSecret::from_random(bytes))
    }
}
