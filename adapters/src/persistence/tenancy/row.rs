//! Rows of the tables `tenants`, `environments` and `api_keys`.

use patron_domain::{
    ids::TenantKind,
    lifecycle::{Audit, Owner},
    store::StoreError,
    tenancy::{Actor, ApiKey, ApiKeySecret, Environment, Tenant, TenantName},
    time::{Timestamp, TimestampError},
};
use sha2::{Digest, Sha256};

use super::statements::OwnedKey;
use crate::persistence::{
    rows::rows,
    value::{Document, Key, corrupt},
};

rows! {
    /// One row of `tenants`.
    TenantRow: tenants {
        id: Key;
        name: String,
        suspended_at: Option<i64>,
        created_at: i64,
        created_by: String,
        updated_at: i64,
        updated_by: String,
    }
}

rows! {
    /// One row of `environments`.
    EnvironmentRow: environments {
        id: Key;
        tenant_id: Key,
        created_at: i64,
        document: Document,
    }
}

rows! {
    /// One row of `api_keys`. The last use of a key is only in its column.
    ApiKeyRow: api_keys {
        id: Key;
        environment: i32,
        hash: Vec<u8>,
        revoked_at: Option<i64>,
        last_used_at: Option<i64>,
        created_at: i64,
        document: Document,
    }
}

impl From<&Tenant> for TenantRow {
    fn from(tenant: &Tenant) -> Self {
        Self {
            id: tenant.id.into(),
            name: tenant.name.as_str().to_owned(),
            suspended_at: tenant.suspended_at.map(Timestamp::micros),
            created_at: tenant.audit.created_at.micros(),
            created_by: tenant.audit.created_by.as_str().to_owned(),
            updated_at: tenant.audit.updated_at.micros(),
            updated_by: tenant.audit.updated_by.as_str().to_owned(),
        }
    }
}

impl TenantRow {
    /// The tenant.
    pub(crate) fn tenant(self) -> Result<Tenant, StoreError> {
        let id = self.id.id::<TenantKind>();
        let broken = |column| corrupt("tenants", column, id);
        Ok(Tenant {
            id,
            name: TenantName::new(self.name).map_err(|_| broken("name"))?,
            suspended_at: time(self.suspended_at).map_err(|_| broken("suspended_at"))?,
            audit: Audit {
                created_at: Timestamp::from_micros(self.created_at).map_err(|_| broken("created_at"))?,
                created_by: Actor::new(self.created_by).map_err(|_| broken("created_by"))?,
                updated_at: Timestamp::from_micros(self.updated_at).map_err(|_| broken("updated_at"))?,
                updated_by: Actor::new(self.updated_by).map_err(|_| broken("updated_by"))?,
            },
        })
    }
}

impl From<&Environment> for EnvironmentRow {
    fn from(environment: &Environment) -> Self {
        Self {
            id: environment.id.into(),
            tenant_id: environment.tenant_id.into(),
            created_at: environment.audit.created_at.micros(),
            document: Document::of(environment),
        }
    }
}

impl EnvironmentRow {
    /// The environment.
    pub(crate) fn environment(self) -> Result<Environment, StoreError> {
        let owner = Owner { tenant_id: self.tenant_id.id(), environment_id: self.id.id() };
        self.document.read(owner, owner.environment_id)
    }
}

impl ApiKeyRow {
    pub(crate) fn new(environment: i32, key: &ApiKey, hash: Vec<u8>) -> Self {
        Self {
            id: key.id.into(),
            environment,
            hash,
            revoked_at: key.revoked_at.map(Timestamp::micros),
            last_used_at: key.last_used_at.map(Timestamp::micros),
            created_at: key.audit.created_at.micros(),
            document: Document::of(key),
        }
    }

    /// The key, with its owner.
    pub(crate) fn key(&self, owner: Owner) -> Result<ApiKey, StoreError> {
        let id = self.id.id::<patron_domain::ids::ApiKeyKind>();
        let key: ApiKey = self.document.read(owner, id)?;
        let used = time(self.last_used_at);
        Ok(ApiKey { last_used_at: used.map_err(|_| corrupt("api_keys", "last_used_at", id))?, ..key })
    }

    /// The key, with its tenant and environment, and the time since which the tenant is suspended.
    pub(crate) fn owned((row, tenant, environment, suspended_at): OwnedKey) -> Result<ApiKey, StoreError> {
        let owner = Owner { tenant_id: tenant.id(), environment_id: environment.id() };
        let broken = |_| corrupt("tenants", "suspended_at", owner.tenant_id);
        Ok(ApiKey { tenant_suspended_at: time(suspended_at).map_err(broken)?, ..row.key(owner)? })
    }
}

/// A time that may be missing.
fn time(micros: Option<i64>) -> Result<Option<Timestamp>, TimestampError> {
    micros.map(Timestamp::from_micros).transpose()
}

/// The column `hash`.
pub(crate) fn secret_hash(secret: &ApiKeySecret) -> Vec<u8> {
    Sha256::digest(secret.expose().as_bytes()).to_vec()
}
