//! The attempts of one round: lanes beside each other, each in its order.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use patron_domain::{
    event::EventRecord,
    ids::EventId,
    store::StoreError,
    tenancy::EnvironmentScope,
    webhook::{Attempt, Delivery, Lane, SendFailure, Tally, VaultError, WebhookEndpoint, WebhookService},
};

use super::{Relay, Stop};

/// The most attempts at one endpoint at once.
const CONCURRENCY: usize = 16;
/// After how long a round begins no more attempts, so that what was done is written down.
const ROUND: Duration = Duration::from_secs(5);

/// What one round works on.
pub(super) struct Work<'a> {
    pub(super) relay: &'a Relay,
    pub(super) endpoint: &'a WebhookEndpoint,
    pub(super) scope: &'a EnvironmentScope,
    /// The events that were just read.
    pub(super) events: HashMap<EventId, EventRecord>,
    pub(super) lanes: Vec<Mutex<Lane>>,
    /// The most attempts.
    pub(super) most: usize,
    pub(super) jitter: [u8; 32],
    pub(super) stop: &'a Stop,
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

impl<'a> Work<'a> {
    pub(super) fn new(
        relay: &'a Relay,
        (endpoint, scope): (&'a WebhookEndpoint, &'a EnvironmentScope),
        events: HashMap<EventId, EventRecord>,
        lanes: Vec<Lane>,
        (most, jitter): (usize, [u8; 32]),
        stop: &'a Stop,
    ) -> Self {
        let lanes = lanes.into_iter().map(Mutex::new).collect();
        Self { relay, endpoint, scope, events, lanes, most, jitter, stop, progress: Mutex::default() }
    }

    /// Makes the attempts that are due.
    #[expect(clippy::disallowed_methods, reason = "how long a round has taken is no fact of the domain")]
    pub(super) async fn run(&self) {
        let begun = Instant::now();
        stream::iter(&self.lanes).for_each_concurrent(CONCURRENCY, |lane| self.follow(lane, begun)).await;
    }

    /// Begins no more attempts.
    pub(super) fn end(&self) {
        lock(&self.progress).over = true;
    }

    /// What the attempts came to, whether every lane ran to its end, and what went wrong with anything but an attempt.
    pub(super) fn result(self) -> (Vec<Lane>, Tally, bool, Option<Failed>) {
        let Progress { tally, error, .. } = self.progress.into_inner().unwrap_or_else(PoisonError::into_inner);
        let lanes = self.lanes.into_iter().map(|lane| lane.into_inner().unwrap_or_else(PoisonError::into_inner));
        let lanes: Vec<_> = lanes.collect();
        let complete = lanes.iter().all(|lane| lane.next().is_none());
        (lanes, tally, complete, error)
    }

    async fn follow(&self, lane: &Mutex<Lane>, begun: Instant) {
        loop {
            let Some(next) = lock(lane).next().cloned() else { return };
            let Some(number) = self.begin(begun) else { return };
            let attempt = match self.attempt(&next).await {
                Ok(attempt) => attempt,
                Err(error) => {
                    let mut progress = lock(&self.progress);
                    progress.over = true;
                    progress.error.get_or_insert(error);
                    return;
                }
            };
            self.count(&attempt);
            lock(lane).note(next.after(attempt, &self.relay.options.retries, jitter(&self.jitter, number)));
        }
    }

    /// The number of an attempt that may begin; `None` when none may.
    fn begin(&self, begun: Instant) -> Option<usize> {
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

    async fn attempt(&self, delivery: &Delivery) -> Result<Attempt, Failed> {
        let WebhookService { events, body, vault, sender, clock, .. } = &self.relay.service;
        let body = match self.events.get(&delivery.event_id) {
            Some(event) => Some(body.event(event)),
            None => events.find(self.scope, delivery.event_id).await?.map(|event| body.event(&event)),
        };
        let now = clock.now();
        let Some(body) = body else {
            let outcome = Err(SendFailure::EventGone);
            return Ok(Attempt { at: now, took: Duration::ZERO, outcome, answer: String::new() });
        };
        let request = self.endpoint.request(vault.as_ref(), delivery.event_id, body, now)?;
        Ok(sender.send(request).await)
    }
}
