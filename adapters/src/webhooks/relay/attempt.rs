//! The attempts of one round. Lanes run concurrently, each in its own order.

use std::{
    collections::HashMap,
    mem::take,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use patron_domain::{
    ids::{EventId, WebhookEndpointId},
    webhook::{Attempt, Attempts, DeliveryError, Lane, Round, RoundResult, Signer, Tally, VaultError, WebhookEndpoint},
};
use tokio::task::JoinSet;

use super::{Relay, Stop};

/// The most concurrent attempts at one endpoint.
pub(super) const CONCURRENCY: usize = 16;
/// After this time a round begins no more attempts, so that its results are saved.
const ROUND: Duration = Duration::from_secs(5);

/// The attempts of a round, shared by the tasks that make them.
pub(super) struct RoundTasks {
    relay: Arc<Relay>,
    endpoint: WebhookEndpoint,
    /// Spreads retries.
    jitter: Vec<u16>,
    signer: Result<Signer, VaultError>,
    /// The bodies of events that were just read, until they are sent.
    bodies: Mutex<HashMap<EventId, Vec<u8>>>,
    lanes: Vec<Mutex<Lane>>,
    /// The first lane that no task has taken.
    next: AtomicUsize,
    /// The most attempts.
    most: usize,
    stop: Stop,
    progress: Mutex<Progress>,
}

#[derive(Default)]
struct Progress {
    begun: usize,
    tally: Tally,
    over: bool,
    error: Option<DeliveryError>,
}

/// A panic while the lock was held leaves a value that can still be used.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl RoundTasks {
    pub(super) fn new(relay: &Arc<Relay>, round: &Round, attempts: Attempts, stop: &Stop) -> Self {
        let Attempts { lanes, most, bodies, signer } = attempts;
        Self {
            relay: relay.clone(),
            endpoint: round.endpoint.clone(),
            jitter: (0..CONCURRENCY).map(|number| round.jitter(number)).collect(),
            signer,
            bodies: Mutex::new(bodies),
            lanes: lanes.into_iter().map(Mutex::new).collect(),
            next: AtomicUsize::new(0),
            most,
            stop: stop.clone(),
            progress: Mutex::default(),
        }
    }

    pub(super) fn endpoint(&self) -> WebhookEndpointId {
        self.endpoint.id
    }

    /// Begins the attempts that are due. Concurrent attempts have a task each. In a single task, every response would
    /// wake the thread that polls all of them.
    #[expect(clippy::disallowed_methods, reason = "the duration of a round is not part of the domain")]
    pub(super) fn begin(self: &Arc<Self>) -> JoinSet<()> {
        let begun = Instant::now();
        let beside = self.lanes.len().min(CONCURRENCY);
        (0..beside).map(|_| self.clone().take_lanes(begun)).collect()
    }

    /// Begins no more attempts.
    pub(super) fn end(&self) {
        lock(&self.progress).over = true;
    }

    /// The result of the attempts. Call it once, after they have ended.
    pub(super) fn result(&self) -> RoundResult {
        let Progress { tally, error, .. } = take(&mut *lock(&self.progress));
        let lanes = self.lanes.iter().map(|lane| take(&mut *lock(lane))).collect();
        RoundResult { lanes, tally, failed: error }
    }

    async fn take_lanes(self: Arc<Self>, begun: Instant) {
        while let Some(lane) = self.lanes.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            self.follow(lane, begun).await;
        }
    }

    async fn follow(&self, lane: &Mutex<Lane>, begun: Instant) {
        loop {
            let Some(event) = lock(lane).next().map(|next| next.event_id) else { return };
            self.relay.commits.turn().await;
            let Some(number) = self.number(begun) else { return };
            match self.attempt(event).await {
                Ok(attempt) => {
                    lock(&self.progress).tally.count(&attempt);
                    let jitter = self.jitter[number % self.jitter.len()];
                    lock(lane).note(attempt, &self.relay.engine.options.retries, jitter);
                }
                Err(error) => {
                    let mut progress = lock(&self.progress);
                    progress.over = true;
                    progress.error.get_or_insert(error);
                    return;
                }
            }
        }
    }

    async fn attempt(&self, event: EventId) -> Result<Attempt, DeliveryError> {
        let Relay { engine, budget, .. } = &*self.relay;
        let known = lock(&self.bodies).remove(&event);
        let (body, _place) = match known {
            Some(body) => (Ok(body), None),
            None => {
                let place = budget.to_read_one(self.endpoint.owner.environment_id).await;
                let body = engine.body(&self.endpoint, event).await?;
                let place = budget.keep_for_one(place, body.as_ref().map_or(0, Vec::len));
                (body, place)
            }
        };
        engine.attempt(&self.signer, event, body).await
    }

    /// The number of an attempt that may begin. `None` if no further one may.
    fn number(&self, begun: Instant) -> Option<usize> {
        let mut progress = lock(&self.progress);
        let over = progress.over || progress.tally.is_over() || progress.begun >= self.most || begun.elapsed() > ROUND;
        if over || *self.stop.borrow() {
            return None;
        }
        progress.begun += 1;
        Some(progress.begun)
    }
}
