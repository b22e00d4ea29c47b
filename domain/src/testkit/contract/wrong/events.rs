//! Wrong logs of events.

use super::{Fault, Wrong, now};
use crate::{
    event::{
        EventCursor, EventEntities, EventEntityType, EventLog, EventLogError, EventPage, EventQuery, EventRecord,
        LogTakenBack, Moment, Past,
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
    let store = wrong.store.clone();
    wrong.events.expect_past().returning(move |scope, entity, moment| now(store.past(scope, entity, moment)));
    let store = wrong.store.clone();
    wrong
        .events
        .expect_latest()
        .returning(move |scope, entity, before, limit| now(store.latest(scope, entity, before, limit)));
    let store = wrong.store.clone();
    wrong
        .events
        .expect_external_id_terms()
        .returning(move |scope, external_id| now(store.external_id_terms(scope, external_id)));
}

/// A log that looks up another moment than asked.
fn looking_at(wrong: &mut Wrong, another: fn(Moment) -> Moment) {
    let store = wrong.store.clone();
    wrong.events.expect_past().returning(move |scope, entity, moment| now(store.past(scope, entity, another(moment))));
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
    ("counts a change only after its own time", |wrong| {
        looking_at(wrong, |moment| match moment {
            Moment::At(at) => Moment::At(at.earlier(std::time::Duration::from_micros(1))),
            other => other,
        });
    }),
    ("returns the event at a position with those before it", |wrong| {
        let store = wrong.store.clone();
        wrong.events.expect_latest().returning(move |scope, entity, before, limit| {
            let next = before.and_then(|before| crate::event::EventPosition::from_stored(before.stored() + 1));
            now(store.latest(scope, entity, next, limit))
        });
    }),
    ("looks up the version before", |wrong| {
        looking_at(wrong, |moment| match moment {
            Moment::Version(version) => {
                let before = i64::try_from(version.get()).unwrap() - 1;
                Moment::Version(crate::lifecycle::Version::from_stored(before).unwrap_or(version))
            }
            other => other,
        });
    }),
    ("shows the present state where events were removed", |wrong| {
        let store = wrong.store.clone();
        wrong.events.expect_past().returning(move |scope, entity, moment| {
            let latest = Moment::At(crate::time::Timestamp::parse("9999-01-01T00:00:00Z").unwrap());
            match now(store.past(scope, entity, moment))? {
                Past::Removed { .. } => now(store.past(scope, entity, latest)),
                other => Ok(other),
            }
        });
    }),
    ("shows earlier states of any environment", |wrong| {
        let (store, seen) = (wrong.store.clone(), wrong.seen.clone());
        wrong.events.expect_past().returning(move |_, entity, moment| {
            let state = |past: Past| if past == Past::Absent { None } else { Some(past) };
            let found = seen.find(|scope| state(now(store.past(&scope, entity, moment)).unwrap()));
            Ok(found.unwrap_or(Past::Absent))
        });
    }),
    ("finds no former holder of an external id", |wrong| {
        let store = wrong.store.clone();
        wrong.events.expect_external_id_terms().returning(move |scope, external_id| {
            let terms = now(store.external_id_terms(scope, external_id))?;
            Ok(terms.into_iter().filter(|term| term.until.is_none()).collect())
        });
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
