//! Rounds at one endpoint: read, attempt, write down. While the attempts of one round are made, the log is read on and the
//! round before is written down; so the next one begins at once.

use std::{
    mem::take,
    panic::resume_unwind,
    sync::Arc,
    time::{Duration, Instant},
};

use patron_domain::{
    event::EventPosition,
    ids::WebhookEndpointId,
    store::StoreError,
    tenancy::{EnvironmentScope, SystemScope},
    webhook::{Delivery, DeliveryKind, Health, RoundEnd, RoundRecord, Tally, WebhookEndpoint, end, plan},
};
use tokio::task::{JoinError, JoinHandle, JoinSet};

use super::{
    Relay, Stop,
    attempt::{Failed, Work, jitter as spread},
    journal::Journal,
    pages::Page,
};

/// The most events that are read in one round, which share what it costs beside its attempts.
const WINDOW: u16 = 960;
/// The most first deliveries of an endpoint that wait; no event is read while there are as many.
const WAITING: u32 = 1_500;
/// The most replays of one round.
const REPLAYS: u32 = 256;
/// The most attempts at an endpoint that failed the last time.
const PROBES: u16 = 4;
/// How long an endpoint rests whose secrets do not open.
const SEALED: Duration = Duration::from_secs(60);
/// How long attempts that are under way may take when the server stops.
const GRACE: Duration = Duration::from_secs(3);
/// For how long rounds follow each other before the store is asked what else waits: replays, above all.
const STRETCH: Duration = Duration::from_secs(5);

/// What a round works on.
struct Round {
    /// As it was read last; its position and health are those of the round before.
    endpoint: WebhookEndpoint,
    waiting: Vec<Delivery>,
    /// `None` when the log was left alone.
    page: Option<Page>,
}

/// What a round came to.
struct Outcome {
    /// What waits then.
    waiting: Vec<Delivery>,
    position: EventPosition,
    health: Health,
    /// Whether the next round may begin before this one is written down.
    smooth: bool,
    /// Whether there is more to do at once.
    go_on: bool,
    failed: Option<Failed>,
}

/// The endpoint as it is by now, and the next part of the log.
type Ahead = JoinHandle<Result<(Option<WebhookEndpoint>, Page), StoreError>>;

impl Round {
    fn replays(&self) -> usize {
        self.waiting.iter().filter(|one| one.kind == DeliveryKind::Replay).count()
    }
}

impl Relay {
    /// Rounds, one after the other. Answers the endpoint when more are to follow at once.
    #[expect(clippy::disallowed_methods, reason = "how long rounds have taken is no fact of the domain")]
    pub(super) async fn rounds(
        self: &Arc<Self>,
        endpoint: WebhookEndpoint,
        stop: &Stop,
    ) -> Result<Option<WebhookEndpoint>, StoreError> {
        let scope = EnvironmentScope { owner: endpoint.owner, actor: SystemScope::patron().actor };
        let (id, begun, mut journal) = (endpoint.id, Instant::now(), Journal::new(self.clone()));
        let mut round = self.first(&scope, endpoint).await?;
        let outcome = loop {
            let ahead = (begun.elapsed() < STRETCH).then(|| self.read_ahead(&scope, &round)).flatten();
            let (record, outcome) = self.attempt(&scope, &mut round, stop).await;
            let held = journal.add(record).await?;
            let next = match ahead {
                Some(ahead) if held && outcome.smooth => next(round, &outcome, ahead).await,
                _ => Ok(None),
            };
            match next {
                Ok(Some(next)) => round = next,
                Ok(None) => break outcome,
                Err(error) => return journal.close().await.and(Err(error)),
            }
        };
        let held = journal.close().await?;
        match outcome.failed {
            Some(Failed::Store(error)) => Err(error),
            Some(Failed::Vault(error)) => {
                tracing::error!(%error, endpoint = %id, "a webhook endpoint cannot be served");
                Ok(None)
            }
            // It may have been changed meanwhile.
            None if held && outcome.go_on => {
                let found = self.service.webhooks.find_endpoint(&scope, id).await?;
                Ok(found.filter(|endpoint| endpoint.disabled.is_none()))
            }
            None => Ok(None),
        }
    }

    /// The first round: with what the store knows to wait.
    async fn first(&self, scope: &EnvironmentScope, endpoint: WebhookEndpoint) -> Result<Round, StoreError> {
        let now = self.service.clock.now();
        let waiting =
            self.service.webhooks.waiting(scope, endpoint.id, now, WAITING + u32::from(WINDOW), REPLAYS).await?;
        let mut round = Round { endpoint, waiting, page: None };
        let suspect = round.endpoint.health.is_suspect();
        let full = round.waiting.len() - round.replays() >= WAITING as usize;
        let is_busy = full || suspect && round.waiting.iter().any(|delivery| delivery.is_due(now));
        if !is_busy {
            let limit = if suspect { PROBES } else { WINDOW };
            round.page = Some(self.page(&round.endpoint, round.endpoint.position, limit).await?);
        }
        Ok(round)
    }

