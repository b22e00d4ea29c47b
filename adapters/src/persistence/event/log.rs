//! Reading the log: filters of which any part may be absent, written once and compiled for each database.

use patron_domain::event::EventPosition;

/// How many events of an environment one read looks through at most, when filters may pass over many.
pub(crate) const STRETCH: i64 = 10_000;

/// Where a stretch ends of which the last event stands at a position (none: the log ends before), and whether the log goes
/// on behind it.
pub(crate) fn end(last: Option<i64>, settled: i64) -> (EventPosition, bool) {
    let last = last.filter(|last| *last < settled);
    (EventPosition::from_stored(last.unwrap_or(settled)).unwrap_or_default(), last.is_some())
}

/// The events after where a reader stands, up to a position, that a query admits: a boxed query for a backend.
macro_rules! records {
    ($backend:ty, $scope:expr, $query:expr, $end:expr) => {{
        use diesel::{ExpressionMethods as _, JoinOnDsl as _, QueryDsl as _};
        use patron_domain::event::EventEntities;
        use $crate::persistence::{
            event::queries::{columns, same_event},
            schema::{event_payloads, events},
        };

        let ((tenant, environment), query) = ($scope, $query);
        let next = events::table
            .left_join(event_payloads::table.on(same_event(tenant, environment)))
            .filter(events::tenant_id.eq(tenant))
            .filter(events::environment_id.eq(environment))
            .filter(events::position.gt(query.after.stored()))
            .filter(events::position.le($end.stored()));
        let mut next = next.select(columns()).into_boxed::<$backend>();
        if let Some(types) = &query.types {
            next = next.filter(events::event_type.eq_any(types.iter().map(|one| one.as_str()).collect::<Vec<_>>()));
        }
        next = match query.entities {
            EventEntities::All => next,
            EventEntities::Kind(kind) => next.filter(events::entity_type.eq(kind.as_str())),
            EventEntities::One(entity) => {
                next.filter(events::entity_type.eq(entity.kind().as_str())).filter(events::entity_id.eq(entity.id()))
            }
        };
        if let Some(from) = query.from {
            next = next.filter(events::at.ge(from.micros()));
        }
        if let Some(until) = query.until {
            next = next.filter(events::at.le(until.micros()));
        }
        next.order(events::position.asc()).limit(i64::from(query.limit.get()) + 1)
    }};
}

pub(crate) use records;
