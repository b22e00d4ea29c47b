//! Queries over `tenants`, `environments` and `api_keys`, written once for both databases.

use diesel::{dsl::auto_type, prelude::*};

use crate::persistence::schema::{api_keys, environments, tenants};

/// The order of a list of tenants: the newest first, ids breaking ties.
#[auto_type(no_type_alias)]
pub(crate) fn newest_tenants_first() -> _ {
    (tenants::created_at.desc(), tenants::id.desc())
}

/// The environments of a tenant.
#[auto_type(no_type_alias)]
pub(crate) fn environments_of(tenant_id: &str) -> _ {
    environments::table.filter(environments::tenant_id.eq(tenant_id))
}

/// The order of a list of environments: the newest first, ids breaking ties.
#[auto_type(no_type_alias)]
pub(crate) fn newest_environments_first() -> _ {
    (environments::created_at.desc(), environments::id.desc())
}

/// The one environment of a tenant with an id.
#[auto_type(no_type_alias)]
pub(crate) fn environment_of<'a>(tenant_id: &'a str, id: &'a str) -> _ {
    environments::table.filter(environments::tenant_id.eq(tenant_id)).filter(environments::id.eq(id))
}

/// An environment of any tenant.
#[auto_type(no_type_alias)]
pub(crate) fn environment_by_id(id: &str) -> _ {
    environments::table.filter(environments::id.eq(id))
}

/// The keys of an environment whose being revoked is one of two answers: twice the same picks, both picks all.
#[auto_type(no_type_alias)]
pub(crate) fn keys_revoked<'a>(tenant_id: &'a str, environment_id: &'a str, one: bool, other: bool) -> _ {
    api_keys::table
        .filter(api_keys::tenant_id.eq(tenant_id))
        .filter(api_keys::environment_id.eq(environment_id))
        .filter(api_keys::revoked_at.is_not_null().eq(one).or(api_keys::revoked_at.is_not_null().eq(other)))
}

/// Both answers for a list of all keys, one of them twice for those that are revoked or are not.
pub(crate) fn answers(revoked: Option<bool>) -> (bool, bool) {
    revoked.map_or((true, false), |revoked| (revoked, revoked))
}

/// A key of any environment by its id, unless it was used at this time or later.
#[auto_type(no_type_alias)]
pub(crate) fn key_unused_since(id: &str, at: i64) -> _ {
    api_keys::table
        .filter(api_keys::id.eq(id))
        .filter(api_keys::last_used_at.is_null().or(api_keys::last_used_at.assume_not_null().lt(at)))
}

/// The order of a list of keys: the newest first, ids breaking ties.
#[auto_type(no_type_alias)]
pub(crate) fn newest_keys_first() -> _ {
    (api_keys::created_at.desc(), api_keys::id.desc())
}

/// A key of any environment by its id.
#[auto_type(no_type_alias)]
pub(crate) fn key_by_id(id: &str) -> _ {
    api_keys::table.filter(api_keys::id.eq(id))
}

/// The key of any environment with the hash of its secret.
#[auto_type(no_type_alias)]
pub(crate) fn key_by_hash(hash: &str) -> _ {
    api_keys::table.filter(api_keys::hash.eq(hash))
}

/// One key of an environment.
#[auto_type(no_type_alias)]
pub(crate) fn key_of<'a>(tenant_id: &'a str, environment_id: &'a str, id: &'a str) -> _ {
    api_keys::table
        .filter(api_keys::tenant_id.eq(tenant_id))
        .filter(api_keys::environment_id.eq(environment_id))
        .filter(api_keys::id.eq(id))
}
