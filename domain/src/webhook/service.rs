//! The operations on webhooks, with permission checks.

use std::{sync::Arc, time::Duration};

use super::{
    ChangeEndpoint, Delivery, DeliveryKind, DeliveryQuery, DeliveryState, EndpointAmendment, EndpointDescription,
    EndpointSecrets, EndpointUpdate, EndpointUrl, EventFilter, Health, ReplayPace, SecretVault, WebhookBody,
    WebhookEndpoint, WebhookError, WebhookRepository, WebhookSecret, WebhookSender, request::TEST_EVENT,
};
use crate::{
    clock::Clock,
    event::{EventLog, EventPosition},
    idempotency::{Answer, CallersClaim, Done, IdempotencyRecords, IdempotentRequest},
    ids::{IdGenerator, Randomness, WebhookEndpointId},
    lifecycle::{Audit, Precondition},
    page::{Page, PageRequest},
    report::OutgoingRequest,
    tenancy::{Caller, EnvironmentScope, Permission, Quotas, SystemScope},
    time::Timestamp,
};

/// Operations on endpoints and deliveries, for callers with permissions.
///
/// An endpoint can send every customer's data to any address. Therefore only a `super_admin` or a `webhook_admin` can
/// change, test or replay. Every role that reads customers can read endpoints and deliveries. A secret is shown only
/// once, even to a request that is repeated with its idempotency key.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{testkit::*, webhook::*};
///
/// let service = WebhookService {
///     webhooks: Arc::new(MemoryStore::default()),
///     events: Arc::new(MemoryStore::default()),
///     // Use your own implementations instead of these three.
///     sender: Arc::new(MockWebhookSender::answering(204)),
///     vault: Arc::new(MockSecretVault::plain()),
///     body: Arc::new(MockWebhookBody::naming_types()),
///     clock: Arc::new(FixedClock::default()),
///     ids: Arc::new(CountingIds::default()),
///     randomness: Arc::new(FixedRandomness([7; 32])),
///     records: Arc::new(MemoryStore::default()),
///     idempotency_ttl: patron_domain::customer::DEFAULT_IDEMPOTENCY_TTL,
///     quotas: patron_domain::tenancy::Quotas::default(),
///     replays: patron_domain::webhook::ReplayPace::default(),
/// };
/// let url = EndpointUrl::new("https://example.com/hooks").unwrap();
/// let new = NewEndpoint { url, event_types: EventFilter::all(), description: None };
/// # futures::executor::block_on(async {
/// let (endpoint, secret) = service.create(&a_caller(), new, None).await.unwrap();
/// assert!(secret.unwrap().expose().starts_with("whsec_")); // shown only once
/// let test = service.test(&a_caller(), endpoint.id, None).await.unwrap();
/// assert_eq!(test.value.state, DeliveryState::Delivered);
/// # });
/// ```
#[derive(Clone)]
pub struct WebhookService {
    /// The store of endpoints and deliveries.
    pub webhooks: Arc<dyn WebhookRepository>,
    /// The event log.
    pub events: Arc<dyn EventLog>,
    /// Sends test deliveries.
    pub sender: Arc<dyn WebhookSender>,
    /// Seals secrets.
    pub vault: Arc<dyn SecretVault>,
    /// Writes the bodies.
    pub body: Arc<dyn WebhookBody>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of new ids.
    pub ids: Arc<dyn IdGenerator>,
    /// The source of random secrets.
    pub randomness: Arc<dyn Randomness>,
    /// The records of idempotency keys.
    pub records: Arc<dyn IdempotencyRecords>,
    /// How long a request that is repeated with its key gets the same response.
    pub idempotency_ttl: Duration,
    /// The quotas of every environment.
    pub quotas: Quotas,
    /// Limits replays.
    pub replays: ReplayPace,
}

/// A request for a new endpoint.
///
/// ```
/// use patron_domain::webhook::{EndpointUrl, EventFilter, NewEndpoint};
///
/// let url = EndpointUrl::new("https://example.com/hooks").unwrap();
/// let new = NewEndpoint { url, event_types: EventFilter::all(), description: None };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEndpoint {
    /// The URL of deliveries.
    pub url: EndpointUrl,
    /// The events that it receives.
    pub event_types: EventFilter,
    /// The description.
    pub description: Option<EndpointDescription>,
}

