//! Writes rounds while the next ones are under way.
//!
//! One write at a time is under way. Rounds that end meanwhile are written together when it has ended, so attempts do not wait for
//! the disk, and the store writes less often. If the process dies, the rounds that were not written are delivered again, in
//! order, by the server that takes over: the stored position is before them.

use std::sync::Arc;

use patron_domain::{store::StoreError, webhook::RoundRecord};
use tokio::task::JoinHandle;

use super::Relay;

/// The most deliveries that wait to be written. With as many, the next round waits for the store.
const MOST: usize = 1_024;

/// The rounds of one endpoint that are to be written.
pub(super) struct Journal {
    relay: Arc<Relay>,
    under_way: Option<JoinHandle<Result<bool, StoreError>>>,
    pending: Option<RoundRecord>,
}

impl Journal {
    pub(super) fn new(relay: Arc<Relay>) -> Self {
        Self { relay, under_way: None, pending: None }
    }

    /// Takes a round. `false` when the lease was lost: then no further round may begin.
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

    /// Waits until everything is written. `false` when the lease was lost.
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

    /// Begins to write what is pending, unless a write is under way.
    fn begin(&mut self) {
        if self.under_way.is_some() {
            return;
        }
        if let Some(record) = self.pending.take() {
            let relay = self.relay.clone();
            self.under_way = Some(tokio::spawn(async move { relay.engine.record(record).await }));
        }
    }

    /// The result of the write that is under way.
    async fn landed(&mut self) -> Result<bool, StoreError> {
        match self.under_way.take() {
            None => Ok(true),
            Some(write) => write.await.unwrap_or_else(|_| Err(StoreError::unavailable("the write broke off"))),
        }
    }
}
