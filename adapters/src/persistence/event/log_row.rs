//! Rows of the table `logs`: one for each environment, which orders its events and counts its customers.

use patron_domain::event::{
    EventPosition,
    chain::{ChainEnds, ChainHash, ChainHead},
};

use super::{super::rows::rows, row::EventRow};

rows! {
    /// One row of `logs`.
    LogRow: logs {
        environment: i32;
        position: i64,
        at: i64,
        published: i64,
        archived: i64,
        audited: i64,
        hash: Vec<u8>,
        anchor_position: i64,
        anchor_hash: Vec<u8>,
    }
}

/// A head as it is stored. A changed row may hold anything; then no event continues it.
fn head(position: i64, hash: &[u8]) -> ChainHead {
    ChainHead {
        position: EventPosition::from_stored(position).unwrap_or_default(),
        hash: ChainHash::from_stored(hash).unwrap_or(ChainHash::START),
    }
}

impl LogRow {
    /// The log of an environment without events.
    pub(crate) fn empty(environment: i32) -> Self {
        let hash = || ChainHash::START.as_bytes().to_vec();
        Self {
            environment,
            position: 0,
            at: 0,
            published: 0,
            archived: 0,
            audited: 0,
            hash: hash(),
            anchor_position: 0,
            anchor_hash: hash(),
        }
    }

    /// Gives an event the next position, the log's own time, and its hash.
    pub(crate) fn append(&mut self, event: &mut EventRow) {
        self.position += 1;
        self.at = event.at.max(self.at + 1);
        (event.position, event.logged_at) = (self.position, self.at);
        let hash = event.sealed().hash_after(&self.ends().head.hash);
        self.hash = hash.as_bytes().to_vec();
        event.hash.clone_from(&self.hash);
    }

    /// Where the chain begins and ends.
    pub(crate) fn ends(&self) -> ChainEnds {
        ChainEnds { anchor: head(self.anchor_position, &self.anchor_hash), head: head(self.position, &self.hash) }
    }
}
