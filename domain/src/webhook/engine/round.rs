//! One round of an endpoint: its input, its attempts and its result.

use std::{collections::HashMap, mem::take, time::Duration};

use super::{DeliveryEngine, DeliveryError, LogPage, scope};
use crate::{
    event::EventCursor,
    ids::EventId,
    store::StoreError,
    webhook::{
        Delivery, DeliveryKind, Health, Lane, RoundEnd, RoundRecord, Signer, Tally, VaultError, WebhookEndpoint,
        round::{end, plan},
    },
};

/// The maximum number of events that one round reads.
const WINDOW: u16 = 960;
/// The maximum number of waiting first deliveries of an endpoint. At this number no more events are read.
const WAITING: u32 = 1_500;
/// The maximum number of replays in one round.
const REPLAYS: u32 = 256;
/// The maximum number of attempts in a round of an endpoint whose last round failed.
const PROBES: u16 = 4;
/// The pause of an endpoint whose secrets cannot be opened.
const SEALED: Duration = Duration::from_secs(60);

/// One round of an endpoint: its waiting deliveries, and the part of the log that was read for it.
///
/// ```
/// use patron_domain::{testkit::{a_webhook_endpoint, a_webhook_service}, webhook::*};
///
/// # futures::executor::block_on(async {
/// let engine = DeliveryEngine { service: a_webhook_service(), options: DeliveryOptions::named("server 1") };
/// let mut round: Round = engine.first_round(a_webhook_endpoint()).await.unwrap();
/// assert_eq!(round.ahead(), None, "the log has no more events for a new endpoint");
/// let _: Attempts = engine.begin(&mut round);
/// # });
/// ```
pub struct Round {
    /// The endpoint, with the position and health after the previous round.
    pub endpoint: WebhookEndpoint,
    waiting: Vec<Delivery>,
    /// `None` when the log was not read.
    page: Option<LogPage>,
    read: bool,
    /// The place in the log where the round begins. Unlike the stored position, it detects that the log was taken back.
    from: EventCursor,
    reached: EventCursor,
    has_more: bool,
    replays: usize,
    jitter: [u8; 32],
}

/// The attempts of a round, which the driver makes.
///
/// ```
/// use patron_domain::{testkit::{a_webhook_endpoint, a_webhook_service}, webhook::*};
///
/// # futures::executor::block_on(async {
/// let engine = DeliveryEngine { service: a_webhook_service(), options: DeliveryOptions::named("server 1") };
/// let mut round: Round = engine.first_round(a_webhook_endpoint()).await.unwrap();
/// let attempts: Attempts = engine.begin(&mut round);
/// assert!(attempts.lanes.is_empty() && attempts.bodies.is_empty());
/// # });
/// ```
pub struct Attempts {
    /// The deliveries in lanes. Lanes run in parallel, and the deliveries of a lane run in order.
    pub lanes: Vec<Lane>,
    /// The maximum number of attempts.
    pub most: usize,
    /// The bodies of the events that this round read.
    pub bodies: HashMap<EventId, Vec<u8>>,
    /// Signs requests.
    pub signer: Result<Signer, VaultError>,
}

/// The result of the attempts of a round.
///
/// ```
/// use patron_domain::{testkit::{a_webhook_endpoint, a_webhook_service}, webhook::*};
///
/// # futures::executor::block_on(async {
/// let engine = DeliveryEngine { service: a_webhook_service(), options: DeliveryOptions::named("server 1") };
/// let mut round: Round = engine.first_round(a_webhook_endpoint()).await.unwrap();
/// let Attempts { lanes, .. } = engine.begin(&mut round);
/// let result = RoundResult { lanes, tally: Tally::default(), failed: None };
/// let (record, _) = engine.finish(round, result, false);
/// assert_eq!(record.deliveries(), 0);
/// # });
/// ```
pub struct RoundResult {
    /// The lanes, with the results of all attempts.
    pub lanes: Vec<Lane>,
    /// The counts of the attempts.
    pub tally: Tally,
    /// The reason why the round ended early, if it did.
    pub failed: Option<DeliveryError>,
}

/// The consequences of a round for the next one.
///
/// ```
/// use patron_domain::{testkit::{a_webhook_endpoint, a_webhook_service}, webhook::*};
///
/// # futures::executor::block_on(async {
/// let engine = DeliveryEngine { service: a_webhook_service(), options: DeliveryOptions::named("server 1") };
/// let mut round: Round = engine.first_round(a_webhook_endpoint()).await.unwrap();
/// let Attempts { lanes, .. } = engine.begin(&mut round);
/// let result = RoundResult { lanes, tally: Tally::default(), failed: None };
/// let (_, outcome): (RoundRecord, RoundOutcome) = engine.finish(round, result, false);
/// assert!(!outcome.more);
/// # });
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundOutcome {
    waiting: Vec<Delivery>,
    endpoint: WebhookEndpoint,
    reached: EventCursor,
    /// Whether the next round may begin before the result of this one is written.
    pub smooth: bool,
    /// Whether there is more work now.
    pub more: bool,
    /// The reason why the round ended early, if it did.
    pub failed: Option<DeliveryError>,
}

impl Round {
    fn new(endpoint: WebhookEndpoint, from: EventCursor, waiting: Vec<Delivery>, page: Option<LogPage>) -> Self {
        let replays = waiting.iter().filter(|one| one.kind == DeliveryKind::Replay).count();
        let (reached, has_more) = page.as_ref().map_or((from, false), |page| (page.reached, page.has_more));
        let read = page.is_some();
        Self { endpoint, waiting, page, read, from, reached, has_more, replays, jitter: [0x80; 32] }
    }

