//! Queries over `events` and `event_payloads`, written once for both databases.

use diesel::{
    dsl::{And, Eq, auto_type},
    prelude::*,
};

use crate::persistence::schema::{event_payloads, events};

type SameEvent<'a> = And<
    And<Eq<event_payloads::tenant_id, &'a str>, Eq<event_payloads::environment_id, &'a str>>,
    Eq<event_payloads::event_id, events::id>,
>;

/// Which payload is an event's. Its tenant and environment are given rather than compared with the event's: PostgreSQL
/// would look for each payload by what is given and by the event's columns too, which takes it two fifths longer.
pub(crate) fn same_event<'a>(tenant_id: &'a str, environment_id: &'a str) -> SameEvent<'a> {
    event_payloads::tenant_id
        .eq(tenant_id)
        .and(event_payloads::environment_id.eq(environment_id))
        .and(event_payloads::event_id.eq(events::id))
}

/// What an event is read from, see [`super::record::StoredRecord`].
#[auto_type]
pub(crate) fn columns() -> _ {
    (
        events::id,
        events::event_type,
        events::entity_type,
        events::entity_id,
        events::sequence,
        events::at,
        events::actor,
        events::request_id,
        events::detail,
        events::position,
        event_payloads::payload.nullable(),
    )
}

/// The events of an environment with their payloads, as far as those were not erased.
#[cfg(feature = "postgres")]
#[auto_type(no_type_alias)]
pub(crate) fn records<'a>(tenant_id: &'a str, environment_id: &'a str) -> _ {
    let same_event: SameEvent<'a> = same_event(tenant_id, environment_id);
    let columns = columns();
    events::table
        .left_join(event_payloads::table.on(same_event))
        .select(columns)
        .filter(events::tenant_id.eq(tenant_id))
        .filter(events::environment_id.eq(environment_id))
}

/// One event with its payload, if that was not erased.
#[auto_type(no_type_alias)]
pub(crate) fn record<'a>(tenant_id: &'a str, environment_id: &'a str, id: &'a str) -> _ {
    let same_event: SameEvent<'a> = same_event(tenant_id, environment_id);
    let columns = columns();
    events::table
        .left_join(event_payloads::table.on(same_event))
        .select(columns)
        .filter(events::tenant_id.eq(tenant_id))
        .filter(events::environment_id.eq(environment_id))
        .filter(events::id.eq(id))
}

/// The events of an entity.
#[auto_type(no_type_alias)]
pub(crate) fn of_entity<'a>(
    tenant_id: &'a str,
    environment_id: &'a str,
    entity_type: &'a str,
    entity_id: &'a str,
) -> _ {
    events::table
        .filter(events::tenant_id.eq(tenant_id))
        .filter(events::environment_id.eq(environment_id))
        .filter(events::entity_type.eq(entity_type))
        .filter(events::entity_id.eq(entity_id))
}

/// The same with their payloads, as far as those were not erased, the oldest first.
#[auto_type(no_type_alias)]
pub(crate) fn records_of_entity<'a>(
    tenant_id: &'a str,
    environment_id: &'a str,
    entity_type: &'a str,
    entity_id: &'a str,
) -> _ {
    let same_event: SameEvent<'a> = same_event(tenant_id, environment_id);
    let columns = columns();
    events::table
        .left_join(event_payloads::table.on(same_event))
        .select(columns)
        .filter(events::tenant_id.eq(tenant_id))
        .filter(events::environment_id.eq(environment_id))
        .filter(events::entity_type.eq(entity_type))
        .filter(events::entity_id.eq(entity_id))
        .order(events::sequence.asc())
}

/// The first events of an environment up to a position: ids and times.
#[auto_type(no_type_alias)]
pub(crate) fn first<'a>(tenant_id: &'a str, environment_id: &'a str, up_to: i64) -> _ {
    events::table
        .filter(events::tenant_id.eq(tenant_id))
        .filter(events::environment_id.eq(environment_id))
        .filter(events::position.le(up_to))
        .order(events::position.asc())
        .select((events::id, events::at))
}

/// The positions of the events of an environment, the last first.
#[auto_type(no_type_alias)]
pub(crate) fn positions<'a>(tenant_id: &'a str, environment_id: &'a str) -> _ {
    events::table
        .filter(events::tenant_id.eq(tenant_id))
        .filter(events::environment_id.eq(environment_id))
        .order(events::position.desc())
        .select(events::position)
}

/// One event alone.
#[auto_type(no_type_alias)]
pub(crate) fn envelope<'a>(tenant_id: &'a str, environment_id: &'a str, id: &'a str) -> _ {
    events::table
        .filter(events::tenant_id.eq(tenant_id))
        .filter(events::environment_id.eq(environment_id))
        .filter(events::id.eq(id))
}

/// The payload of one event.
#[auto_type(no_type_alias)]
pub(crate) fn payload<'a>(tenant_id: &'a str, environment_id: &'a str, id: &'a str) -> _ {
    event_payloads::table
        .filter(event_payloads::tenant_id.eq(tenant_id))
        .filter(event_payloads::environment_id.eq(environment_id))
        .filter(event_payloads::event_id.eq(id))
}

/// The position of the last event of a stretch that begins after a position and is so many events long; none when the log
/// ends before.
#[auto_type(no_type_alias)]
pub(crate) fn end_of_stretch<'a>(tenant_id: &'a str, environment_id: &'a str, after: i64, length: i64) -> _ {
    let last: i64 = length - 1;
    events::table
        .filter(events::tenant_id.eq(tenant_id))
        .filter(events::environment_id.eq(environment_id))
        .filter(events::position.gt(after))
        .order(events::position.asc())
        .select(events::position)
        .offset(last)
}
