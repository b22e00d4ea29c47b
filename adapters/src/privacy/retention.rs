//! Retention: requests for customers that were archived long ago, and the removal of old former external ids.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use patron_domain::{
    Clock,
    ids::IdGenerator,
    lifecycle::Owner,
    privacy::{CustomerRetention, PrivacyError, ReceiptSigner, Retention, RetentionStep},
    tenancy::{Actor, EnvironmentScope, SystemScope},
    time::Timestamp,
};

use super::{PrivacyKeys, job::TOGETHER};
use crate::commits::Commits;

/// The time between two looks at the settings while nothing is old.
const TICK: Duration = Duration::from_secs(5);
/// The steps of an environment in one turn.
const STEPS: u16 = 4;

/// The retention of all environments, which take turns.
pub struct RetentionTurns {
    /// The store.
    pub retention: Arc<dyn CustomerRetention>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Generates ids.
    pub ids: Arc<dyn IdGenerator>,
    /// The environments that have not had their turn.
    waiting: VecDeque<Owner>,
    next_look: Option<Timestamp>,
}

impl RetentionTurns {
    /// The turns of a store.
    pub fn new(retention: Arc<dyn CustomerRetention>, clock: Arc<dyn Clock>, ids: Arc<dyn IdGenerator>) -> Self {
        Self { retention, clock, ids, waiting: VecDeque::new(), next_look: None }
    }

    /// Takes the turn of the next environment with something old. Returns whether there was one.
    ///
    /// # Errors
    /// When the store fails, or the keys cannot be opened.
    pub(super) async fn turn(&mut self, keys: &PrivacyKeys, commits: &Commits) -> Result<bool, PrivacyError> {
        let now = self.clock.now();
        if self.waiting.is_empty() && self.next_look.is_none_or(|next| next <= now) {
            let settings = self.retention.settings(&SystemScope::patron()).await?;
            self.waiting = settings.into_iter().map(|(owner, _)| owner).collect();
            self.next_look = Some(now.later(TICK));
        }
        while let Some(owner) = self.waiting.pop_front() {
            // Read again, because it may have been changed or deleted while others had their turns.
            let setting = self.retention.setting(&EnvironmentScope::new(owner, Actor::system())).await?;
            let Some(Retention { archived_days, former_ids_days }) = setting.map(|setting| setting.retention) else {
                continue;
            };
            let requested = match archived_days {
                Some(days) => self.request(owner, days.before(now), keys, commits).await?,
                None => false,
            };
            let forgotten = match former_ids_days {
                Some(days) => self.forget(owner, days.before(now), commits).await?,
                None => false,
            };
            if requested || forgotten {
                // There may be more. The next look follows the turns of the others, and leaves out suspended tenants.
                self.next_look = None;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Makes requests for some customers. Returns whether there may be more.
    async fn request(
        &self,
        owner: Owner,
        before: Timestamp,
        keys: &PrivacyKeys,
        commits: &Commits,
    ) -> Result<bool, PrivacyError> {
        keys.open().await?;
        for _ in 0..STEPS {
            let step = self.step(owner, before);
            let requested = commits.share(self.retention.request_old(&SystemScope::patron(), step)).await?;
            if requested < u64::from(TOGETHER) {
                return Ok(requested > 0);
            }
        }
        Ok(true)
    }

    /// Removes former external ids of some customers. Returns whether there may be more.
    async fn forget(&self, owner: Owner, before: Timestamp, commits: &Commits) -> Result<bool, PrivacyError> {
        for _ in 0..STEPS {
            let step = self.step(owner, before);
            let changed = commits.share(self.retention.forget_former_ids(&SystemScope::patron(), step)).await?;
            if changed < u64::from(TOGETHER) {
                return Ok(changed > 0);
            }
        }
        Ok(true)
    }

    fn step(&self, owner: Owner, before: Timestamp) -> RetentionStep {
        let at = self.clock.now();
        RetentionStep { owner, before, ids: self.ids.start(at), at, limit: TOGETHER }
    }
}
