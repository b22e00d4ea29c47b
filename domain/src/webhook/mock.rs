//! Ready-made mocks of the webhook ports.

use super::{
    Attempt, MockSecretVault, MockWebhookBody, MockWebhookRepository, MockWebhookSender, SealedSecret, SendFailure,
    TEST_EVENT, VaultError, WebhookEndpoint, WebhookError, WebhookSecret,
};
use crate::{
    idempotency::Done,
    ids::{EventId, RandomnessUnavailable},
    lifecycle::Owner,
    page::Page,
    store::StoreError,
    time::Timestamp,
};

fn unavailable() -> StoreError {
    StoreError::unavailable("this mock is never available")
}

impl MockWebhookRepository {
    /// A store without endpoints. Creates succeed but are not kept, and the relay finds nothing to do.
    ///
    /// ```
    /// # use patron_domain::{webhook::*, testkit::{a_scope, an_id}};
    /// let webhooks = MockWebhookRepository::empty();
    /// let found = futures::executor::block_on(webhooks.find_endpoint(&a_scope(), an_id(1)));
    /// assert_eq!(found, Ok(None));
    /// ```
    #[must_use]
    pub fn empty() -> Self {
        Self::holding(None)
    }

    /// A store with one endpoint that never changes: changes and rounds succeed but are not kept. Only the endpoint's
    /// owner sees it. It has no deliveries. Any relay can claim it, unless it is disabled, paused or already served.
    ///
    /// ```
    /// # use patron_domain::{webhook::*, testkit::{a_scope, a_webhook_endpoint}};
    /// let endpoint = a_webhook_endpoint();
    /// let webhooks = MockWebhookRepository::with(endpoint.clone());
    /// let found = futures::executor::block_on(webhooks.find_endpoint(&a_scope(), endpoint.id));
    /// assert_eq!(found, Ok(Some(endpoint)));
    /// ```
    #[must_use]
    pub fn with(endpoint: WebhookEndpoint) -> Self {
        Self::holding(Some(endpoint))
    }

    /// A store that cannot be reached: every call returns [`StoreError::Unavailable`].
    #[must_use]
    pub fn always_unavailable() -> Self {
        let mut webhooks = Self::new();
        webhooks.expect_create_endpoint().returning(|_, _, _, _| Err(unavailable().into()));
        webhooks.expect_endpoints().returning(|_, _| Err(unavailable()));
        webhooks.expect_find_endpoint().returning(|_, _| Err(unavailable()));
        webhooks.expect_find_any_endpoint().returning(|_, _| Err(unavailable()));
        webhooks.expect_change_endpoint().returning(|_, _, _| Err(unavailable().into()));
        webhooks.expect_delete_endpoint().returning(|_, _, _, _, _| Err(unavailable().into()));
        webhooks.expect_deliveries().returning(|_, _, _| Err(unavailable()));
        webhooks.expect_add_deliveries().returning(|_, _, _, _| Err(unavailable().into()));
        webhooks.expect_add_test().returning(|_, _, _| Err(unavailable().into()));
        webhooks.expect_retry_failed().returning(|_, _, _, _, _| Err(unavailable().into()));
        webhooks.expect_claim().returning(|_, _| Err(unavailable()));
        webhooks.expect_renew().returning(|_, _, _, _| Err(unavailable()));
        webhooks.expect_waiting().returning(|_, _, _, _, _| Err(unavailable()));
        webhooks.expect_record().returning(|_, _| Err(unavailable()));
        webhooks.expect_remove_deliveries().returning(|_, _, _| Err(unavailable()));
        webhooks
    }

    fn holding(endpoint: Option<WebhookEndpoint>) -> Self {
        let mut webhooks = Self::new();
        let one = endpoint.clone();
        let of = move |owner| one.clone().filter(|one| one.owner == owner);
        webhooks.expect_create_endpoint().returning(|_, endpoint, _, _| Ok(Done::now(endpoint)));
        let own = of.clone();
        webhooks
            .expect_endpoints()
            .returning(move |scope, page| Ok(Page::cut(own(scope.owner).into_iter().collect(), page)));
        let own = of.clone();
        webhooks.expect_find_endpoint().returning(move |scope, id| Ok(own(scope.owner).filter(|one| one.id == id)));
        let one = endpoint.clone();
        webhooks.expect_find_any_endpoint().returning(move |_, id| Ok(one.clone().filter(|one| one.id == id)));
        let own = of.clone();
        webhooks.expect_change_endpoint().returning(move |scope, change, _| {
            let current = own(scope.owner).filter(|one| one.id == change.id);
            Ok(Done::now(change.decide(scope, &current.ok_or(WebhookError::UnknownEndpoint)?)?))
        });
        webhooks
            .expect_delete_endpoint()
            .returning(move |scope, id, _, _, _| Ok(of(scope.owner).filter(|one| one.id == id).map(|_| Done::now(()))));
        webhooks.expect_deliveries().returning(|_, _, _| Ok(Vec::new()));
        webhooks.expect_add_deliveries().returning(|_, all, _, _| Ok(Done::now(all.len() as u64)));
        webhooks.expect_add_test().returning(|_, test, _| Ok(Done::now(test)));
        webhooks.expect_retry_failed().returning(|_, _, _, _, _| Ok(Done::now(0)));
        webhooks.expect_waiting().returning(|_, _, _, _, _| Ok(Vec::new()));
        webhooks.expect_remove_deliveries().returning(|_, _, _| Ok(0));
        webhooks.serves(endpoint);
        webhooks
    }

