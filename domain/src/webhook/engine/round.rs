//! One round of an endpoint: what is read and attempted, and what follows from the attempts.

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

/// The most events that one round reads.
const WINDOW: u16 = 960;
/// The most first deliveries of an endpoint that wait; no event is read while there are as many.
const WAITING: u32 = 1_500;
/// The most replays of one round.
const REPLAYS: u32 = 256;
/// The most attempts at an endpoint that failed the last time.
const PROBES: u16 = 4;
/// How long an endpoint rests whose secrets do not open.
const SEALED: Duration = Duration::from_secs(60);

/// One round of an endpoint: the deliveries that wait, and the part of the log that was read for it.
///
/// ```
/// use patron_domain::{testkit::{a_webhook_endpoint, a_webhook_service}, webhook::*};
///
/// # futures::executor::block_on(async {
/// let engine = DeliveryEngine { service: a_webhook_service(), options: DeliveryOptions::named("server 1") };
/// let mut round: Round = engine.first_round(a_webhook_endpoint()).await.unwrap();
/// assert_eq!(round.ahead(), None, "the log of a new endpoint has nothing more");
/// let _: Attempts = engine.begin(&mut round);
/// # });
/// ```
pub struct Round {
    /// The endpoint, with the position and health that the round before left.
    pub endpoint: WebhookEndpoint,
    waiting: Vec<Delivery>,
    /// `None` when the log was not read.
    page: Option<LogPage>,
    read: bool,
    /// Where the round begins in the log. Unlike the stored position, it notices when the log was taken back.
    from: EventCursor,
    reached: EventCursor,
    has_more: bool,
    replays: usize,
    jitter: [u8; 32],
}

/// The attempts that a driver has to make.
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
    /// The deliveries, in lanes: side by side, each in its order.
    pub lanes: Vec<Lane>,
    /// The most attempts.
    pub most: usize,
    /// The bodies of events that were just read.
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
    /// The lanes, with every attempt noted.
    pub lanes: Vec<Lane>,
    /// Counts of the attempts.
    pub tally: Tally,
    /// What ended the round early.
    pub failed: Option<DeliveryError>,
}

/// What follows a round.
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
    /// Whether the next round may begin before this one is written.
    pub smooth: bool,
    /// Whether there is more to do at once.
    pub more: bool,
    /// What ended the round early.
    pub failed: Option<DeliveryError>,
}

impl Round {
    fn new(endpoint: WebhookEndpoint, from: EventCursor, waiting: Vec<Delivery>, page: Option<LogPage>) -> Self {
        let replays = waiting.iter().filter(|one| one.kind == DeliveryKind::Replay).count();
        let (reached, has_more) = page.as_ref().map_or((from, false), |page| (page.reached, page.has_more));
        let read = page.is_some();
        Self { endpoint, waiting, page, read, from, reached, has_more, replays, jitter: [0x80; 32] }
    }

    /// How many bytes of the log it holds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.page.as_ref().map_or(0, LogPage::bytes)
    }

    /// Where the log may be read on while this round is under way; `None` when the next round is likely to need something else.
    #[must_use]
    pub fn ahead(&self) -> Option<EventCursor> {
        // This round may add as many as it has read to those that wait.
        let full = self.waiting.len() + usize::from(WINDOW) >= WAITING as usize;
        let other = full || self.endpoint.health.is_suspect() || self.replays > 0;
        (self.has_more && !other).then_some(self.reached)
    }

    /// A number to spread the retries of the round's attempt with this number.
    #[must_use]
    pub fn jitter(&self, attempt: usize) -> u16 {
        let at = 2 * (attempt % (self.jitter.len() / 2));
        u16::from_be_bytes([self.jitter[at], self.jitter[at + 1]])
    }
}

impl DeliveryEngine {
    /// The first round of an endpoint: the deliveries that wait, and a part of the log unless too many wait.
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

    /// The endpoint as it is now, if it is there, and the part of the log behind a position: for the next round, while one is
    /// under way.
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
        // Without randomness retries come together; that is no reason not to deliver.
        round.jitter = self.service.randomness.secret_bytes().unwrap_or(round.jitter);
        let signer = round.endpoint.signer(self.service.vault.as_ref());
        Attempts { lanes, most, bodies: page.bodies, signer }
    }

    /// What a round leaves behind: what is to be written, and what follows. `stopping` when this driver is about to end.
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
            _ => health.rested(round.read || tally != Tally::default(), next_at, now),
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
    /// The round after this one, with what was read ahead; `None` when the endpoint was deleted, disabled or wants other events.
    #[must_use]
    pub fn next(&self, (found, page): (Option<WebhookEndpoint>, LogPage)) -> Option<Round> {
        let found = found.filter(|found| found.event_types == self.endpoint.event_types)?;
        let endpoint = WebhookEndpoint { position: self.endpoint.position, health: self.endpoint.health, ..found };
        Some(Round::new(endpoint, self.reached, self.waiting.clone(), Some(page)))
    }
}
