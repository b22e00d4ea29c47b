//! The port for the chain.

use async_trait::async_trait;

use super::{ChainHead, SealedEvent};
use crate::{event::EventPosition, lifecycle::Owner, store::StoreError, tenancy::SystemScope};

/// Where the chain of an environment begins and ends.
///
/// ```
/// use patron_domain::event::chain::{ChainEnds, ChainHead};
///
/// let empty = ChainEnds { anchor: ChainHead::START, head: ChainHead::START };
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainEnds {
    /// The last event that the retention job removed; the start of the log before that.
    pub anchor: ChainHead,
    /// The last event.
    pub head: ChainHead,
}

/// Reads the chain. Stores compute the hash of an event when they assign its position, and keep it with the event.
///
/// ```
/// use patron_domain::{event::chain::{ChainHead, EventChain}, tenancy::SystemScope, testkit::{MemoryStore, an_owner}};
///
/// # futures::executor::block_on(async {
/// let ends = MemoryStore::default().ends(&SystemScope::patron(), an_owner()).await.unwrap();
/// assert_eq!(ends.head, ChainHead::START);
/// # });
/// ```
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait EventChain: Send + Sync {
    /// Where the chain begins and ends. A store names the head by itself, and not by reading the last event.
    async fn ends(&self, scope: &SystemScope, owner: Owner) -> Result<ChainEnds, StoreError>;

    /// The next events after a position, in order, as they are stored. States of suppressed customers are among them.
    async fn sealed(
        &self,
        scope: &SystemScope,
        owner: Owner,
        after: EventPosition,
        limit: u16,
    ) -> Result<Vec<SealedEvent<'static>>, StoreError>;
}
