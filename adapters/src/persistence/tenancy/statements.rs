//! Statements about tenants, environments and API keys.

use diesel::{ExpressionMethods, JoinOnDsl, NullableExpressionMethods, QueryDsl};

use super::row::{ApiKeyRow, EnvironmentRow, TenantRow};
use crate::persistence::{
    page::Window,
    schema::{api_keys, environments, logs, owners, tenants},
    statements::statements,
    value::Key,
};

/// An API key with its tenant and its environment, and the time since which the tenant is suspended.
pub(crate) type OwnedKey = (ApiKeyRow, Key, Key, Option<i64>);

/// API keys with their owners.
macro_rules! owned_keys {
    () => {
        // Tenants that an embedding application keeps itself have no row.
        api_keys::table
            .inner_join(owners::table.on(owners::environment.eq(api_keys::environment)))
            .left_join(tenants::table.on(tenants::id.eq(owners::tenant_id)))
            .select((
                api_keys::all_columns,
                owners::tenant_id,
                owners::environment_id,
                tenants::suspended_at.nullable(),
            ))
    };
}

/// The keys of an environment: all, only revoked ones, or only others.
macro_rules! listed_keys {
    ($environment:expr, $revoked:expr) => {{
        let all = api_keys::table.filter(api_keys::environment.eq($environment)).into_boxed();
        match $revoked {
            None => all,
            Some(true) => all.filter(api_keys::revoked_at.is_not_null()),
            Some(false) => all.filter(api_keys::revoked_at.is_null()),
        }
    }};
}

statements! {
    /// Statements about tenants, environments and API keys.
    TenancyStatements {
        /// The number of tenants.
        fn count_tenants(db) -> i64 {
            Ok(db.one::<_, i64>(tenants::table.count()).await?.unwrap_or_default())
        }

        /// A tenant.
        fn tenant(db, id: Key) -> Option<TenantRow> {
            db.one(tenants::table.filter(tenants::id.eq(id))).await
        }

        /// The same, locked.
        fn lock_tenant(db, id: Key) -> Option<TenantRow> {
            db.locked(tenants::table.filter(tenants::id.eq(id))).await
        }

        /// The numbers of a tenant's environments that have a log.
        fn logged_environments_of(db, tenant: Key) -> Vec<i32> {
            let of_tenant = owners::table.inner_join(logs::table.on(logs::environment.eq(owners::environment)));
            let of_tenant = of_tenant.filter(owners::tenant_id.eq(tenant)).order(owners::environment.asc());
            db.rows(of_tenant.select(owners::environment)).await
        }

        /// The numbers of all environments except those of suspended tenants.
        fn environments_awake(db) -> Vec<i32> {
            let all = owners::table.left_join(tenants::table.on(tenants::id.eq(owners::tenant_id)));
            let awake = all.filter(tenants::suspended_at.nullable().is_null()).order(owners::environment.asc());
            db.rows(awake.select(owners::environment)).await
        }

        /// Whether an environment's tenant is suspended.
        fn is_suspended(db, environment: i32) -> bool {
            let tenant = owners::table.inner_join(tenants::table.on(tenants::id.eq(owners::tenant_id)));
            let suspended = tenant.filter(owners::environment.eq(environment)).filter(tenants::suspended_at.is_not_null());
            Ok(db.one::<_, i32>(suspended.select(owners::environment)).await?.is_some())
        }

        /// A page of tenants, newest first.
        fn tenants(db, window: Window) -> Vec<TenantRow> {
            let ordered = tenants::table.order((tenants::created_at.desc(), tenants::id.desc()));
            db.rows(ordered.limit(window.limit).offset(window.offset)).await
        }

        /// An environment of any tenant.
        fn environment(db, id: Key) -> Option<EnvironmentRow> {
            db.one(environments::table.filter(environments::id.eq(id))).await
        }

        /// An environment of a tenant, locked.
        fn lock_environment(db, tenant: Key, id: Key) -> Option<EnvironmentRow> {
            let one = environments::table.filter(environments::id.eq(id)).filter(environments::tenant_id.eq(tenant));
            db.locked(one).await
        }

        /// A page of a tenant's environments, newest first.
        fn environments_of(db, tenant: Key, window: Window) -> Vec<EnvironmentRow> {
            let all = environments::table.filter(environments::tenant_id.eq(tenant));
            let ordered = all.order((environments::created_at.desc(), environments::id.desc()));
            db.rows(ordered.limit(window.limit).offset(window.offset)).await
        }

        /// The number of environments of a tenant.
        fn count_environments_of(db, tenant: Key) -> i64 {
            let all = environments::table.filter(environments::tenant_id.eq(tenant)).count();
            Ok(db.one::<_, i64>(all).await?.unwrap_or_default())
        }

        /// A key of any environment.
        fn api_key(db, id: Key) -> Option<OwnedKey> {
            db.one(owned_keys!().filter(api_keys::id.eq(id))).await
        }

        /// The key with this hash of its secret, of any environment.
        fn api_key_of_hash(db, hash: &[u8]) -> Option<OwnedKey> {
            db.one(owned_keys!().filter(api_keys::hash.eq(hash))).await
        }

        /// A key of an environment, locked.
        fn lock_api_key(db, environment: i32, id: Key) -> Option<ApiKeyRow> {
            let one = api_keys::table.filter(api_keys::environment.eq(environment)).filter(api_keys::id.eq(id));
            db.locked(one).await
        }

        /// Keys of any environment, locked.
        fn lock_api_keys(db, ids: &[Key]) -> Vec<ApiKeyRow> {
            db.each_locked(
                ids,
                |id| api_keys::table.filter(api_keys::id.eq(id)),
                |ids| api_keys::table.filter(api_keys::id.eq_any(ids)).order(api_keys::id.asc()),
            ).await
        }

        /// A page of an environment's keys, newest first.
        fn api_keys_of(db, environment: i32, revoked: Option<bool>, window: Window) -> Vec<ApiKeyRow> {
            let ordered = listed_keys!(environment, revoked).order((api_keys::created_at.desc(), api_keys::id.desc()));
            db.rows(ordered.limit(window.limit).offset(window.offset)).await
        }

        /// The number of these keys.
        fn count_api_keys_of(db, environment: i32, revoked: Option<bool>) -> i64 {
            let all = listed_keys!(environment, revoked).count();
            Ok(db.one::<_, i64>(all).await?.unwrap_or_default())
        }
    }
}
