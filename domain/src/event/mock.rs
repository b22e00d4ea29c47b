//! Ready-made mocks of the event log port.

use std::collections::BTreeMap;

use super::{
    EventCursor, EventEntity, EventPage, EventQuery, EventRecord, EventSink, EventState, HandOver, MockEventLog,
    Moment, Past, Reached,
};
use crate::{
    customer::{ExternalId, ExternalIdTerm},
    lifecycle::Owner,
    page::Page,
    store::StoreError,
};

fn unavailable() -> StoreError {
    StoreError::unavailable("this mock is never available")
}

impl MockEventLog {
    /// A log without events.
    ///
    /// ```
    /// # use patron_domain::{event::*, testkit::a_scope};
    /// # futures::executor::block_on(async {
    /// let page = MockEventLog::empty().read(&a_scope(), &EventQuery::default()).await.unwrap();
    /// assert_eq!((page.events.len(), page.has_more), (0, false));
    /// # });
    /// ```
    #[must_use]
    pub fn empty() -> Self {
        Self::with(Vec::new())
    }

    /// A log with these events, in the order of their positions. Only the owner sees an event.
    ///
    /// ```
    /// # use patron_domain::{customer::CustomerFacts, event::*, ids::IdSequence, testkit::*};
    /// # futures::executor::block_on(async {
    /// let command = a_customer("acme").command(IdSequence::start(a_time(), [0; 10]), a_time());
    /// let created = command.decide(&a_scope(), &CustomerFacts::default()).unwrap().event;
    /// let created = EventRecord::of_customer(EventPosition::from_stored(1).unwrap(), created);
    /// let page = MockEventLog::with(vec![created.clone()]).read(&a_scope(), &EventQuery::default()).await.unwrap();
    /// assert_eq!(page.events, [created]);
    /// # });
    /// ```
    #[must_use]
    pub fn with(events: Vec<EventRecord>) -> Self {
        let mut log = Self::new();
        let all = events.clone();
        log.expect_read().returning(move |scope, query| {
            let mut found = Vec::new();
            let reached = read(&all, scope.owner, query, Box::new(|event| found.push(event)));
            Ok(EventPage::of(found, reached))
        });
        let all = events.clone();
        log.expect_read_each().returning(move |_, owner, query, sink| Ok(read(&all, owner, query, sink)));
        let all = events.clone();
        log.expect_end().returning(move |_, owner| Ok(end(&all, owner)));
        let all = events.clone();
        log.expect_find().returning(move |scope, id| Ok(of(&all, scope.owner).find(|event| event.id == id).cloned()));
        let all = events.clone();
        log.expect_latest().returning(move |scope, entity, before, limit| {
            let older = of(&all, scope.owner).filter(|event| before.is_none_or(|before| event.position < before));
            let mut found: Vec<_> = older.filter(|event| entity.is_none_or(|entity| event.entity == entity)).collect();
            found.reverse();
            found.truncate(limit.into());
            Ok(found.into_iter().map(|event| EventRecord { state: None, ..event.clone() }).collect())
        });
        let all = events.clone();
        log.expect_past().returning(move |scope, entity, moment| Ok(past(of(&all, scope.owner), entity, moment)));
        let all = events.clone();
        log.expect_external_id_terms()
            .returning(move |scope, external_id| Ok(terms(of(&all, scope.owner), external_id)));
        log.expect_history().returning(move |scope, entity: EventEntity, page| {
            let own = of(&events, scope.owner).filter(|event| event.entity == entity);
            Ok(Page::cut(own.cloned().collect(), page))
        });
        log
    }

    /// A log that cannot be reached: every call returns [`StoreError::Unavailable`].
    #[must_use]
    pub fn always_unavailable() -> Self {
        let mut log = Self::new();
        log.expect_read().returning(|_, _| Err(unavailable().into()));
        log.expect_read_each().returning(|_, _, _, _| Err(unavailable().into()));
        log.expect_end().returning(|_, _| Err(unavailable()));
        log.expect_find().returning(|_, _| Err(unavailable()));
        log.expect_history().returning(|_, _, _| Err(unavailable()));
        log.expect_past().returning(|_, _, _| Err(unavailable()));
        log.expect_latest().returning(|_, _, _, _| Err(unavailable()));
        log.expect_external_id_terms().returning(|_, _| Err(unavailable()));
        log
    }
}

fn of(events: &[EventRecord], owner: Owner) -> impl Iterator<Item = &EventRecord> {
    events.iter().filter(move |event| event.owner == owner)
}

fn past<'a>(events: impl Iterator<Item = &'a EventRecord>, entity: EventEntity, moment: Moment) -> Past {
    let counts = |event: &&EventRecord| match moment {
        Moment::At(at) => event.at <= at,
        Moment::Version(version) => event.sequence == version,
    };
    let found = events.filter(|event| event.entity == entity).filter(counts).last();
    found.and_then(|event| event.state.clone()).map_or(Past::Absent, |state| Past::State(Box::new(state)))
}

fn terms<'a>(events: impl Iterator<Item = &'a EventRecord>, external_id: &ExternalId) -> Vec<ExternalIdTerm> {
    // The last state of each customer.
    let mut customers = BTreeMap::new();
    for event in events {
        if let Some(EventState::Customer(customer)) = &event.state {
            customers.insert(customer.customer.id, customer);
        }
    }
    customers.into_values().flat_map(|customer| customer.terms_of(external_id)).collect()
}

fn end(events: &[EventRecord], owner: Owner) -> EventCursor {
    of(events, owner).last().map_or(EventCursor::START, EventRecord::cursor)
}

fn read(events: &[EventRecord], owner: Owner, query: &EventQuery, sink: Box<dyn EventSink + '_>) -> Reached {
    let found = of(events, owner).filter(|event| event.position > query.after.position() && query.admits(event));
    let mut over = HandOver::new(query, sink);
    found.cloned().for_each(|event| over.take(event));
    over.reached(end(events, owner), false)
}
