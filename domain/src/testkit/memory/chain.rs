//! The chain in memory.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::MemoryStore;
use crate::{
    event::{
        EventPosition, EventRecord,
        chain::{ChainEnds, ChainHead, Commitment, EventChain, Salt, SealedEvent},
    },
    lifecycle::Owner,
    store::StoreError,
    stored,
    tenancy::SystemScope,
};

/// The chain of an environment.
#[derive(Clone)]
pub(super) struct Chain {
    anchor: ChainHead,
    events: Vec<SealedEvent<'static>>,
}

impl Default for Chain {
    fn default() -> Self {
        Self { anchor: ChainHead::START, events: Vec::new() }
    }
}

impl Chain {
    fn head(&self) -> ChainHead {
        self.events.last().and_then(head).unwrap_or(self.anchor)
    }

    /// Adds an event.
    pub(super) fn append(&mut self, event: &EventRecord) {
        let previous = self.head().hash;
        let document = event.state.as_ref().map(stored::event::state_document);
        // Only this store may derive salts: its data ends with it.
        let mut random = [0; 32];
        random[..16].copy_from_slice(event.id.uuid().as_bytes());
        let salt = document.as_ref().map(|_| Salt::random(&random));
        let event = SealedEvent {
            position: event.position.stored(),
            id: event.id.to_string().into(),
            event_type: event.kind.event_type().as_str().into(),
            entity: event.entity.id().into(),
            sequence: i64::try_from(event.sequence.get()).unwrap_or(i64::MAX),
            at: event.at.micros(),
            logged_at: event.at.micros(),
            actor: event.actor.as_str().to_owned().into(),
            request_id: event.request_id.as_ref().map(|id| id.as_str().to_owned().into()),
            detail: stored::event::detail(&event.kind).map(Into::into),
            commitment: salt.iter().zip(&document).map(|(salt, document)| Commitment::new(salt, document)).next(),
            salt,
            document: document.map(Into::into),
            hash: previous,
            withheld: false,
        };
        self.events.push(SealedEvent { hash: event.hash_after(&previous), ..event });
    }

    /// Erases the state of an event.
    pub(super) fn erase(&mut self, position: EventPosition) {
        for event in self.events.iter_mut().filter(|event| event.position == position.stored()) {
            (event.salt, event.document) = (None, None);
        }
    }

    /// Removes the first events, and keeps the hash of the last of them.
    pub(super) fn remove_first(&mut self, count: usize) {
        self.anchor = self.events.drain(..count).next_back().as_ref().and_then(head).unwrap_or(self.anchor);
    }
}

fn head(event: &SealedEvent<'_>) -> Option<ChainHead> {
    Some(ChainHead { position: EventPosition::from_stored(event.position)?, hash: event.hash })
}

#[async_trait]
impl EventChain for MemoryStore {
    async fn ends(&self, _scope: &SystemScope, owner: Owner) -> Result<ChainEnds, StoreError> {
        let mut state = self.lock();
        let chain = &state.registry(owner).chain;
        Ok(ChainEnds { anchor: chain.anchor, head: chain.head() })
    }

    async fn sealed(
        &self,
        _scope: &SystemScope,
        owner: Owner,
        after: EventPosition,
        limit: u16,
    ) -> Result<Vec<SealedEvent<'static>>, StoreError> {
        let mut state = self.lock();
        let registry = state.registry(owner);
        let withheld: BTreeSet<_> = registry.withheld.keys().map(ToString::to_string).collect();
        let next = registry.chain.events.iter().filter(|event| event.position > after.stored());
        let seal = |event: &SealedEvent<'static>| SealedEvent {
            withheld: withheld.contains(event.entity.as_ref()),
            ..event.clone()
        };
        Ok(next.take(limit.into()).map(seal).collect())
    }
}
