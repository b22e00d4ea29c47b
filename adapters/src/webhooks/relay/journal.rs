//! Saves rounds while the next ones are running.
//!
//! Only one save runs at a time. Rounds that end in the meantime are saved together afterwards. So attempts do not wait
//! for the disk, and the store writes less often. If the process dies, the stored position is before the unsaved
//! rounds: the server that takes over delivers them again, in order.

use std::sync::Arc;

use patron_domain::{store::StoreError, webhook::RoundRecord};
use tokio::task::JoinHandle;

use super::Relay;

/// The most deliveries that wait to be saved. At this number the next round waits for the store.
const MOST: usize = 1_024;

/// The rounds of one endpoint that are not saved yet.
pub(super) struct Journal {
    relay: Arc<Relay>,
    under_way: Option<JoinHandle<Result<bool, StoreError>>>,
    pending: Option<RoundRecord>,
}

impl Journal {
    pub(super) fn new(relay: Arc<Relay>) -> Self {
        Self { relay, under_way: None, pending: None }
    }

    /// Adds a round. Returns `false` if the lease was lost: then no further round may begin.
    pub(super) async fn add(&mut self, record: RoundRecord) -> Result<bool, StoreError> {
        let next = match self.pending.take() {
            None => record,
            Some(before) => before.followed_by(record),
        };
        let full = next.deliveries() >= MOST;
        self.pending = Some(next);
        if (full || self.under_way.as_ref().is_some_and(JoinHandle::is_finished)) && !self.landed().await? {
            return Ok(false);
        }
        self.begin();
        Ok(true)
    }

    /// Waits until everything is saved. Returns `false` if the lease was lost.
    pub(super) async fn close(mut self) -> Result<bool, StoreError> {
        loop {
            if !self.landed().await? {
                return Ok(false);
            }
            if self.pending.is_none() {
                return Ok(true);
            }
            self.begin();
        }
    }

    /// Begins to save pending rounds, unless a save is running.
    fn begin(&mut self) {
        if self.under_way.is_some() {
            return;
        }
        if let Some(record) = self.pending.take() {
            let relay = self.relay.clone();
            self.under_way = Some(tokio::spawn(async move { relay.engine.record(record).await }));
        }
    }

    /// The result of the running save.
    async fn landed(&mut self) -> Result<bool, StoreError> {
        match self.under_way.take() {
            None => Ok(true),
            Some(write) => {
                write.await.unwrap_or_else(|_| Err(StoreError::unavailable("saving deliveries was interrupted")))
            }
        }
    }
}