    /// Mocks the calls of a relay.
    fn serves(&mut self, endpoint: Option<WebhookEndpoint>) {
        let one = endpoint.clone();
        self.expect_claim().returning(move |_, claim| {
            let awake = |until: Option<Timestamp>| until.is_none_or(|until| until <= claim.now);
            let free = |one: &WebhookEndpoint| one.disabled.is_none() && !claim.serves(one.id);
            let claimed = one.clone().filter(|one| free(one) && awake(one.health.paused_until));
            let places = usize::from(claim.places).saturating_sub(claim.serving.len());
            Ok(claimed.into_iter().take(places).collect())
        });
        let one = endpoint.clone();
        self.expect_renew()
            .returning(move |_, id, _, _| Ok(one.as_ref().is_some_and(|one| one.id == id && one.disabled.is_none())));
        self.expect_record().returning(move |_, record| {
            Ok(endpoint.as_ref().is_some_and(|one| one.id == record.endpoint_id && one.owner == record.owner))
        });
    }
}

impl MockWebhookSender {
    /// Every endpoint responds with this status at once and an empty body. The attempts start at the Unix epoch.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use patron_domain::{MockClock, event::MockEventLog, idempotency::*, ids::*, testkit::*, webhook::*};
    ///
    /// # futures::executor::block_on(async {
    /// let vault = MockSecretVault::plain();
    /// let sealed = vault.seal(an_id(1), &WebhookSecret::from_random([7; 32])).unwrap();
    /// let mut endpoint = a_webhook_endpoint();
    /// endpoint.secrets.current = sealed;
    /// let service = WebhookService {
    ///     webhooks: Arc::new(MockWebhookRepository::with(endpoint.clone())),
    ///     events: Arc::new(MockEventLog::empty()),
    ///     sender: Arc::new(MockWebhookSender::answering(503)),
    ///     vault: Arc::new(vault),
    ///     body: Arc::new(MockWebhookBody::naming_types()),
    ///     clock: Arc::new(MockClock::at(a_time())),
    ///     ids: Arc::new(MockIdGenerator::from_time()),
    ///     randomness: Arc::new(MockRandomness::always([7; 32])),
    ///     records: Arc::new(MockIdempotencyRecords::empty()),
    ///     idempotency_ttl: patron_domain::customer::DEFAULT_IDEMPOTENCY_TTL,
    ///     quotas: patron_domain::tenancy::Quotas::default(),
    ///     replays: patron_domain::webhook::ReplayPace::default(),
    /// };
    /// let test = service.test(&a_caller(), endpoint.id, None).await.unwrap();
    /// assert_eq!(test.value.state, DeliveryState::Failed);
    /// # });
    /// ```
    #[must_use]
    pub fn answering(status: u16) -> Self {
        Self::with(Ok(status))
    }

    /// Every attempt fails for this reason.
    #[must_use]
    pub fn failing(reason: SendFailure) -> Self {
        Self::with(Err(reason))
    }

    fn with(outcome: Result<u16, SendFailure>) -> Self {
        let mut sender = Self::new();
        sender.expect_send().returning(move |_| Attempt {
            at: Timestamp::UNIX_EPOCH,
            took: std::time::Duration::ZERO,
            outcome,
            answer: String::new(),
            retry_after: None,
        });
        sender.expect_not_called().returning(|_| None);
        sender
    }
}

impl MockSecretVault {
    /// Seals a secret as its own text and opens it for any endpoint. For tests only.
    ///
    /// ```
    /// # use patron_domain::{webhook::*, testkit::an_id};
    /// let vault = MockSecretVault::plain();
    /// let secret = WebhookSecret::from_random([7; 32]);
    /// let sealed = vault.seal(an_id(1), &secret).unwrap();
    /// assert_eq!(vault.open(an_id(1), &sealed), Ok(secret));
    /// ```
    #[must_use]
    pub fn plain() -> Self {
        let mut vault = Self::new();
        vault.expect_seal().returning(|_, secret| Ok(SealedSecret::from_sealed(secret.expose())));
        vault
            .expect_open()
            .returning(|_, sealed| WebhookSecret::parse(sealed.as_sealed()).map_err(|_| VaultError::Sealed));
        vault.expect_reseal().returning(|_, _| Ok(None));
        vault
    }

    /// A vault that can neither seal (no randomness) nor open (wrong key).
    #[must_use]
    pub fn always_failing() -> Self {
        let mut vault = Self::new();
        vault.expect_seal().returning(|_, _| Err(RandomnessUnavailable.into()));
        vault.expect_open().returning(|_, _| Err(VaultError::Sealed));
        vault.expect_reseal().returning(|_, _| Err(VaultError::Sealed));
        vault
    }
}

impl MockWebhookBody {
    /// Bodies with only the event's id and type.
    ///
    /// ```
    /// # use patron_domain::{webhook::*, testkit::*};
    /// let body = MockWebhookBody::naming_types().test(an_id(1), an_owner(), a_time());
    /// assert!(String::from_utf8(body).unwrap().ends_with(r#""type":"webhook.test"}"#));
    /// ```
    #[must_use]
    pub fn naming_types() -> Self {
        let body = |id: EventId, event_type: &str| format!(r#"{{"id":"{id}","type":"{event_type}"}}"#).into_bytes();
        let mut bodies = Self::new();
        bodies.expect_event().returning(move |event| body(event.id, event.kind.event_type().as_str()));
        bodies.expect_test().returning(move |id, _: Owner, _| body(id, TEST_EVENT));
        bodies
    }
}
