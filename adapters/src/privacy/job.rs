//! The job that redacts customers after their cool-down, a group at a time, in bounded transactions.
//!
//! A group is redacted completely. Then the database removes old versions of the records, and the group is counted and
//! completed. If a server fails, its leases end and another one continues: every step can be repeated.

use std::{collections::HashMap, sync::Arc, time::Duration};

use patron_domain::{
    Clock,
    ids::IdGenerator,
    privacy::{DeletionRequest, DeletionState, ErasureClaim, PrivacyRepository, Redaction, RedactionStep},
    store::StoreError,
    tenancy::SystemScope,
};
use tokio::sync::watch;

use super::PrivacyKeys;
use crate::{commits::Listener, metrics};

/// Signals the job to stop.
pub type Stop = watch::Receiver<bool>;

/// The longest time between two checks for due requests.
const TICK: Duration = Duration::from_secs(1);
/// The shortest time between two checks.
const BREATH: Duration = Duration::from_millis(50);
/// The most requests in a group.
const GROUP: u16 = 64;
/// The most requests of one environment in a group, so that others get their turn.
const OF_ONE: u16 = 32;
/// The most records that one transaction redacts: few enough to delay other writers only briefly.
const STEP: u32 = 200;

/// Redacts customers whose cool-down is over.
pub struct ErasureJob {
    /// The store.
    pub privacy: Arc<dyn PrivacyRepository>,
    /// Opens the keys that other servers made.
    pub keys: PrivacyKeys,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Generates ids.
    pub ids: Arc<dyn IdGenerator>,
    /// The holder's name in leases. Every concurrent process needs a different one.
    pub holder: String,
    /// The length of a lease.
    pub lease: Duration,
}

impl ErasureJob {
    /// Runs until the stop signal. Commits of this process wake it.
    pub async fn run(self, mut stop: Stop, mut commits: Listener) {
        let mut knows_keys = false;
        while !*stop.borrow() {
            if !knows_keys {
                knows_keys = self.keys.load().await.unwrap_or_else(|error| {
                    tracing::warn!(%error, "the keys for erasures were not opened; this will be retried");
                    false
                });
            }
            let worked = self.round(&stop).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "erasing customers failed for now and will be retried");
                false
            });
            tokio::time::sleep(BREATH).await;
            if !worked {
                tokio::select! {
                    () = commits.next() => {}
                    () = tokio::time::sleep(TICK) => {}
                    // The sender of the stop signal is gone.
                    changed = stop.changed() => if changed.is_err() { break },
                }
            }
        }
    }

    /// Erases a group of customers. Returns whether there were any.
    async fn round(&self, stop: &Stop) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let claim = ErasureClaim {
            holder: self.holder.clone(),
            now,
            until: now.later(self.lease),
            limit: GROUP,
            most_of_one: OF_ONE,
            under_way: HashMap::new(),
        };
        let mut group = self.privacy.claim(&SystemScope::patron(), claim).await?;
        let worked = !group.is_empty();
        // Repeated for customers with records left.
        for _ in 0..DeletionRequest::MAX_ATTEMPTS {
            if group.is_empty() || *stop.borrow() {
                break;
            }
            let redacted = futures_util::future::join_all(group.iter().map(|request| self.redact(request, stop)));
            let redacted: Vec<_> = redacted.await.into_iter().flatten().collect();
            if redacted.is_empty() {
                break;
            }
            // Without this, a log of changes would still hold the redacted data.
            self.privacy.forget(&SystemScope::patron()).await?;
            let verified = futures_util::future::join_all(redacted.iter().map(|request| self.verify(request)));
            group = verified.await.into_iter().flatten().collect();
            group.retain(|request| request.state == DeletionState::Redacting);
        }
        Ok(worked)
    }

    fn step(&self, request: &DeletionRequest) -> RedactionStep {
        let at = self.clock.now();
        RedactionStep {
            owner: request.owner,
            id: request.id,
            holder: self.holder.clone(),
            until: at.later(self.lease),
            ids: self.ids.start(at),
            at,
            limit: STEP,
        }
    }

    /// Redacts a customer; `None` if another server has it, or it will be continued later.
    async fn redact(&self, request: &DeletionRequest, stop: &Stop) -> Option<DeletionRequest> {
        loop {
            match self.privacy.redact(&SystemScope::patron(), self.step(request)).await {
                Ok(Some(Redaction { request, more: false })) => return Some(request),
                Ok(Some(_)) if *stop.borrow() => return None,
                Ok(Some(_)) => {}
                Ok(None) => return None,
                Err(error) => {
                    tracing::warn!(%error, request = %request.id, "a redaction stopped; it continues when its lease ends");
                    return None;
                }
            }
        }
    }

    async fn verify(&self, request: &DeletionRequest) -> Option<DeletionRequest> {
        match self.privacy.verify(&SystemScope::patron(), self.step(request)).await {
            Ok(verified) => verified.inspect(note),
            Err(error) => {
                tracing::warn!(%error, request = %request.id, "counting stopped; it is repeated when its lease ends");
                None
            }
        }
    }
}

fn note(request: &DeletionRequest) {
    match request.state {
        DeletionState::Completed => {
            metrics::erasure("completed");
            tracing::info!(request = %request.id, "a customer was erased");
        }
        DeletionState::Failed => {
            metrics::erasure("failed");
            tracing::error!(request = %request.id, "an erasure left data behind; it is tried again in an hour");
        }
        _ => {}
    }
}