    /// The number of bytes of the log in this round.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.page.as_ref().map_or(0, LogPage::bytes)
    }

    /// The place from which the log may be read during this round; `None` when the next round will probably need other
    /// input.
    #[must_use]
    pub fn ahead(&self) -> Option<EventCursor> {
        // All events that this round read may become waiting deliveries.
        let full = self.waiting.len() + usize::from(WINDOW) >= WAITING as usize;
        let other = full || self.endpoint.health.is_suspect() || self.replays > 0;
        (self.has_more && !other).then_some(self.reached)
    }

    /// A random number for the retry of an attempt of this round.
    #[must_use]
    pub fn jitter(&self, attempt: usize) -> u16 {
        let at = 2 * (attempt % (self.jitter.len() / 2));
        u16::from_be_bytes([self.jitter[at], self.jitter[at + 1]])
    }
}

impl DeliveryEngine {
    /// The first round of an endpoint: its waiting deliveries, and a part of the log unless too many deliveries wait.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn first_round(&self, endpoint: WebhookEndpoint) -> Result<Round, StoreError> {
        let (scope, now) = (scope(&endpoint), self.service.clock.now());
        let most = WAITING + u32::from(WINDOW);
        let waiting = self.service.webhooks.waiting(&scope, endpoint.id, now, most, REPLAYS).await?;
        let from = EventCursor::unmarked(endpoint.position);
        let round = Round::new(endpoint, from, waiting, None);
        let suspect = round.endpoint.health.is_suspect();
        let full = round.waiting.len() - round.replays >= WAITING as usize;
        if full || suspect && round.waiting.iter().any(|delivery| delivery.is_due(now)) {
            return Ok(round);
        }
        let limit = if suspect { PROBES } else { WINDOW };
        let page = self.page(&round.endpoint, from, limit).await?;
        Ok(Round::new(round.endpoint, from, round.waiting, Some(page)))
    }

    /// The current state of the endpoint, if it exists, and the part of the log after a position, read during one round
    /// for the next.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn read_ahead(
        &self,
        endpoint: &WebhookEndpoint,
        after: EventCursor,
    ) -> Result<(Option<WebhookEndpoint>, LogPage), StoreError> {
        let found = self.current(endpoint).await?;
        let page = self.page(found.as_ref().unwrap_or(endpoint), after, WINDOW).await?;
        Ok((found, page))
    }

    /// The attempts of a round.
    #[must_use]
    pub fn begin(&self, round: &mut Round) -> Attempts {
        let page = round.page.take().unwrap_or_else(|| LogPage::empty(round.from));
        let lanes = plan(take(&mut round.waiting), page.fresh, self.service.clock.now());
        let most = if round.endpoint.health.is_suspect() { usize::from(PROBES) } else { usize::MAX };
        // Without randomness, retries happen at the same time. That must not stop deliveries.
        round.jitter = self.service.randomness.secret_bytes().unwrap_or(round.jitter);
        let signer = round.endpoint.signer(self.service.vault.as_ref());
        Attempts { lanes, most, bodies: page.bodies, signer }
    }

    /// The result of a round to write, and its consequences. `stopping` says that this driver is about to end.
    #[must_use]
    pub fn finish(&self, round: Round, result: RoundResult, stopping: bool) -> (RoundRecord, RoundOutcome) {
        let RoundResult { lanes, tally, failed } = result;
        let (endpoint, options, now) = (&round.endpoint, &self.options, self.service.clock.now());
        let complete = lanes.iter().all(|lane| lane.next().is_none());
        let RoundEnd { fresh, changed, waiting, position, next_at } =
            end(lanes, complete, round.from, round.reached, now);
        let (health, disabled) =
            endpoint.health.after(tally, now, &options.retries, options.disable_after, round.jitter(0));
        let health = match failed {
            Some(DeliveryError::Vault(_)) => Health { paused_until: Some(now.later(SEALED)), ..health },
            _ => health.rested(round.read || tally != Tally::default(), next_at, now).resting(tally),
        };
        let left = round.has_more || !complete || round.replays == REPLAYS as usize;
        let well = failed.is_none() && health.paused_until.is_none() && disabled.is_none();
        let more = left && well && !stopping;
        let record = RoundRecord {
            owner: endpoint.owner,
            endpoint_id: endpoint.id,
            holder: options.holder.clone(),
            fresh,
            changed,
            position,
            health,
            disabled,
            at: now,
            lease_until: more.then(|| now.later(options.lease)),
        };
        let endpoint = WebhookEndpoint { position: position.position(), health, ..round.endpoint };
        (record, RoundOutcome { waiting, endpoint, reached: position, smooth: more && complete, more, failed })
    }
}

impl RoundOutcome {
    /// The round after this one, with the input that was read ahead; `None` when the endpoint was deleted or disabled,
    /// or selects other events now.
    #[must_use]
    pub fn next(&self, (found, page): (Option<WebhookEndpoint>, LogPage)) -> Option<Round> {
        let found = found.filter(|found| found.event_types == self.endpoint.event_types)?;
        let endpoint = WebhookEndpoint { position: self.endpoint.position, health: self.endpoint.health, ..found };
        Some(Round::new(endpoint, self.reached, self.waiting.clone(), Some(page)))
    }
}
