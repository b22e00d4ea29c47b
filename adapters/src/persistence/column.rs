//! Reading columns back: what cannot be read is reported with its table, column and row, and never replaced by a default.

use patron_domain::{
    ids::{EnvironmentId, TenantId},
    lifecycle::{Audit, Owner, Status, Version},
    metadata::{JsonObject, Metadata},
    store::StoreError,
    tenancy::Actor,
    time::Timestamp,
};

/// One row of a table, for error messages.
#[derive(Clone, Copy)]
pub(crate) struct RowName<'a> {
    pub(crate) table: &'static str,
    pub(crate) id: &'a str,
}

/// The four columns every table ends with.
pub(crate) struct AuditColumns {
    pub(crate) created_at: i64,
    pub(crate) created_by: String,
    pub(crate) updated_at: i64,
    pub(crate) updated_by: String,
}

impl RowName<'_> {
    /// Takes a checked column, or reports it as corrupt. The value itself stays out of the error: it may be personal.
    pub(crate) fn column<T, E>(&self, column: &'static str, checked: Result<T, E>) -> Result<T, StoreError> {
        checked.map_err(|_| StoreError::Corrupt { table: self.table, column, row: self.id.to_owned() })
    }

    /// The same for a column that may be NULL.
    pub(crate) fn nullable<V, T, E>(
        &self,
        column: &'static str,
        value: Option<V>,
        check: impl FnOnce(V) -> Result<T, E>,
    ) -> Result<Option<T>, StoreError> {
        self.column(column, value.map(check).transpose())
    }

    pub(crate) fn owner(&self, tenant_id: &str, environment_id: &str) -> Result<Owner, StoreError> {
        Ok(Owner {
            tenant_id: self.column("tenant_id", TenantId::parse(tenant_id))?,
            environment_id: self.column("environment_id", EnvironmentId::parse(environment_id))?,
        })
    }

    pub(crate) fn audit(&self, columns: AuditColumns) -> Result<Audit, StoreError> {
        Ok(Audit {
            created_at: self.column("created_at", Timestamp::from_micros(columns.created_at))?,
            created_by: self.column("created_by", Actor::new(columns.created_by))?,
            updated_at: self.column("updated_at", Timestamp::from_micros(columns.updated_at))?,
            updated_by: self.column("updated_by", Actor::new(columns.updated_by))?,
        })
    }

    pub(crate) fn status(&self, text: &str) -> Result<Status, StoreError> {
        self.column("status", Status::parse(text))
    }

    pub(crate) fn version(&self, column: &'static str, number: i64) -> Result<Version, StoreError> {
        self.column(column, Version::from_stored(number).ok_or(()))
    }

    pub(crate) fn metadata(&self, json: &str) -> Result<Metadata, StoreError> {
        if json == "{}" {
            return Ok(Metadata::default());
        }
        self.column("metadata", serde_json::from_str(json))
    }

    pub(crate) fn json_object(&self, json: &str) -> Result<JsonObject, StoreError> {
        if json == "{}" {
            return Ok(JsonObject::default());
        }
        self.column("metadata", serde_json::from_str(json))
    }
}

/// Metadata as the column holds it.
pub(crate) fn metadata_json(metadata: &Metadata) -> String {
    if metadata.is_empty() {
        return "{}".to_owned();
    }
    // A map of strings always has a JSON form; `{}` stands in where serde_json would disagree.
    serde_json::to_string(metadata.as_map()).unwrap_or_else(|_| "{}".to_owned())
}

/// A version as the column holds it.
pub(crate) fn version_number(version: Version) -> i64 {
    // No aggregate sees 2^63 changes.
    i64::try_from(version.get()).unwrap_or(i64::MAX)
}
