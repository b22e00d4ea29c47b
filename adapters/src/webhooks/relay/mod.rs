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

use std::{collections::HashSet, sync::Arc, time::Duration};

pub use self::budget::Budget;

use patron_domain::{
    ids::WebhookEndpointId,
    store::StoreError,
    webhook::{DeliveryEngine, WebhookEndpoint},
};
use tokio::{sync::watch, task::JoinSet};

use crate::commits::Commits;

/// The longest pause between two checks for work.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// The shortest pause.
const SHORTEST_PAUSE: Duration = Duration::from_millis(25);
/// The most endpoints that are served concurrently.
const ENDPOINTS: usize = 128;

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
        let (mut serving, mut tasks, mut listener) = (HashSet::new(), JoinSet::new(), self.commits.listen());
        while !*stop.borrow() {
            match self.claim(&serving).await {
                Ok(endpoints) => {
                    for endpoint in endpoints {
                        serving.insert(endpoint.id);
                        tasks.spawn(self.clone().serve(endpoint, stop.clone()));
                    }
                }
                Err(error) => tracing::warn!(%error, "looking for webhook deliveries failed and will be retried"),
            }
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

    async fn claim(&self, serving: &HashSet<WebhookEndpointId>) -> Result<Vec<WebhookEndpoint>, StoreError> {
        match u16::try_from(ENDPOINTS.saturating_sub(serving.len())).unwrap_or_default() {
            0 => Ok(Vec::new()),
            limit => self.engine.claim(serving.iter().copied().collect(), limit).await,
        }
    }

    /// Serves an endpoint round by round until it has no more work for now.
    async fn serve(self: Arc<Self>, mut endpoint: WebhookEndpoint, stop: Stop) -> WebhookEndpointId {
        let id = endpoint.id;
        loop {
            match self.rounds(endpoint, &stop).await {
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

fn forget(serving: &mut HashSet<WebhookEndpointId>, served: Result<WebhookEndpointId, tokio::task::JoinError>) {
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
