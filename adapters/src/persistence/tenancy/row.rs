//! Rows of the tables `tenants`, `environments` and `api_keys`.

use diesel::prelude::{AsChangeset, Insertable, Queryable};
use patron_domain::{
    ids::{ApiKeyId, EnvironmentId, TenantId},
    store::StoreError,
    tenancy::{
        ApiKey, ApiKeyName, ApiKeySecret, Environment, EnvironmentName, EnvironmentType, Role, Roles, Tenant,
        TenantName,
    },
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::persistence::{
    column::{AuditColumns, RowName},
    schema::{api_keys, environments, tenants},
};

/// One row of `tenants`, in the order of the table's columns.
#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = tenants)]
pub(crate) struct TenantRow {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) created_at: i64,
    pub(crate) created_by: String,
    pub(crate) updated_at: i64,
    pub(crate) updated_by: String,
}

impl From<&Tenant> for TenantRow {
    fn from(tenant: &Tenant) -> Self {
        Self {
            id: tenant.id.to_string(),
            name: tenant.name.as_str().to_owned(),
            created_at: tenant.audit.created_at.micros(),
            created_by: tenant.audit.created_by.as_str().to_owned(),
            updated_at: tenant.audit.updated_at.micros(),
            updated_by: tenant.audit.updated_by.as_str().to_owned(),
        }
    }
}

impl TryFrom<TenantRow> for Tenant {
    type Error = StoreError;

    fn try_from(row: TenantRow) -> Result<Self, StoreError> {
        let named = RowName { table: "tenants", id: &row.id };
        Ok(Self {
            id: named.column("id", TenantId::parse(&row.id))?,
            name: named.column("name", TenantName::new(row.name))?,
            audit: named.audit(AuditColumns {
                created_at: row.created_at,
                created_by: row.created_by,
                updated_at: row.updated_at,
                updated_by: row.updated_by,
            })?,
        })
    }
}

/// One row of `environments`, in the order of the table's columns.
#[derive(Debug, Clone, Queryable, Insertable, Serialize, Deserialize)]
#[diesel(table_name = environments)]
pub(crate) struct EnvironmentRow {
    pub(crate) tenant_id: String,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) created_at: i64,
    pub(crate) created_by: String,
    pub(crate) updated_at: i64,
    pub(crate) updated_by: String,
}

impl EnvironmentRow {
    /// The row of an environment in a tenant, whatever tenant the environment names.
    pub(crate) fn new(tenant_id: TenantId, environment: &Environment) -> Self {
        Self {
            tenant_id: tenant_id.to_string(),
            id: environment.id.to_string(),
            name: environment.name.as_str().to_owned(),
            kind: environment.kind.as_str().to_owned(),
            created_at: environment.audit.created_at.micros(),
            created_by: environment.audit.created_by.as_str().to_owned(),
            updated_at: environment.audit.updated_at.micros(),
            updated_by: environment.audit.updated_by.as_str().to_owned(),
        }
    }
}

/// What another name changes of a row of `environments`.
#[derive(AsChangeset)]
#[diesel(table_name = environments)]
pub(crate) struct RenamedEnvironment {
    name: String,
    updated_at: i64,
    updated_by: String,
}

impl From<&Environment> for RenamedEnvironment {
    fn from(environment: &Environment) -> Self {
        let EnvironmentRow { name, updated_at, updated_by, .. } =
            EnvironmentRow::new(environment.tenant_id, environment);
        Self { name, updated_at, updated_by }
    }
}

impl TryFrom<EnvironmentRow> for Environment {
    type Error = StoreError;

    fn try_from(row: EnvironmentRow) -> Result<Self, StoreError> {
        let named = RowName { table: "environments", id: &row.id };
        Ok(Self {
            id: named.column("id", EnvironmentId::parse(&row.id))?,
            tenant_id: named.column("tenant_id", TenantId::parse(&row.tenant_id))?,
            name: named.column("name", EnvironmentName::new(row.name))?,
            kind: named.column("kind", EnvironmentType::parse(&row.kind))?,
            audit: named.audit(AuditColumns {
                created_at: row.created_at,
                created_by: row.created_by,
                updated_at: row.updated_at,
                updated_by: row.updated_by,
            })?,
        })
    }
}

