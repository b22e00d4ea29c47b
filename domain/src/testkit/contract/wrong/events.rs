//! Wrong logs of events.

use super::{Fault, Wrong, now};
use crate::{
    event::{
        EventCursor, EventEntities, EventEntityType, EventLog, EventLogError, EventPage, EventQuery, EventRecord,
        LogTakenBack,
    },
    tenancy::SystemScope,
    testkit::MemoryStore,
};

pub(super) fn pass_on(wrong: &mut Wrong) {
    let store = wrong.store.clone();
    wrong.events.expect_read().returning(move |scope, query| now(store.read(scope, query)));
    let store = wrong.store.clone();
    wrong
        .events
        .expect_read_each()
        .returning(move |scope, owner, query, sink| now(store.read_each(scope, owner, query, sink)));
    let store = wrong.store.clone();
    wrong.events.expect_end().returning(move |scope, owner| now(store.end(scope, owner)));
    let store = wrong.store.clone();
    wrong.events.expect_find().returning(move |scope, id| now(EventLog::find(&*store, scope, id)));
    let store = wrong.store.clone();
    wrong
        .events
        .expect_history()
        .returning(move |scope, entity, page| now(EventLog::history(&*store, scope, entity, page)));
}

/// A log with changed pages.
fn reading(wrong: &mut Wrong, spoil: fn(&EventQuery, EventPage) -> EventPage) {
    let store = wrong.store.clone();
    wrong.events.expect_read().returning(move |scope, query| Ok(spoil(query, now(store.read(scope, query))?)));
}

pub(super) const FAULTS: &[(&str, Fault)] = &[
    ("loses the last event of a page", |wrong| {
        reading(wrong, |_, mut page| {
            page.events.pop();
            page
        });
    }),
    ("ignores the filters", |wrong| {
        let store = wrong.store.clone();
        wrong.events.expect_read().returning(move |scope, query| {
            let all = EventQuery { after: query.after, limit: query.limit, ..EventQuery::default() };
            now(store.read(scope, &all))
        });
    }),
    ("makes no progress when no event matches", |wrong| {
        reading(wrong, |query, mut page| {
            page.reached = page.events.last().map_or(query.after, EventRecord::cursor);
            page
        });
    }),
    ("accepts a cursor after the log was taken back", |wrong| {
        let store = wrong.store.clone();
        wrong.events.expect_read().returning(move |scope, query| {
            let after = EventCursor::unmarked(
                query.after.position().min(now(store.end(&SystemScope::patron(), scope.owner))?.position()),
            );
            now(store.read(scope, &EventQuery { after, ..query.clone() }))
        });
    }),
    ("sends readers too far ahead when the log was taken back", |wrong| {
        let store = wrong.store.clone();
        wrong.events.expect_read().returning(move |scope, query| match now(store.read(scope, query)) {
            Err(EventLogError::TakenBack(_)) => {
                let resume_from = now(store.end(&SystemScope::patron(), scope.owner))?;
                Err(LogTakenBack { resume_from }.into())
            }
            other => other,
        });
    }),
    ("shows events of any environment", |wrong| {
        let (store, seen) = (wrong.store.clone(), wrong.seen.clone());
        wrong
            .events
            .expect_find()
            .returning(move |_, id| Ok(seen.find(|scope| now(EventLog::find(&*store, &scope, id)).unwrap())));
    }),
    ("returns a whole history on every page", |wrong| {
        let store = wrong.store.clone();
        wrong
            .events
            .expect_history()
            .returning(move |scope, entity, page| now(EventLog::history(&*store, scope, entity, super::first(page))));
    }),
    ("keeps no events of tax rates", |wrong| {
        let of_customers = |store: &MemoryStore, scope: &_, query: &EventQuery| {
            let entities = match query.entities {
                EventEntities::All => EventEntities::Kind(EventEntityType::Customer),
                other => other,
            };
            now(store.read(scope, &EventQuery { entities, ..query.clone() }))
        };
        let store = wrong.store.clone();
        wrong.events.expect_read().returning(move |scope, query| of_customers(&store, scope, query));
    }),
];
