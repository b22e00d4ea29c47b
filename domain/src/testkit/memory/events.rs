//! The event log in memory.

use async_trait::async_trait;

use super::{MemoryStore, Registry, page};
use crate::{
    customer::{Customer, ExternalId, ExternalIdTerm},
    event::{
        CustomerEvent, EventCursor, EventEntity, EventKind, EventLog, EventLogError, EventPosition, EventQuery,
        EventRecord, EventSink, EventState, HandOver, LogTakenBack, Moment, Past, Reached,
    },
    ids::EventId,
    lifecycle::{Owner, Version},
    page::{Page, PageRequest},
    store::StoreError,
    tenancy::{EnvironmentScope, SystemScope},
    time::Timestamp,
};

#[async_trait]
impl EventLog for MemoryStore {
    async fn read_each<'a>(
        &self,
        _scope: &SystemScope,
        owner: Owner,
        query: &EventQuery,
        sink: Box<dyn EventSink + 'a>,
    ) -> Result<Reached, EventLogError> {
        let mut state = self.lock();
        let registry = state.registry(owner);
        registry.continues(query.after)?;
        let (mut over, end, after) = (HandOver::new(query, sink), registry.end(), query.after.position());
        let next = registry.log.iter().filter(|event| event.position > after && query.admits(event));
        next.take(usize::from(query.limit.get()) + 1).for_each(|event| over.take(registry.shown(event)));
        Ok(over.reached(end, false))
    }

    async fn end(&self, _scope: &SystemScope, owner: Owner) -> Result<EventCursor, StoreError> {
        Ok(self.lock().registry(owner).end())
    }

    async fn find(&self, scope: &EnvironmentScope, id: EventId) -> Result<Option<EventRecord>, StoreError> {
        let mut state = self.lock();
        let registry = state.registry(scope.owner);
        Ok(registry.log.iter().find(|event| event.id == id).map(|event| registry.shown(event)))
    }

    async fn history(
        &self,
        scope: &EnvironmentScope,
        entity: EventEntity,
        request: PageRequest,
    ) -> Result<Page<EventRecord>, StoreError> {
        let mut state = self.lock();
        let registry = state.registry(scope.owner);
        let all: Vec<_> = registry.log.iter().filter(|event| event.entity == entity).collect();
        let Page { items, total } = page(all, request);
        Ok(Page { items: items.iter().map(|event| registry.shown(event)).collect(), total })
    }

    async fn latest(
        &self,
        scope: &EnvironmentScope,
        entity: Option<EventEntity>,
        before: Option<EventPosition>,
        limit: u16,
    ) -> Result<Vec<EventRecord>, StoreError> {
        let mut state = self.lock();
        let older = state.registry(scope.owner).log.iter().rev();
        let older = older.filter(|event| before.is_none_or(|before| event.position < before));
        let wanted = older.filter(|event| entity.is_none_or(|entity| event.entity == entity)).take(limit.into());
        Ok(wanted.map(|event| EventRecord { state: None, ..event.clone() }).collect())
    }

    async fn past(&self, scope: &EnvironmentScope, entity: EventEntity, moment: Moment) -> Result<Past, StoreError> {
        Ok(self.lock().registry(scope.owner).past(entity, moment))
    }

    async fn external_id_terms(
        &self,
        scope: &EnvironmentScope,
        external_id: &ExternalId,
    ) -> Result<Vec<ExternalIdTerm>, StoreError> {
        let mut state = self.lock();
        let customers = state.registry(scope.owner).customers.values();
        Ok(customers.flat_map(|customer| customer.terms_of(external_id)).collect())
    }
}

/// A customer's event without its position; `None` for other events.
pub(super) fn of_customer(record: EventRecord) -> Option<CustomerEvent> {
    let EventRecord { id, kind, sequence, at, actor, request_id, state, .. } = record;
    let (EventKind::Customer(kind), Some(EventState::Customer(state))) = (kind, state) else { return None };
    Some(CustomerEvent { id, kind, sequence, at, actor, request_id, state: *state })
}

impl Registry {
    /// Adds an event to the log. It gets the next position. The last event is never removed.
    pub(super) fn append(&mut self, event: impl FnOnce(EventPosition) -> EventRecord) {
        let event = event(self.last_position().next());
        self.chain.append(&event);
        self.log.push(event);
    }

    pub(super) fn last_position(&self) -> EventPosition {
        self.end().position()
    }

    /// The state of an entity at a moment.
    fn past(&self, entity: EventEntity, moment: Moment) -> Past {
        let Some((now, version, changed_at)) = self.present(entity) else { return Past::Absent };
        let events: Vec<_> = self.log.iter().filter(|event| event.entity == entity).collect();
        let found = match moment {
            Moment::At(at) => events.iter().rev().find(|event| event.at <= at),
            Moment::Version(version) => events.iter().find(|event| event.sequence == version),
        };
        if let Some(found) = found {
            let before = events.iter().filter(|event| event.sequence <= found.sequence);
            let Some(mut state) = before.filter_map(|event| event.state.clone()).next_back() else {
                return Past::Absent;
            };
            if let EventState::Customer(customer) = &mut state {
                customer.customer.version = found.sequence;
            }
            return Past::State(Box::new(state));
        }
        match moment {
            Moment::At(at) if at >= changed_at && events.is_empty() => return Past::State(Box::new(now)),
            Moment::Version(asked) if asked == version => return Past::State(Box::new(now)),
            Moment::Version(asked) if asked > version => return Past::Absent,
            _ => {}
        }
        match events.first() {
            Some(first) if first.sequence == Version::FIRST => Past::Absent,
            first => Past::Removed { oldest_at: first.map_or(changed_at, |first| first.at) },
        }
    }

    /// The state of an entity now, its version, and the time of its last change.
    fn present(&self, entity: EventEntity) -> Option<(EventState, Version, Timestamp)> {
        match entity {
            EventEntity::Customer(id) => self.customers.get(&id).map(|customer| {
                let Customer { version, audit, .. } = &customer.customer;
                (EventState::Customer(Box::new(customer.clone())), *version, audit.updated_at)
            }),
            EventEntity::TaxRate(id) => self
                .rates
                .get(&id)
                .map(|rate| (EventState::TaxRate(Box::new(rate.clone())), rate.version, rate.audit.updated_at)),
            // The store in memory has no imports.
            EventEntity::Import(_) => None,
        }
    }

    fn end(&self) -> EventCursor {
        self.log.last().map_or(EventCursor::START, EventRecord::cursor)
    }

    /// Refuses a cursor behind which the log was taken back.
    pub(super) fn continues(&self, cursor: EventCursor) -> Result<(), LogTakenBack> {
        let found = self.log.iter().find(|event| event.position == cursor.position()).map(|event| event.id);
        if !cursor.was_taken_back(self.last_position(), found) {
            return Ok(());
        }
        let before = |doubtful: EventId| {
            let sure = self.log.iter().take_while(|event| event.id < doubtful);
            sure.last().map_or(EventCursor::START, EventRecord::cursor)
        };
        Err(LogTakenBack { resume_from: cursor.first_doubtful().map_or(EventCursor::START, before) })
    }
}