/// One row of `api_keys`, in the order of the table's columns.
#[derive(Clone, Queryable, Insertable, Serialize, Deserialize)]
#[diesel(table_name = api_keys, treat_none_as_default_value = false)]
pub(crate) struct ApiKeyRow {
    pub(crate) tenant_id: String,
    pub(crate) environment_id: String,
    pub(crate) id: String,
    pub(crate) name: String,
    #[serde(skip)]
    pub(crate) hash: String,
    pub(crate) display_id: String,
    pub(crate) roles: String,
    pub(crate) expires_at: Option<i64>,
    pub(crate) revoked_at: Option<i64>,
    pub(crate) last_used_at: Option<i64>,
    pub(crate) created_at: i64,
    pub(crate) created_by: String,
    pub(crate) updated_at: i64,
    pub(crate) updated_by: String,
}

/// What is stored of a secret: its SHA-256 in lower-case hexadecimal. A secret has 256 random bits, so no slow hash is
/// needed: there is nothing to guess.
pub(crate) fn secret_hash(secret: &ApiKeySecret) -> String {
    use std::fmt::Write;
    let digest = Sha256::digest(secret.expose());
    digest.iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

impl ApiKeyRow {
    pub(crate) fn new(key: &ApiKey, secret: &ApiKeySecret) -> Self {
        Self { hash: secret_hash(secret), ..Self::without_secret(key) }
    }

    /// What is known of a key, for what is no row of the table.
    pub(crate) fn without_secret(key: &ApiKey) -> Self {
        let roles: Vec<_> = key.roles.iter().map(Role::as_str).collect();
        Self {
            tenant_id: key.owner.tenant_id.to_string(),
            environment_id: key.owner.environment_id.to_string(),
            id: key.id.to_string(),
            name: key.name.as_str().to_owned(),
            hash: String::new(),
            display_id: key.display_id.clone(),
            roles: roles.join(","),
            expires_at: key.expires_at.map(Timestamp::micros),
            revoked_at: key.revoked_at.map(Timestamp::micros),
            last_used_at: key.last_used_at.map(Timestamp::micros),
            created_at: key.audit.created_at.micros(),
            created_by: key.audit.created_by.as_str().to_owned(),
            updated_at: key.audit.updated_at.micros(),
            updated_by: key.audit.updated_by.as_str().to_owned(),
        }
    }
}

/// What revoking changes of a row of `api_keys`.
#[derive(AsChangeset)]
#[diesel(table_name = api_keys)]
pub(crate) struct RevokedKey {
    revoked_at: Option<i64>,
    updated_at: i64,
    updated_by: String,
}

impl From<&ApiKey> for RevokedKey {
    fn from(key: &ApiKey) -> Self {
        let ApiKeyRow { revoked_at, updated_at, updated_by, .. } = ApiKeyRow::without_secret(key);
        Self { revoked_at, updated_at, updated_by }
    }
}

impl TryFrom<ApiKeyRow> for ApiKey {
    type Error = StoreError;

    fn try_from(row: ApiKeyRow) -> Result<Self, StoreError> {
        let named = RowName { table: "api_keys", id: &row.id };
        let roles: Result<Vec<_>, _> = row.roles.split(',').map(Role::parse).collect();
        let roles = named.column("roles", roles)?;
        Ok(Self {
            id: named.column("id", ApiKeyId::parse(&row.id))?,
            owner: named.owner(&row.tenant_id, &row.environment_id)?,
            name: named.column("name", ApiKeyName::new(row.name))?,
            display_id: row.display_id,
            roles: named.column("roles", Roles::new(roles))?,
            expires_at: named.nullable("expires_at", row.expires_at, Timestamp::from_micros)?,
            revoked_at: named.nullable("revoked_at", row.revoked_at, Timestamp::from_micros)?,
            last_used_at: named.nullable("last_used_at", row.last_used_at, Timestamp::from_micros)?,
            audit: named.audit(AuditColumns {
                created_at: row.created_at,
                created_by: row.created_by,
                updated_at: row.updated_at,
                updated_by: row.updated_by,
            })?,
        })
    }
}
