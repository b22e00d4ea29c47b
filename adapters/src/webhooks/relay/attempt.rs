//! The attempts of one round: lanes beside each other, each in its order.

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
    ids::EventId,
    store::StoreError,
    tenancy::EnvironmentScope,
    webhook::{Attempt, Lane, SendFailure, Signer, Tally, VaultError, WebhookEndpoint, WebhookService},
};

use tokio::task::JoinSet;

use super::{Relay, Stop};
use crate::share;

/// The most attempts at one endpoint at once.
const CONCURRENCY: usize = 16;
/// After how long a round begins no more attempts, so that what was done is written down.
const ROUND: Duration = Duration::from_secs(5);

/// What one round works on.
pub(super) struct Work {
    relay: Arc<Relay>,
    scope: EnvironmentScope,
    signer: Result<Signer, VaultError>,
    /// What is told of the events that were just read, until it is sent.
    bodies: Mutex<HashMap<EventId, Vec<u8>>>,
    lanes: Vec<Mutex<Lane>>,
    /// The first lane that nobody follows yet.
    next: AtomicUsize,
    /// The most attempts.
    most: usize,
    jitter: [u8; 32],
    stop: Stop,
    progress: Mutex<Progress>,
}

#[derive(Default)]
struct Progress {
    begun: usize,
    tally: Tally,
    over: bool,
    error: Option<Failed>,
}

/// Why a round ended early.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// One of the numbers for spreading retries that one draw of randomness holds.
pub(super) fn jitter(bytes: &[u8; 32], number: usize) -> u16 {
    let at = 2 * (number % (bytes.len() / 2));
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

/// A panic while it was held leaves a value that is as good as any.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Work {
    pub(super) fn new(
        relay: &Arc<Relay>,
        (endpoint, scope): (&WebhookEndpoint, &EnvironmentScope),
        bodies: HashMap<EventId, Vec<u8>>,
        lanes: Vec<Lane>,
        (most, jitter): (usize, [u8; 32]),
        stop: &Stop,
    ) -> Self {
        let (relay, scope, stop) = (relay.clone(), scope.clone(), stop.clone());
        let lanes = lanes.into_iter().map(Mutex::new).collect();
        let signer = endpoint.signer(relay.service.vault.as_ref());
        let (bodies, next, progress) = (Mutex::new(bodies), AtomicUsize::new(0), Mutex::default());
        Self { relay, scope, signer, bodies, lanes, next, most, jitter, stop, progress }
    }

    /// Begins the attempts that are due. Each that runs beside others is a task of its own: in one task, every answer would
    /// wake the thread that polls all of them.
    #[expect(clippy::disallowed_methods, reason = "how long a round has taken is no fact of the domain")]
    pub(super) fn begin(self: &Arc<Self>) -> JoinSet<()> {
        let begun = Instant::now();
        let beside = self.lanes.len().min(CONCURRENCY);
        (0..beside).map(|_| self.clone().follow_lanes(begun)).collect()
    }

    /// Begins no more attempts.
    pub(super) fn end(&self) {
        lock(&self.progress).over = true;
    }

    /// What the attempts came to, whether every lane ran to its end, and what went wrong with anything but an attempt.
    pub(super) fn result(&self) -> (Vec<Lane>, Tally, bool, Option<Failed>) {
        let Progress { tally, error, .. } = take(&mut *lock(&self.progress));
        let lanes: Vec<_> = self.lanes.iter().map(|lane| take(&mut *lock(lane))).collect();
        let complete = lanes.iter().all(|lane| lane.next().is_none());
        (lanes, tally, complete, error)
    }

    async fn follow_lanes(self: Arc<Self>, begun: Instant) {
        while let Some(lane) = self.lanes.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            self.follow(lane, begun).await;
        }
    }

    async fn follow(&self, lane: &Mutex<Lane>, begun: Instant) {
        loop {
            let Some(event) = lock(lane).next().map(|next| next.event_id) else { return };
            share::turn().await;
            let Some(number) = self.number(begun) else { return };
            let attempt = match self.attempt(event).await {
                Ok(attempt) => attempt,
                Err(error) => {
                    let mut progress = lock(&self.progress);
                    progress.over = true;
                    progress.error.get_or_insert(error);
                    return;
                }
            };
            self.count(&attempt);
            lock(lane).note(attempt, &self.relay.options.retries, jitter(&self.jitter, number));
        }
    }

    /// The number of an attempt that may begin; `None` when none may.
    fn number(&self, begun: Instant) -> Option<usize> {
        let mut progress = lock(&self.progress);
        let over =
            progress.over || progress.tally.is_hopeless() || progress.begun >= self.most || begun.elapsed() > ROUND;
        if over || *self.stop.borrow() {
            return None;
        }
        progress.begun += 1;
        Some(progress.begun)
    }

    fn count(&self, attempt: &Attempt) {
        let mut progress = lock(&self.progress);
        if attempt.is_success() {
            progress.tally.delivered += 1;
        } else if attempt.outcome != Err(SendFailure::EventGone) {
            progress.tally.failed += 1;
        }
        progress.tally.gone |= attempt.is_gone();
        progress.over |= attempt.is_gone();
    }

    async fn attempt(&self, event: EventId) -> Result<Attempt, Failed> {
        let WebhookService { events, body, sender, clock, .. } = &self.relay.service;
        let signer = self.signer.as_ref().map_err(Clone::clone)?;
        let known = lock(&self.bodies).remove(&event);
        let body = match known {
            Some(body) => Some(body),
            None => events.find(&self.scope, event).await?.map(|event| body.event(&event)),
        };
        let now = clock.now();
        let Some(body) = body else {
            let outcome = Err(SendFailure::EventGone);
            return Ok(Attempt { at: now, took: Duration::ZERO, outcome, answer: String::new() });
        };
        Ok(sender.send(signer.request(event, body, now)).await)
    }
}
