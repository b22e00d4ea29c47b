//! The relay: finds endpoints that have something to do, and serves each in a task of its own.
//!
//! Endpoints are leased, so that of several servers one at a time serves an endpoint; a server that vanishes is replaced
//! when its leases end. An endpoint that is slow or dead keeps its own task busy and nobody else's. Nothing is written for
//! an event but when it is delivered or has to wait, so an endpoint that rests costs the writers nothing.

mod attempt;
mod round;

use std::{collections::HashSet, sync::Arc, time::Duration};

use patron_domain::{
    ids::WebhookEndpointId,
    store::StoreError,
    tenancy::SystemScope,
    webhook::{DISABLE_AFTER, LeaseClaim, Retries, WebhookEndpoint, WebhookService},
};
use tokio::{sync::watch, task::JoinSet};

/// How often is looked whether there is anything to do, at least.
const TICK: Duration = Duration::from_secs(1);
/// How often, at most.
const BREATH: Duration = Duration::from_millis(25);
/// The most endpoints that are served at once.
const ENDPOINTS: usize = 128;

/// Tells the relay to stop.
pub type Stop = watch::Receiver<bool>;

/// What the relay works with.
pub struct Relay {
    /// The ports behind webhooks, by which requests and the relay reach the same store.
    pub service: WebhookService,
    /// How it works.
    pub options: RelayOptions,
}

/// How the relay works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayOptions {
    /// The name of its leases: another one for each process that works at the same time.
    pub holder: String,
    /// How long a lease lasts without being renewed.
    pub lease: Duration,
    /// When failed deliveries are repeated.
    pub retries: Retries,
    /// For how long an endpoint may take nothing before it is disabled.
    pub disable_after: Duration,
}

impl RelayOptions {
    /// The defaults, under a name.
    #[must_use]
    pub fn named(holder: impl Into<String>) -> Self {
        let lease = Duration::from_secs(30);
        Self { holder: holder.into(), lease, retries: Retries::default(), disable_after: DISABLE_AFTER }
    }
}

impl Relay {
    /// Relays until it is told to stop; `written` completes soon after something was written to the log by this process.
    /// Attempts that are under way then have three seconds to end.
    pub async fn run<W: Future<Output = ()>>(self: Arc<Self>, mut stop: Stop, written: impl Fn() -> W) {
        let mut serving = HashSet::new();
        let mut tasks = JoinSet::new();
        while !*stop.borrow() {
            match self.claim(&serving).await {
                Ok(endpoints) => {
                    for endpoint in endpoints {
                        serving.insert(endpoint.id);
                        tasks.spawn(self.clone().serve(endpoint, stop.clone()));
                    }
                }
                Err(error) => tracing::warn!(%error, "webhooks are delivered later"),
            }
            // What comes within a breath is found by one look.
            tokio::time::sleep(BREATH).await;
            tokio::select! {
                () = written() => {}
                Some(served) = tasks.join_next() => forget(&mut serving, served),
                () = tokio::time::sleep(TICK) => {}
                // Whoever tells it to stop has gone away.
                changed = stop.changed() => if changed.is_err() { break },
            }
            while let Some(served) = tasks.try_join_next() {
                forget(&mut serving, served);
            }
        }
        while tasks.join_next().await.is_some() {}
    }

    async fn claim(&self, serving: &HashSet<WebhookEndpointId>) -> Result<Vec<WebhookEndpoint>, StoreError> {
        let limit = u16::try_from(ENDPOINTS.saturating_sub(serving.len())).unwrap_or_default();
        if limit == 0 {
            return Ok(Vec::new());
        }
        let now = self.service.clock.now();
        let (holder, until) = (self.options.holder.clone(), now.later(self.options.lease));
        let claim = LeaseClaim { holder, now, until, serving: serving.iter().copied().collect(), limit };
        self.service.webhooks.claim(&SystemScope::patron(), claim).await
    }

    /// Serves an endpoint round by round until there is nothing more to do for now.
    async fn serve(self: Arc<Self>, mut endpoint: WebhookEndpoint, stop: Stop) -> WebhookEndpointId {
        let id = endpoint.id;
        loop {
            match self.round(endpoint, &stop).await {
                Ok(Some(next)) => endpoint = next,
                Ok(None) => break,
                // The lease ends by itself, and somebody tries again.
                Err(error) => {
                    tracing::warn!(%error, endpoint = %id, "a webhook endpoint is served later");
                    break;
                }
            }
        }
        id
    }
}

fn forget(serving: &mut HashSet<WebhookEndpointId>, served: Result<WebhookEndpointId, tokio::task::JoinError>) {
    match served {
        Ok(id) => drop(serving.remove(&id)),
        // Which one it was is not known; without this they would never be served again by this process.
        Err(error) => {
            tracing::error!(%error, "serving a webhook endpoint broke off");
            serving.clear();
        }
    }
}
