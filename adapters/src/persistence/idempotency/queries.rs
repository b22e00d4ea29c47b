//! Queries over `idempotency_records`, written once for both databases.

use diesel::{dsl::auto_type, prelude::*};

use crate::persistence::schema::idempotency_records;

/// The record of a key.
#[auto_type(no_type_alias)]
pub(crate) fn by_key<'a>(tenant_id: &'a str, environment_id: &'a str, key: &'a str) -> _ {
    idempotency_records::table
        .filter(idempotency_records::tenant_id.eq(tenant_id))
        .filter(idempotency_records::environment_id.eq(environment_id))
        .filter(idempotency_records::key.eq(key))
}

/// The keys of the records that were made before a time, the oldest first: tenant, environment and key.
#[auto_type(no_type_alias)]
pub(crate) fn made_before(at: i64) -> _ {
    idempotency_records::table.filter(idempotency_records::at.lt(at)).order(idempotency_records::at.asc()).select((
        idempotency_records::tenant_id,
        idempotency_records::environment_id,
        idempotency_records::key,
    ))
}
