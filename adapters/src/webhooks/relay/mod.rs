//! The relay: drives the domain's [`DeliveryEngine`]. It finds endpoints that have work, and serves each in its own
//! task, so a slow or dead endpoint delays no other.
//!
//! Endpoints are leased, so only one of several servers serves an endpoint at a time. If a server vanishes, another
//! takes over as soon as its leases end. An event causes a write only when it is delivered or has to wait, so idle
//! endpoints cost nothing.

mod attempt;
mod budget;
mod journal;
mod round;

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

pub use self::budget::Budget;

use patron_domain::{
    ids::WebhookEndpointId,
    lifecycle::Owner,
    store::StoreError,
    webhook::{DeliveryEngine, WebhookEndpoint},
};
use tokio::{sync::watch, task::JoinSet};

use crate::commits::Commits;

/// The longest pause between two checks for work.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// The shortest pause.
const SHORTEST_PAUSE: Duration = Duration::from_millis(25);
/// The most endpoints that are served concurrently. Environments share them.
const ENDPOINTS: usize = 128;
/// While most places are in use, an endpoint that was served for this time gives its place to others.
const TURN: Duration = Duration::from_secs(5);

/// The endpoints that are served, and their owners.
type Serving = HashMap<WebhookEndpointId, Owner>;

/// Becomes `true` when the relay must stop.
pub type Stop = watch::Receiver<bool>;

/// Delivers webhooks in the background.
pub struct Relay {
    /// Decides what is delivered, when and in which order.
    pub engine: DeliveryEngine,
    /// The commits of this process: they wake the relay, and pace it while many clients write.
    pub commits: Arc<Commits>,
    /// The limit of its memory.
    pub budget: Budget,
}

impl Relay {
    /// Delivers until `stop` becomes `true`. Running attempts then have three seconds to end.
    pub async fn run(self: Arc<Self>, mut stop: Stop) {
        let (mut serving, mut tasks, mut listener) = (Serving::new(), JoinSet::new(), self.commits.listen());
        let crowded = Arc::new(AtomicBool::new(false));
        while !*stop.borrow() {
            match self.claim(&serving).await {
                Ok(endpoints) => {
                    for endpoint in endpoints {
                        serving.insert(endpoint.id, endpoint.owner);
                        tasks.spawn(self.clone().serve(endpoint, crowded.clone(), stop.clone()));
                    }
                }
                Err(error) => tracing::warn!(%error, "looking for webhook deliveries failed and will be retried"),
            }
            crowded.store(serving.len() > ENDPOINTS / 4 * 3, Ordering::Relaxed);
            // One check finds all commits of this period.
            tokio::time::sleep(SHORTEST_PAUSE).await;
            tokio::select! {
                () = listener.next() => {}
                Some(served) = tasks.join_next() => forget(&mut serving, served),
                () = tokio::time::sleep(LONGEST_PAUSE) => {}
                // An error: the sender was dropped.
                changed = stop.changed() => if changed.is_err() { break },
            }
            while let Some(served) = tasks.try_join_next() {
                forget(&mut serving, served);
            }
        }
        while tasks.join_next().await.is_some() {}
    }

    async fn claim(&self, serving: &Serving) -> Result<Vec<WebhookEndpoint>, StoreError> {
        if serving.len() >= ENDPOINTS {
            return Ok(Vec::new());
        }
        let places = u16::try_from(ENDPOINTS).unwrap_or(u16::MAX);
        self.engine.claim(serving.iter().map(|(id, owner)| (*id, *owner)).collect(), places).await
    }

    /// Serves an endpoint round by round, until it has no more work for now or has to give its place to others. It then
    /// keeps its lease, under which this relay claims it again.
    #[expect(clippy::disallowed_methods, reason = "the length of a turn is not part of the domain")]
    async fn serve(
        self: Arc<Self>,
        mut endpoint: WebhookEndpoint,
        crowded: Arc<AtomicBool>,
        stop: Stop,
    ) -> WebhookEndpointId {
        let (id, begun) = (endpoint.id, Instant::now());
        loop {
            match self.rounds(endpoint, &stop).await {
                Ok(Some(_)) if crowded.load(Ordering::Relaxed) && begun.elapsed() > TURN => break,
                Ok(Some(next)) => endpoint = next,
                Ok(None) => break,
                // The endpoint is claimed again when its lease has ended.
                Err(error) => {
                    tracing::warn!(%error, endpoint = %id, "serving a webhook endpoint failed and will be retried");
                    break;
                }
            }
        }
        id
    }
}

fn forget(serving: &mut Serving, served: Result<WebhookEndpointId, tokio::task::JoinError>) {
    match served {
        Ok(id) => drop(serving.remove(&id)),
        // A failed task does not name its endpoint. If all stayed in the set, this process would never serve that one
        // again.
        Err(error) => {
            tracing::error!(%error, "serving a webhook endpoint stopped unexpectedly");
            serving.clear();
        }
    }
}
