//! The job that redacts customers after their cool-down, a group at a time, in bounded transactions.
//!
//! A group is redacted completely. Then the database removes old versions of the records, and the group is counted and
//! completed. If a server fails, its leases end and another one continues: every step can be repeated.

use std::{collections::HashMap, sync::Arc, time::Duration};

use patron_domain::{
    Clock,
    ids::{DeletionRequestId, IdGenerator},
    lifecycle::Owner,
    privacy::{DeletionRequest, DeletionState, ErasureClaim, PrivacyRepository, RedactionStep},
    store::StoreError,
    tenancy::SystemScope,
};
use tokio::sync::watch;

use super::{PrivacyKeys, RetentionTurns};
use crate::{
    commits::{Commits, Listener},
    metrics,
};

/// Signals the job to stop.
pub type Stop = watch::Receiver<bool>;

/// The longest time between two checks for due requests.
const TICK: Duration = Duration::from_secs(1);
/// The shortest time between two checks.
const BREATH: Duration = Duration::from_millis(50);
/// The most requests in a group. A group ends with an effort of its own: the database removes old versions of records.
const GROUP: u16 = 256;
/// The most requests of one environment in a group while others wait.
const OF_ONE: u16 = 128;
/// The most requests of one environment that share a transaction.
pub(super) const TOGETHER: u16 = 32;
/// The most records that one transaction redacts: few enough to delay other writers only briefly.
const STEP: u32 = 400;

/// Redacts customers whose cool-down is over.
pub struct ErasureJob {
    /// The store.
    pub privacy: Arc<dyn PrivacyRepository>,
    /// Requests the deletion of customers whose retention has ended.
    pub retention: RetentionTurns,
    /// Opens the keys that other servers made.
    pub keys: PrivacyKeys,
    /// Paces the job while many clients write.
    pub commits: Arc<Commits>,
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
    pub async fn run(mut self, mut stop: Stop, mut commits: Listener) {
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
            if !worked {
                tokio::time::sleep(BREATH).await;
                tokio::select! {
                    () = commits.next() => {}
                    () = tokio::time::sleep(TICK) => {}
                    // The sender of the stop signal is gone.
                    changed = stop.changed() => if changed.is_err() { break },
                }
            }
        }
    }

    /// Erases a group of customers, then requests the deletion of customers whose retention has ended. Returns whether there were any.
    ///
    /// As long as a group is full, retention makes no requests. So they never delay the request of a person for long.
    pub async fn round(&mut self, stop: &Stop) -> Result<bool, StoreError> {
        let erased = self.erase(stop).await?;
        if erased == usize::from(GROUP) || *stop.borrow() {
            return Ok(true);
        }
        let retained = self.retention.turn(&self.keys, &self.commits).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "retention failed for now and will be retried");
            false
        });
        Ok(erased > 0 || retained)
    }

    /// Erases a group of customers. Returns their number.
    async fn erase(&self, stop: &Stop) -> Result<usize, StoreError> {
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
        let number = group.len();
        // Repeated for customers with records left.
        for _ in 0..DeletionRequest::MAX_ATTEMPTS {
            if group.is_empty() || *stop.borrow() {
                break;
            }
            let mut redacted = Vec::new();
            for (owner, requests) in together(&group) {
                redacted.extend(self.redact(owner, requests, stop).await);
            }
            if redacted.is_empty() {
                break;
            }
            // Without this, a log of changes would still hold the redacted data.
            self.privacy.forget(&SystemScope::patron()).await?;
            group.clear();
            for (owner, requests) in together(&redacted) {
                group.extend(self.verify(owner, requests).await);
            }
            group.retain(|request| request.state == DeletionState::Redacting);
        }
        Ok(number)
    }

    fn step(&self, owner: Owner, requests: Vec<DeletionRequestId>) -> RedactionStep {
        let at = self.clock.now();
        RedactionStep {
            owner,
            requests,
            holder: self.holder.clone(),
            until: at.later(self.lease),
            ids: self.ids.start(at),
            at,
            limit: STEP,
        }
    }

    /// Redacts customers. Those that another server has, or that will be continued later, are left out.
    async fn redact(&self, owner: Owner, requests: Vec<DeletionRequestId>, stop: &Stop) -> Vec<DeletionRequest> {
        let (mut left, mut redacted) = (requests, Vec::new());
        while !left.is_empty() {
            let step = self.step(owner, std::mem::take(&mut left));
            match self.commits.share(self.privacy.redact(&SystemScope::patron(), step)).await {
                Ok(_) if *stop.borrow() => break,
                Ok(done) => {
                    let (more, complete): (Vec<_>, Vec<_>) = done.into_iter().partition(|one| one.more);
                    left = more.into_iter().map(|one| one.request.id).collect();
                    redacted.extend(complete.into_iter().map(|one| one.request));
                }
                Err(error) => tracing::warn!(%error, "a redaction stopped; it continues when its lease ends"),
            }
        }
        redacted
    }

    async fn verify(&self, owner: Owner, requests: Vec<DeletionRequestId>) -> Vec<DeletionRequest> {
        let step = self.step(owner, requests);
        match self.commits.share(self.privacy.verify(&SystemScope::patron(), step)).await {
            Ok(verified) => verified.into_iter().inspect(note).collect(),
            Err(error) => {
                tracing::warn!(%error, "counting stopped; it is repeated when its lease ends");
                Vec::new()
            }
        }
    }
}

/// The requests that share transactions: a few of one environment.
fn together(group: &[DeletionRequest]) -> Vec<(Owner, Vec<DeletionRequestId>)> {
    let mut by_owner: HashMap<Owner, Vec<DeletionRequestId>> = HashMap::new();
    for request in group {
        by_owner.entry(request.owner).or_default().push(request.id);
    }
    let shared = by_owner.into_iter().flat_map(|(owner, ids)| {
        let parts = ids.chunks(TOGETHER.into()).map(|part| (owner, part.to_vec()));
        parts.collect::<Vec<_>>()
    });
    shared.collect()
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