impl WebhookService {
    /// Creates an endpoint, which receives events from now on. The secret is returned only this once: a repeated
    /// request with the same idempotency key gets the endpoint without it.
    ///
    /// # Errors
    /// When the caller is neither a `super_admin` nor a `webhook_admin`, there are too many endpoints, no secret can be
    /// generated or sealed, or the store fails.
    pub async fn create(
        &self,
        caller: &Caller,
        new: NewEndpoint,
        request: Option<IdempotentRequest>,
    ) -> Result<(WebhookEndpoint, Option<WebhookSecret>), WebhookError> {
        let scope = caller.authorise(Permission::AdministerWebhooks)?;
        let now = self.clock.now();
        let id = scope.origin.ids(&*self.ids, now).next_id();
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
            position: self.events.end(&SystemScope::patron(), scope.owner).await?.position(),
            audit: Audit::created(now, &scope.actor),
        };
        let claim = self.claim(scope, request, now);
        let Done { value, replayed } =
            self.webhooks.create_endpoint(scope, endpoint, self.quotas.endpoints, claim).await?;
        Ok((value, (!replayed).then_some(secret)))
    }

    /// The endpoints of the caller's environment, the newest first.
    ///
    /// # Errors
    /// When the caller may not read or the store fails.
    pub async fn endpoints(&self, caller: &Caller, page: PageRequest) -> Result<Page<WebhookEndpoint>, WebhookError> {
        let scope = caller.authorise(Permission::ReadWebhooks)?;
        Ok(self.webhooks.endpoints(scope, page).await?)
    }

    /// One endpoint.
    ///
    /// # Errors
    /// When the caller may not read, there is no endpoint with this id, or the store fails.
    pub async fn endpoint(&self, caller: &Caller, id: WebhookEndpointId) -> Result<WebhookEndpoint, WebhookError> {
        self.find(caller.authorise(Permission::ReadWebhooks)?, id).await
    }

    /// Changes an endpoint, and returns its state after the change.
    ///
    /// # Errors
    /// When the caller is neither a `super_admin` nor a `webhook_admin`, there is none with this id, or the store
    /// fails.
    pub async fn update(
        &self,
        caller: &Caller,
        id: WebhookEndpointId,
        update: EndpointUpdate,
        only_if: Precondition,
        request: Option<IdempotentRequest>,
    ) -> Result<Done<WebhookEndpoint>, WebhookError> {
        let scope = caller.authorise(Permission::AdministerWebhooks)?;
        let (at, amendment) = (self.clock.now(), EndpointAmendment::Update(Box::new(update)));
        let claim = self.claim(scope, request, at);
        self.webhooks.change_endpoint(scope, ChangeEndpoint { id, amendment, at, only_if }, claim).await
    }

    /// Deletes an endpoint.
    ///
    /// # Errors
    /// When the caller is neither a `super_admin` nor a `webhook_admin`, there is none with this id, or the store
    /// fails.
    pub async fn delete(
        &self,
        caller: &Caller,
        id: WebhookEndpointId,
        only_if: Precondition,
        request: Option<IdempotentRequest>,
    ) -> Result<Done<()>, WebhookError> {
        let scope = caller.authorise(Permission::AdministerWebhooks)?;
        let now = self.clock.now();
        let claim = self.claim(scope, request, now);
        let deleted = self.webhooks.delete_endpoint(scope, id, now, only_if, claim).await?;
        deleted.ok_or(WebhookError::UnknownEndpoint)
    }

    /// Gives an endpoint a new secret, which is returned only this once, as in [`Self::create`]. During the overlap,
    /// deliveries are signed with both secrets.
    ///
    /// # Errors
    /// When the caller is neither a `super_admin` nor a `webhook_admin`, there is none with this id, no secret can be
    /// generated or sealed, or the store fails.
    pub async fn rotate(
        &self,
        caller: &Caller,
        id: WebhookEndpointId,
        overlap: Duration,
        request: Option<IdempotentRequest>,
    ) -> Result<(WebhookEndpoint, Option<WebhookSecret>), WebhookError> {
        let scope = caller.authorise(Permission::AdministerWebhooks)?;
        let (at, new) = (self.clock.now(), self.new_secret()?);
        let amendment =
            EndpointAmendment::Rotate { secret: self.vault.seal(id, &new)?, overlap_until: at.later(overlap) };
        let change = ChangeEndpoint { id, amendment, at, only_if: Precondition::None };
        let claim = self.claim(scope, request, at);
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
        let scope = caller.authorise(Permission::ReadWebhooks)?;
        self.find(scope, id).await?;
        Ok(self.webhooks.deliveries(scope, id, query).await?)
    }

    /// Sends one test to an endpoint immediately, enabled or not, and returns the result. If the request is repeated
    /// with its idempotency key while the first one is in progress, a second test may be sent; both get the same
    /// response. A dry run sends nothing, and reports the request instead.
    ///
    /// # Errors
    /// When the caller is neither a `super_admin` nor a `webhook_admin`, there is no such endpoint, no secret can be
    /// opened, or the store fails. A test that the endpoint rejects is not an error.
    pub async fn test(
        &self,
        caller: &Caller,
        id: WebhookEndpointId,
        request: Option<IdempotentRequest>,
    ) -> Result<Done<Delivery>, WebhookError> {
        let scope = caller.authorise(Permission::AdministerWebhooks)?;
        let now = self.clock.now();
        let claim = self.claim(scope, request, now);
        if let Some(sent) = self.before(scope, claim.as_ref()).await? {
            return Ok(Done::before(sent));
        }
        let endpoint = self.find(scope, id).await?;
        let mut ids = scope.origin.ids(&*self.ids, now);
        let event_id = ids.next_id();
        let body = self.body.test(event_id, scope.owner, now);
        let attempt = match scope.origin.report().filter(|report| report.is_dry_run()) {
            Some(report) => {
                let (url, body) = (endpoint.url.as_str().to_owned(), String::from_utf8_lossy(&body).into_owned());
                report.would_send(OutgoingRequest { url, body });
                None
            }
            None => Some(self.sender.send(endpoint.request(self.vault.as_ref(), event_id, body, now)?).await),
        };
        let state = match &attempt {
            None => DeliveryState::Waiting { next_attempt_at: None },
            Some(attempt) if attempt.is_success() => DeliveryState::Delivered,
            Some(_) => DeliveryState::Failed,
        };
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
            attempts: attempt.is_some().into(),
            updated_at: attempt.as_ref().map_or(now, |attempt| attempt.at.later(attempt.took)),
            last: attempt,
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

    /// The stored result of an earlier request with the same key.
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
