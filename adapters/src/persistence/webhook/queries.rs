//! Queries over `webhook_endpoints` and `webhook_deliveries`, written once for both databases.

use diesel::{
    dsl::{auto_type, exists},
    prelude::*,
};

use crate::persistence::{
    literal::{Failed, Waiting},
    schema::{events, webhook_deliveries, webhook_endpoints},
};

/// The endpoints of an environment that are not deleted.
#[auto_type(no_type_alias)]
pub(crate) fn endpoints_of<'a>(tenant_id: &'a str, environment_id: &'a str) -> _ {
    webhook_endpoints::table
        .filter(webhook_endpoints::tenant_id.eq(tenant_id))
        .filter(webhook_endpoints::environment_id.eq(environment_id))
        .filter(webhook_endpoints::deleted_at.is_null())
}

/// The order of a list of endpoints: the newest first, ids breaking ties.
#[auto_type(no_type_alias)]
pub(crate) fn newest_endpoints_first() -> _ {
    (webhook_endpoints::created_at.desc(), webhook_endpoints::id.desc())
}

/// One endpoint that is not deleted.
#[auto_type(no_type_alias)]
pub(crate) fn endpoint<'a>(tenant_id: &'a str, environment_id: &'a str, id: &'a str) -> _ {
    webhook_endpoints::table
        .filter(webhook_endpoints::tenant_id.eq(tenant_id))
        .filter(webhook_endpoints::environment_id.eq(environment_id))
        .filter(webhook_endpoints::id.eq(id))
        .filter(webhook_endpoints::deleted_at.is_null())
}

/// One endpoint of any environment that is not deleted.
#[auto_type(no_type_alias)]
pub(crate) fn any_endpoint(id: &str) -> _ {
    webhook_endpoints::table.filter(webhook_endpoints::id.eq(id)).filter(webhook_endpoints::deleted_at.is_null())
}

/// The endpoint, as long as its lease is a holder's.
#[auto_type(no_type_alias)]
pub(crate) fn held<'a>(id: &'a str, holder: &'a str) -> _ {
    webhook_endpoints::table
        .filter(webhook_endpoints::id.eq(id))
        .filter(webhook_endpoints::deleted_at.is_null())
        .filter(webhook_endpoints::lease_holder.eq(holder))
}

/// The endpoints of all environments that have something to do, and that nobody else serves.
#[auto_type(no_type_alias)]
pub(crate) fn claimable<'a>(holder: &'a str, now: i64) -> _ {
    let newer = events::table
        .filter(events::tenant_id.eq(webhook_endpoints::tenant_id))
        .filter(events::environment_id.eq(webhook_endpoints::environment_id))
        .filter(events::position.gt(webhook_endpoints::position));
    let due = webhook_deliveries::table
        .filter(webhook_deliveries::tenant_id.eq(webhook_endpoints::tenant_id))
        .filter(webhook_deliveries::environment_id.eq(webhook_endpoints::environment_id))
        .filter(webhook_deliveries::endpoint_id.eq(webhook_endpoints::id))
        .filter(webhook_deliveries::status.eq(Waiting))
        .filter(webhook_deliveries::next_attempt_at.assume_not_null().le(now));
    let free = webhook_endpoints::lease_until.is_null().or(webhook_endpoints::lease_until.assume_not_null().le(now));
    let mine = webhook_endpoints::lease_holder.assume_not_null().eq(holder);
    let awake = webhook_endpoints::paused_until.is_null().or(webhook_endpoints::paused_until.assume_not_null().le(now));
    webhook_endpoints::table
        .filter(webhook_endpoints::deleted_at.is_null())
        .filter(webhook_endpoints::disabled_at.is_null())
        .filter(awake)
        .filter(free.or(mine))
        .filter(exists(newer).or(exists(due)))
}

/// The deliveries of an endpoint.
#[auto_type(no_type_alias)]
pub(crate) fn deliveries_of<'a>(tenant_id: &'a str, environment_id: &'a str, endpoint_id: &'a str) -> _ {
    webhook_deliveries::table
        .filter(webhook_deliveries::tenant_id.eq(tenant_id))
        .filter(webhook_deliveries::environment_id.eq(environment_id))
        .filter(webhook_deliveries::endpoint_id.eq(endpoint_id))
}

/// Those that wait, of one kind, in the order of the log.
#[auto_type(no_type_alias)]
pub(crate) fn waiting<'a>(tenant_id: &'a str, environment_id: &'a str, endpoint_id: &'a str, kind: &'a str) -> _ {
    webhook_deliveries::table
        .filter(webhook_deliveries::tenant_id.eq(tenant_id))
        .filter(webhook_deliveries::environment_id.eq(environment_id))
        .filter(webhook_deliveries::endpoint_id.eq(endpoint_id))
        .filter(webhook_deliveries::status.eq(Waiting))
        .filter(webhook_deliveries::kind.eq(kind))
        .order((webhook_deliveries::position.asc(), webhook_deliveries::id.asc()))
}

/// Those that failed, the oldest first.
#[auto_type(no_type_alias)]
pub(crate) fn failed<'a>(tenant_id: &'a str, environment_id: &'a str, endpoint_id: &'a str) -> _ {
    webhook_deliveries::table
        .filter(webhook_deliveries::tenant_id.eq(tenant_id))
        .filter(webhook_deliveries::environment_id.eq(environment_id))
        .filter(webhook_deliveries::endpoint_id.eq(endpoint_id))
        .filter(webhook_deliveries::status.eq(Failed))
        .order(webhook_deliveries::id.asc())
}

