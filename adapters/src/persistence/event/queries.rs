//! Queries over `events` and `event_payloads`, written once for both databases.

use diesel::{dsl::auto_type, prelude::*};

use super::row::CUSTOMER;
use crate::persistence::schema::{event_payloads, events};

/// The events of a customer.
#[auto_type(no_type_alias)]
pub(crate) fn of_customer<'a>(tenant_id: &'a str, environment_id: &'a str, customer_id: &'a str) -> _ {
    let customer: &'static str = CUSTOMER;
    events::table
        .filter(events::tenant_id.eq(tenant_id))
        .filter(events::environment_id.eq(environment_id))
        .filter(events::entity_type.eq(customer))
        .filter(events::entity_id.eq(customer_id))
}

/// The events of a customer with their payloads, the oldest first.
#[auto_type(no_type_alias)]
pub(crate) fn history<'a>(tenant_id: &'a str, environment_id: &'a str, customer_id: &'a str) -> _ {
    let customer: &'static str = CUSTOMER;
    let same_event = event_payloads::tenant_id
        .eq(events::tenant_id)
        .and(event_payloads::environment_id.eq(events::environment_id))
        .and(event_payloads::event_id.eq(events::id));
    events::table
        .inner_join(event_payloads::table.on(same_event))
        .filter(events::tenant_id.eq(tenant_id))
        .filter(events::environment_id.eq(environment_id))
        .filter(events::entity_type.eq(customer))
        .filter(events::entity_id.eq(customer_id))
        .order(events::sequence.asc())
}

/// One event with its payload.
#[auto_type(no_type_alias)]
pub(crate) fn by_id<'a>(tenant_id: &'a str, environment_id: &'a str, id: &'a str) -> _ {
    let same_event = event_payloads::tenant_id
        .eq(events::tenant_id)
        .and(event_payloads::environment_id.eq(events::environment_id))
        .and(event_payloads::event_id.eq(events::id));
    events::table
        .inner_join(event_payloads::table.on(same_event))
        .filter(events::tenant_id.eq(tenant_id))
        .filter(events::environment_id.eq(environment_id))
        .filter(events::id.eq(id))
}

/// The events of an environment with their payloads.
#[auto_type(no_type_alias)]
pub(crate) fn in_environment<'a>(tenant_id: &'a str, environment_id: &'a str) -> _ {
    let same_event = event_payloads::tenant_id
        .eq(events::tenant_id)
        .and(event_payloads::environment_id.eq(events::environment_id))
        .and(event_payloads::event_id.eq(events::id));
    events::table
        .inner_join(event_payloads::table.on(same_event))
        .filter(events::tenant_id.eq(tenant_id))
        .filter(events::environment_id.eq(environment_id))
}

/// One event with its payload, if that was not erased.
#[auto_type(no_type_alias)]
pub(crate) fn record<'a>(tenant_id: &'a str, environment_id: &'a str, id: &'a str) -> _ {
    let same_event = event_payloads::tenant_id
        .eq(events::tenant_id)
        .and(event_payloads::environment_id.eq(events::environment_id))
        .and(event_payloads::event_id.eq(events::id));
    events::table
        .left_join(event_payloads::table.on(same_event))
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
    let same_event = event_payloads::tenant_id
        .eq(events::tenant_id)
        .and(event_payloads::environment_id.eq(events::environment_id))
        .and(event_payloads::event_id.eq(events::id));
    events::table
        .left_join(event_payloads::table.on(same_event))
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
