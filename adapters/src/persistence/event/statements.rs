//! Statements about events.

use diesel::{
    BoolExpressionMethods, ExpressionMethods, IntoSql, JoinOnDsl, NullableExpressionMethods, QueryDsl,
    dsl::{case_when, min},
    sql_types::Nullable,
};
use patron_domain::{
    event::{EventEntities, EventEntityType, EventQuery, EventType},
    page::PageBytes,
};

use super::{
    log_row::LogRow,
    past::{LastBy, Times, has_state},
    row::EventRow,
};
use crate::persistence::{
    page::{Shape, Weighed},
    schema::{customers, events::dsl::*, logs},
    statements::statements,
    value::{Document, DocumentSql, Key},
    word::Word,
};

/// An event, the document of the customer's row if this is the customer's latest event, and the version of that row. A
/// customer that is suppressed or erased has none.
type Whole = (EventRow, Option<Document>, Option<i64>);

/// Adds the customer's document to a query of events, where the event is the customer's latest: see
/// [`superseded`](super::superseded).
macro_rules! whole {
    ($events:expr) => {{
        let same = customers::environment.eq(environment).and(customers::id.eq(entity));
        let joined = $events.left_join(customers::table.on(same));
        let latest = case_when(customers::version.nullable().eq(sequence.nullable()), customers::document.nullable());
        joined.select((crate::persistence::schema::events::all_columns, latest, customers::version.nullable()))
    }};
}

/// The events about entities whose states are stored.
macro_rules! with_document {
    ($of:expr, $whose:expr) => {
        events.filter(environment.eq($of)).filter($whose).filter(document.is_not_null())
    };
}

impl Weighed for Whole {
    /// The documents are the last of the event's columns, and the column after these.
    const SHAPE: Shape = Shape { columns: 20, weighed: &[17, 18] };

    fn bytes(&self) -> usize {
        self.0.bytes() + self.1.as_ref().map_or(0, Weighed::bytes)
    }
}

/// The columns of an event, with NULL for its document, which may be large.
macro_rules! bare {
    () => {
        (
            environment,
            position,
            id,
            entity_kind,
            entity,
            sequence,
            kind,
            at,
            logged_at,
            actor,
            request_id,
            trace_id,
            source,
            detail,
            salt,
            commitment,
            hash,
            None::<Document>.into_sql::<Nullable<DocumentSql>>(),
        )
    };
}

/// The event as it is shown: without a state if its type has none, or if its customer is suppressed or erased.
fn row((event, latest, version): Whole) -> EventRow {
    let of_customer = event.entity_kind == EventEntityType::Customer.code();
    let has_state = has_state(&event);
    let state = match version {
        _ if !of_customer => event.document,
        Some(_) if has_state => latest.or(event.document),
        _ => None,
    };
    EventRow { document: state, ..event }
}

fn rows(found: Vec<Whole>) -> Vec<EventRow> {
    found.into_iter().map(row).collect()
}