/// One delivery.
#[auto_type(no_type_alias)]
pub(crate) fn delivery<'a>(tenant_id: &'a str, environment_id: &'a str, endpoint_id: &'a str, id: &'a str) -> _ {
    webhook_deliveries::table
        .filter(webhook_deliveries::tenant_id.eq(tenant_id))
        .filter(webhook_deliveries::environment_id.eq(environment_id))
        .filter(webhook_deliveries::endpoint_id.eq(endpoint_id))
        .filter(webhook_deliveries::id.eq(id))
}

/// The keys of the deliveries that last changed before a time and do not wait, or are of a deleted endpoint: tenant,
/// environment, endpoint and id. They are found by their endpoints' ranges of ids up to `last`, the greatest of that time,
/// so that no index of times has to be kept up by each delivery.
#[auto_type(no_type_alias)]
pub(crate) fn old_deliveries(changed_before: i64, last: &str) -> _ {
    let of_endpoint = webhook_deliveries::tenant_id
        .eq(webhook_endpoints::tenant_id)
        .and(webhook_deliveries::environment_id.eq(webhook_endpoints::environment_id))
        .and(webhook_deliveries::endpoint_id.eq(webhook_endpoints::id));
    webhook_endpoints::table
        .inner_join(webhook_deliveries::table.on(of_endpoint))
        .filter(webhook_deliveries::id.le(last))
        .filter(webhook_deliveries::updated_at.lt(changed_before))
        .filter(webhook_deliveries::status.ne(Waiting).or(webhook_endpoints::deleted_at.is_not_null()))
        .select((
            webhook_deliveries::tenant_id,
            webhook_deliveries::environment_id,
            webhook_deliveries::endpoint_id,
            webhook_deliveries::id,
        ))
}

/// Those of the endpoints named that can still be claimed.
#[auto_type(no_type_alias)]
pub(crate) fn claimable_among<'a>(holder: &'a str, now: i64, ids: &'a [String]) -> _ {
    let free = webhook_endpoints::lease_until.is_null().or(webhook_endpoints::lease_until.assume_not_null().le(now));
    let mine = webhook_endpoints::lease_holder.assume_not_null().eq(holder);
    webhook_endpoints::table
        .filter(webhook_endpoints::id.eq_any(ids))
        .filter(webhook_endpoints::deleted_at.is_null())
        .filter(webhook_endpoints::disabled_at.is_null())
        .filter(free.or(mine))
}

/// An endpoint of any environment that is enabled.
#[auto_type(no_type_alias)]
pub(crate) fn enabled(id: &str) -> _ {
    webhook_endpoints::table.filter(webhook_endpoints::id.eq(id)).filter(webhook_endpoints::disabled_at.is_null())
}

/// What taking a lease writes.
#[auto_type(no_type_alias)]
pub(crate) fn lease(holder: &str, until: i64) -> _ {
    (webhook_endpoints::lease_holder.eq(holder), webhook_endpoints::lease_until.eq(until))
}

/// What deleting an endpoint writes: its secrets are gone at once.
#[auto_type(no_type_alias)]
pub(crate) fn deletion(at: i64, by: &str) -> _ {
    let none: Option<&'static str> = None;
    let never: Option<i64> = None;
    let nothing: &'static str = "";
    (
        webhook_endpoints::deleted_at.eq(at),
        webhook_endpoints::updated_at.eq(at),
        webhook_endpoints::updated_by.eq(by),
        webhook_endpoints::secret.eq(nothing),
        webhook_endpoints::previous_secret.eq(none),
        webhook_endpoints::previous_until.eq(never),
        webhook_endpoints::lease_holder.eq(none),
        webhook_endpoints::lease_until.eq(never),
    )
}

/// What makes a delivery wait again as a replay that is due.
#[auto_type(no_type_alias)]
pub(crate) fn replay(at: i64) -> _ {
    let (kind, status): (&'static str, &'static str) = ("replay", "waiting");
    let attempts: i32 = 0;
    (
        webhook_deliveries::kind.eq(kind),
        webhook_deliveries::status.eq(status),
        webhook_deliveries::next_attempt_at.eq(at),
        webhook_deliveries::attempts.eq(attempts),
        webhook_deliveries::updated_at.eq(at),
    )
}

/// Whether a delivery that waits is due.
#[auto_type(no_type_alias)]
pub(crate) fn is_due(now: i64) -> _ {
    webhook_deliveries::next_attempt_at.assume_not_null().le(now)
}

/// Deliveries as they are listed: the newest first, as far as a query wants them.
macro_rules! newest {
    ($deliveries:expr, $query:expr) => {{
        use crate::persistence::{literal, schema::webhook_deliveries};
        use patron_domain::webhook::DeliveryStatus;
        let mut all = $deliveries.order(webhook_deliveries::id.desc()).limit($query.limit.into()).into_boxed();
        match $query.status {
            None => {}
            Some(DeliveryStatus::Waiting) => all = all.filter(webhook_deliveries::status.eq(literal::Waiting)),
            Some(DeliveryStatus::Failed) => all = all.filter(webhook_deliveries::status.eq(literal::Failed)),
            Some(DeliveryStatus::Delivered) => {
                all = all.filter(webhook_deliveries::status.eq(DeliveryStatus::Delivered.as_str()))
            }
        }
        if let Some(before) = $query.before {
            all = all.filter(webhook_deliveries::id.lt(before.to_string()));
        }
        all
    }};
}
pub(crate) use newest;