    /// Reads on while a round is under way, if it is likely that another one follows as it is.
    fn read_ahead(self: &Arc<Self>, scope: &EnvironmentScope, round: &Round) -> Option<Ahead> {
        let page = round.page.as_ref().filter(|page| page.has_more)?;
        // This round may add as many as it has read to those that wait.
        let full = round.waiting.len() + usize::from(WINDOW) >= WAITING as usize;
        if full || round.endpoint.health.is_suspect() || round.replays() > 0 {
            return None;
        }
        let (relay, scope, endpoint, after) = (self.clone(), scope.clone(), round.endpoint.clone(), page.reached);
        Some(tokio::spawn(async move {
            let found = relay.service.webhooks.find_endpoint(&scope, endpoint.id).await?;
            let page = relay.page(found.as_ref().unwrap_or(&endpoint), after, WINDOW).await?;
            Ok((found, page))
        }))
    }

    /// Makes the attempts of a round.
    async fn attempt(
        self: &Arc<Self>,
        scope: &EnvironmentScope,
        round: &mut Round,
        stop: &Stop,
    ) -> (RoundRecord, Outcome) {
        let (endpoint, now) = (&round.endpoint, self.service.clock.now());
        let read = round.page.is_some();
        let page = round.page.take().unwrap_or_else(|| Page::nothing(endpoint.position));
        let waiting = take(&mut round.waiting);
        let replays = waiting.iter().filter(|one| one.kind == DeliveryKind::Replay).count();
        let lanes = plan(waiting, page.fresh, now);
        let most = if endpoint.health.is_suspect() { usize::from(PROBES) } else { usize::MAX };
        // Without randomness, retries come together; that is no reason not to deliver.
        let jitter = self.service.randomness.secret_bytes().unwrap_or([0x80; 32]);
        let work = Arc::new(Work::new(self, (endpoint, scope), page.bodies, lanes, (most, jitter), stop));
        self.attend(endpoint.id, &work, stop.clone()).await;
        let (lanes, tally, complete, failed) = work.result();

        let now = self.service.clock.now();
        let RoundEnd { fresh, changed, waiting, position, next_at } =
            end(lanes, complete, endpoint.position, page.reached, now);
        let (options, jitter) = (&self.options, spread(&jitter, 0));
        let (health, disabled) = endpoint.health.after(tally, now, &options.retries, options.disable_after, jitter);
        let health = match failed {
            Some(Failed::Vault(_)) => Health { paused_until: Some(now.later(SEALED)), ..health },
            _ => health.rested(read || tally != Tally::default(), next_at, now),
        };
        let more = page.has_more || !complete || replays == REPLAYS as usize;
        let go_on = more && failed.is_none() && health.paused_until.is_none() && disabled.is_none() && !*stop.borrow();
        if let Some(reason) = disabled {
            tracing::warn!(endpoint = %endpoint.id, %reason, "a webhook endpoint was disabled");
        }
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
            lease_until: go_on.then(|| now.later(options.lease)),
        };
        (record, Outcome { waiting, position, health, smooth: go_on && complete, go_on, failed })
    }

    /// Lets the attempts be made, and keeps the lease meanwhile. When the server stops, it does not wait for long.
    async fn attend(&self, endpoint: WebhookEndpointId, work: &Arc<Work>, mut stop: Stop) {
        let mut attempts = work.begin();
        let stopped = async {
            // Whoever tells it to stop has gone away: as good as being told.
            let _ = stop.wait_for(|stop| *stop).await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            () = all(&mut attempts) => {}
            () = self.keep_lease(endpoint, work) => {}
            () = stopped => {}
        }
        // What is left is broken off, and has let go of the work when this ends.
        attempts.shutdown().await;
    }

    /// Renews the lease, for as long as it is asked to. When it is lost, no more attempts begin.
    async fn keep_lease(&self, endpoint: WebhookEndpointId, work: &Work) {
        let system = SystemScope::patron();
        loop {
            tokio::time::sleep(self.options.lease / 3).await;
            let until = self.service.clock.now().later(self.options.lease);
            match self.service.webhooks.renew(&system, endpoint, &self.options.holder, until).await {
                Ok(true) => {}
                Ok(false) => work.end(),
                Err(error) => tracing::warn!(%error, "a webhook lease is renewed later"),
            }
        }
    }
}

/// Waits for all attempts. A panic in one of them is as if it had happened here.
async fn all(attempts: &mut JoinSet<()>) {
    while let Some(ended) = attempts.join_next().await {
        if let Err(Ok(panic)) = ended.map_err(JoinError::try_into_panic) {
            resume_unwind(panic);
        }
    }
}

/// The round after one that ran to its end, with what was read meanwhile; `None` when the endpoint is to be served no more.
async fn next(before: Round, outcome: &Outcome, ahead: Ahead) -> Result<Option<Round>, StoreError> {
    let read = ahead.await.unwrap_or_else(|_| Err(StoreError::unavailable("reading ahead broke off")));
    let (Some(found), page) = read? else { return Ok(None) };
    if found.disabled.is_some() || found.event_types != before.endpoint.event_types {
        return Ok(None);
    }
    let endpoint = WebhookEndpoint { position: outcome.position, health: outcome.health, ..found };
    Ok(Some(Round { endpoint, waiting: outcome.waiting.clone(), page: Some(page) }))
}