statements! {
    /// Statements about events.
    EventStatements {
        /// The position of the last event.
        fn last_position(db, of: i32) -> Option<i64> {
            db.one(logs::table.filter(logs::environment.eq(of)).select(logs::position)).await
        }

        /// The time of the last event in the log's own time.
        fn log_time(db, of: i32) -> Option<i64> {
            let last = logs::table.filter(logs::environment.eq(of)).filter(logs::position.gt(0));
            db.one(last.select(logs::at)).await
        }

        /// The last event of an entity up to a time.
        fn last_event_by(db, of: i32, whose: Key, time: i64, times: Times) -> Option<EventRow> {
            let last = LastBy { environment: of, entity: whose, time, times };
            let same = events.filter(environment.eq(of)).filter(entity.eq(whose)).filter(sequence.nullable().eq(last));
            let found = db.one::<_, Whole>(whole!(same)).await?.map(row);
            Ok(found.filter(|event| match times {
                Times::Own => event.at <= time,
                Times::Logged => event.logged_at <= time,
            }))
        }

        /// The log of an environment.
        fn log(db, of: i32) -> Option<LogRow> {
            db.one(logs::table.filter(logs::environment.eq(of))).await
        }

        /// The next events after a position, with their states as they are stored, and whether the row of each entity
        /// exists: a page by its bytes.
        fn sealed_events(db, of: i32, after: i64, limit: i64) -> Vec<(EventRow, bool)> {
            let next = whole!(events.filter(environment.eq(of)).filter(position.gt(after)));
            let next = next.order(position.asc()).limit(limit);
            let found = db.rows_within::<_, Whole>(next, PageBytes::default()).await?.into_iter();
            let sealed = |(event, latest, version): Whole| {
                let state = event.document.or(latest);
                (EventRow { document: state, ..event }, version.is_some())
            };
            Ok(found.map(sealed).collect())
        }

        /// The newest events before a position, of all entities or of one, without documents.
        fn latest_events(db, of: i32, whose: Option<Key>, before: i64, limit: i64) -> Vec<EventRow> {
            let older = events.filter(environment.eq(of)).filter(position.lt(before)).limit(limit);
            match whose {
                // By the index of the entity's sequences, which positions follow.
                Some(whose) => db.rows(older.filter(entity.eq(whose)).order(sequence.desc()).select(bare!())).await,
                None => db.rows(older.order(position.desc()).select(bare!())).await,
            }
        }

        /// The event that made a version of an entity.
        fn event_by_version(db, of: i32, whose: Key, number: i64) -> Option<EventRow> {
            let one = events.filter(environment.eq(of)).filter(entity.eq(whose)).filter(sequence.eq(number));
            Ok(db.one::<_, Whole>(whole!(one)).await?.map(row))
        }

        /// The last event before a sequence whose type has a state.
        fn last_state_before(db, of: i32, whose: Key, number: i64) -> Option<EventRow> {
            let without = EventType::ALL.iter().filter(|one| !one.has_state()).map(|one| one.code());
            let earlier = events.filter(environment.eq(of)).filter(entity.eq(whose)).filter(sequence.lt(number));
            let earlier = earlier.filter(kind.ne_all(without.collect::<Vec<_>>())).order(sequence.desc());
            Ok(db.one::<_, Whole>(whole!(earlier).limit(1)).await?.map(row))
        }

        /// The sequence and time of the first event of an entity that was not removed.
        fn first_event_of(db, of: i32, whose: Key) -> Option<(i64, i64)> {
            let all = events.filter(environment.eq(of)).filter(entity.eq(whose)).order(sequence.asc());
            db.one(all.select((sequence, at)).limit(1)).await
        }

        /// One event.
        fn event(db, of: i32, wanted: Key) -> Option<EventRow> {
            let found = whole!(events.filter(environment.eq(of)).filter(id.eq(wanted)));
            Ok(db.one::<_, Whole>(found).await?.map(row))
        }

        /// The id of the event that made a version of an entity. `None` if it was removed.
        fn event_of_version(db, of: i32, whose: Key, number: i64) -> Option<Key> {
            let one = events.filter(environment.eq(of)).filter(entity.eq(whose)).filter(sequence.eq(number));
            db.one(one.select(id)).await
        }

        /// The customers and sequences of the events after a position and up to another.
        fn customer_changes(db, of: i32, after: i64, until: i64) -> Vec<(Key, i64)> {
            let since = events.filter(environment.eq(of)).filter(position.gt(after)).filter(position.le(until));
            let changed = since.filter(entity_kind.eq(EventEntityType::Customer.code()));
            db.rows(changed.order(position.asc()).select((entity, sequence))).await
        }

        /// The id of the event at a position. `None` if there was never one, or if it was removed.
        fn event_id_at(db, of: i32, place: i64) -> Option<Key> {
            // As a range, because PostgreSQL without statistics reads a whole environment for two equalities.
            let at_place = events.filter(environment.eq(of)).filter(position.ge(place)).filter(position.le(place));
            db.one(at_place.order(position.asc()).select(id).limit(1)).await
        }

        /// The customers and positions of events about customers whose states are stored, oldest first; at most `limit` of each.
        fn positions_with_state(db, of: i32, whose: &[Key], limit: i64) -> Vec<(Key, i64)> {
            let place = (entity, position);
            db.each(
                whose,
                |one| with_document!(of, entity.eq(one)).order(sequence.asc()).select(place).limit(limit),
                |all| with_document!(of, entity.eq_any(all)).order((entity.asc(), sequence.asc())).select(place).limit(limit),
            ).await
        }

        /// For each of these events, the customer.
        fn customers_with_state(db, of: i32, whose: &[Key]) -> Vec<Key> {
            db.each(
                whose,
                |one| with_document!(of, entity.eq(one)).select(entity),
                |all| with_document!(of, entity.eq_any(all)).select(entity),
            ).await
        }

        /// The position and id of the last event before the first one whose id is as large as this or larger.
        fn last_before(db, of: i32, doubtful: Key) -> Option<(i64, Key)> {
            let first = events.filter(environment.eq(of)).filter(id.ge(doubtful)).select(min(position));
            let first: Option<Option<i64>> = db.one(first).await?;
            let before = events.filter(environment.eq(of)).filter(position.lt(first.flatten().unwrap_or(i64::MAX)));
            db.one(before.order(position.desc()).select((position, id)).limit(1)).await
        }

        /// Several events.
        fn events_by_id(db, of: i32, wanted: &[Key]) -> Vec<EventRow> {
            let found = db.each::<_, _, _, Whole>(
                wanted,
                |one| whole!(events.filter(environment.eq(of)).filter(id.eq(one))),
                |all| whole!(events.filter(environment.eq(of)).filter(id.eq_any(all))),
            );
            Ok(rows(found.await?))
        }

        /// The position of the last of `length` events after a position; `None` if the log ends before it.
        fn end_of_scan(db, of: i32, after: i64, length: i64) -> Option<i64> {
            let next = events.filter(environment.eq(of)).filter(position.gt(after)).order(position.asc());
            db.one(next.select(position).offset(length - 1).limit(1)).await
        }

        /// The events after the reader's position, up to a position, that match a query, and one more than its limits.
        fn events_after(db, of: i32, query: &EventQuery, end: i64) -> Vec<EventRow> {
            let next = events.filter(environment.eq(of)).filter(position.gt(query.after.position().stored()));
            let mut next = whole!(next.filter(position.le(end))).into_boxed();
            if let Some(types) = &query.types {
                next = next.filter(kind.eq_any(types.iter().map(|one| one.code()).collect::<Vec<_>>()));
            }
            next = match query.entities {
                EventEntities::All => next,
                EventEntities::Kind(of_kind) => next.filter(entity_kind.eq(of_kind.code())),
                EventEntities::One(one) => {
                    next.filter(entity_kind.eq(one.kind().code())).filter(entity.eq(super::entity_key(one)))
                }
            };
            if let Some(from) = query.from {
                next = next.filter(at.ge(from.micros()));
            }
            if let Some(until) = query.until {
                next = next.filter(at.le(until.micros()));
            }
            let next = next.order(position.asc()).limit(i64::from(query.limit.get()) + 1);
            Ok(rows(db.rows_within::<_, Whole>(next, query.bytes).await?))
        }

        /// The events of an entity, oldest first: a page by its bytes, and one more.
        fn events_of(db, of: i32, whose: Key, limit: i64, offset: i64) -> Vec<EventRow> {
            let all = whole!(events.filter(environment.eq(of)).filter(entity.eq(whose)).order(sequence.asc()));
            Ok(rows(db.rows_within::<_, Whole>(all.limit(limit).offset(offset), PageBytes::default()).await?))
        }

        /// The number of events of an entity.
        fn count_events_of(db, of: i32, whose: Key) -> i64 {
            let all = events.filter(environment.eq(of)).filter(entity.eq(whose)).count();
            Ok(db.one::<_, i64>(all).await?.unwrap_or_default())
        }

        /// The positions, times and hashes of the first events of an environment up to a position.
        fn first_events(db, of: i32, up_to: i64, limit: i64) -> Vec<(i64, i64, Vec<u8>)> {
            let first = events.filter(environment.eq(of)).filter(position.le(up_to)).order(position.asc());
            db.rows(first.select((position, at, hash)).limit(limit)).await
        }
    }
}
