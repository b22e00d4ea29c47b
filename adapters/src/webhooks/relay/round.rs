//! One round at one endpoint: read, attempt, write down.

use std::{collections::HashMap, time::Duration};

use patron_domain::{
    event::{EventLimit, EventPage, EventQuery},
    ids::IdSequence,
    store::StoreError,
    tenancy::{EnvironmentScope, SystemScope},
    time::Timestamp,
    webhook::{Delivery, DeliveryKind, Health, RoundRecord, Tally, WebhookEndpoint, end, plan},
};

use super::{
    Relay, Stop,
    attempt::{Failed, Work, jitter as spread},
};

/// The most events that are read in one round.
const WINDOW: u16 = 256;
/// The most first deliveries of an endpoint that wait; no event is read while there are as many.
const WAITING: u32 = 1_000;
/// The most replays of one round.
const REPLAYS: u32 = 256;
/// The most attempts at an endpoint that failed the last time.
const PROBES: u16 = 4;
/// How long an endpoint rests whose secrets do not open.
const SEALED: Duration = Duration::from_secs(60);
/// How long attempts that are under way may take when the server stops.
const GRACE: Duration = Duration::from_secs(3);

impl Relay {
    /// One round. Answers the endpoint when the next one is to follow at once.
    pub(super) async fn round(
        &self,
        endpoint: WebhookEndpoint,
        stop: &Stop,
    ) -> Result<Option<WebhookEndpoint>, StoreError> {
        let system = SystemScope::patron();
        let scope = EnvironmentScope { owner: endpoint.owner, actor: system.actor.clone() };
        let now = self.service.clock.now();
        let waiting =
            self.service.webhooks.waiting(&scope, endpoint.id, now, WAITING + u32::from(WINDOW), REPLAYS).await?;
        let replays = waiting.iter().filter(|one| one.kind == DeliveryKind::Replay).count();
        let page = self.read(&system, &endpoint, &waiting, replays, now).await?;
        let read = page.is_some();
        let page = page.unwrap_or(EventPage { events: vec![], reached: endpoint.position, has_more: false });
        let mut ids = self.service.ids.start(now);
        let fresh = |event| Delivery::of(event, endpoint.id, DeliveryKind::First, &mut ids as &mut IdSequence, now);
        let lanes = plan(waiting, page.events.iter().map(fresh).collect(), now);
        let events: HashMap<_, _> = page.events.into_iter().map(|event| (event.id, event)).collect();
        let most = if endpoint.health.is_suspect() { usize::from(PROBES) } else { usize::MAX };
        // Without randomness, retries come together; that is no reason not to deliver.
        let jitter = self.service.randomness.secret_bytes().unwrap_or([0x80; 32]);
        let work = Work::new(self, (&endpoint, &scope), events, lanes, (most, jitter), stop);
        self.attend(&work, stop.clone()).await;
        let (lanes, tally, complete, failed) = work.result();

        let now = self.service.clock.now();
        let ended = end(lanes, complete, endpoint.position, page.reached, now);
        let (options, jitter) = (&self.options, spread(&jitter, 0));
        let (health, disabled) = endpoint.health.after(tally, now, &options.retries, options.disable_after, jitter);
        let health = match failed {
            Some(Failed::Vault(_)) => Health { paused_until: Some(now.later(SEALED)), ..health },
            _ => health.rested(read || tally != Tally::default(), ended.next_at, now),
        };
        let more = page.has_more || !complete || replays == REPLAYS as usize;
        let go_on = more && failed.is_none() && health.paused_until.is_none() && disabled.is_none() && !*stop.borrow();
        let record = RoundRecord {
            owner: endpoint.owner,
            endpoint_id: endpoint.id,
            holder: self.options.holder.clone(),
            deliveries: ended.deliveries,
            position: ended.position,
            health,
            disabled,
            at: now,
            lease_until: go_on.then(|| now.later(self.options.lease)),
        };
        if let Some(reason) = disabled {
            tracing::warn!(endpoint = %endpoint.id, %reason, "a webhook endpoint was disabled");
        }
        if !self.service.webhooks.record(&system, record).await? {
            tracing::warn!(endpoint = %endpoint.id, "a webhook endpoint's lease was lost; some deliveries come twice");
            return Ok(None);
        }
        match failed {
            Some(Failed::Store(error)) => Err(error),
            Some(Failed::Vault(error)) => {
                tracing::error!(%error, endpoint = %endpoint.id, "a webhook endpoint cannot be served");
                Ok(None)
            }
            // It may have been changed meanwhile.
            None if go_on => {
                let found = self.service.webhooks.find_endpoint(&scope, endpoint.id).await?;
                Ok(found.filter(|endpoint| endpoint.disabled.is_none()))
            }
            None => Ok(None),
        }
    }

    /// Reads the log on, unless there is enough to do; `None` when it was left alone.
    async fn read(
        &self,
        system: &SystemScope,
        endpoint: &WebhookEndpoint,
        waiting: &[Delivery],
        replays: usize,
        now: Timestamp,
    ) -> Result<Option<EventPage>, StoreError> {
        let suspect = endpoint.health.is_suspect();
        let full = waiting.len() - replays >= WAITING as usize;
        if full || (suspect && waiting.iter().any(|delivery| delivery.is_due(now))) {
            return Ok(None);
        }
        let query = EventQuery {
            after: endpoint.position,
            types: endpoint.event_types.types(),
            limit: EventLimit::new(if suspect { PROBES } else { WINDOW }).unwrap_or_default(),
            ..EventQuery::default()
        };
        self.service.events.read_in(system, endpoint.owner, &query).await.map(Some)
    }

    /// Lets the attempts be made, and keeps the lease meanwhile. When the server stops, it does not wait for long.
    async fn attend(&self, work: &Work<'_>, mut stop: Stop) {
        let stopped = async {
            // Whoever tells it to stop has gone away: as good as being told.
            let _ = stop.wait_for(|stop| *stop).await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            () = work.run() => {}
            () = self.keep_lease(work) => {}
            () = stopped => {}
        }
    }

    /// Renews the lease, for as long as it is asked to. When it is lost, no more attempts begin.
    async fn keep_lease(&self, work: &Work<'_>) {
        let system = SystemScope::patron();
        loop {
            tokio::time::sleep(self.options.lease / 3).await;
            let until = self.service.clock.now().later(self.options.lease);
            match self.service.webhooks.renew(&system, work.endpoint.id, &self.options.holder, until).await {
                Ok(true) => {}
                Ok(false) => work.end(),
                Err(error) => tracing::warn!(%error, "a webhook lease is renewed later"),
            }
        }
    }
}
