//! The event log in memory.

use async_trait::async_trait;

use super::{MemoryStore, Registry, page};
use crate::{
    event::{
        CustomerEvent, EventEntity, EventKind, EventLog, EventPosition, EventQuery, EventRecord, EventSink, EventState,
        HandOver, Reached,
    },
    ids::EventId,
    lifecycle::Owner,
    page::{Page, PageRequest},
    store::StoreError,
    tenancy::{EnvironmentScope, SystemScope},
};

#[async_trait]
impl EventLog for MemoryStore {
    async fn read_each<'a>(
        &self,
        _scope: &SystemScope,
        owner: Owner,
        query: &EventQuery,
        sink: Box<dyn EventSink + 'a>,
    ) -> Result<Reached, StoreError> {
        let mut state = self.lock();
        let (mut over, end) = (HandOver::new(query, sink), state.registry(owner).last_position());
        let next = state.registry(owner).log.iter().filter(|event| event.position > query.after && query.admits(event));
        next.take(usize::from(query.limit.get()) + 1).cloned().for_each(|event| over.take(event));
        Ok(over.reached(end, false))
    }

    async fn end(&self, _scope: &SystemScope, owner: Owner) -> Result<EventPosition, StoreError> {
        Ok(self.lock().registry(owner).last_position())
    }

    async fn find(&self, scope: &EnvironmentScope, id: EventId) -> Result<Option<EventRecord>, StoreError> {
        Ok(self.lock().registry(scope.owner).log.iter().find(|event| event.id == id).cloned())
    }

    async fn history(
        &self,
        scope: &EnvironmentScope,
        entity: EventEntity,
        request: PageRequest,
    ) -> Result<Page<EventRecord>, StoreError> {
        let mut state = self.lock();
        let all: Vec<_> = state.registry(scope.owner).log.iter().filter(|event| event.entity == entity).collect();
        Ok(page(all, request))
    }
}

/// A customer's event without its position; `None` for other events.
pub(super) fn of_customer(record: EventRecord) -> Option<CustomerEvent> {
    let EventRecord { id, kind, sequence, at, actor, request_id, state, .. } = record;
    let (EventKind::Customer(kind), Some(EventState::Customer(state))) = (kind, state) else { return None };
    Some(CustomerEvent { id, kind, sequence, at, actor, request_id, state: *state })
}

impl Registry {
    /// The position for the next event. The last event is never removed.
    pub(super) fn next_position(&self) -> EventPosition {
        EventPosition::from_stored(self.last_position().stored().saturating_add(1)).unwrap_or_default()
    }

    pub(super) fn last_position(&self) -> EventPosition {
        self.log.last().map_or(EventPosition::START, |event| event.position)
    }
}
