//! Rows of the table `idempotency_records`.

use diesel::prelude::{AsChangeset, Insertable, Queryable};
use patron_domain::{
    event::CustomerEvent,
    idempotency::{Fingerprint, IdempotencyClaim, IdempotencyRecord},
    ids::EventId,
    store::StoreError,
    time::Timestamp,
};

use crate::persistence::{column::RowName, schema::idempotency_records};

/// One row, in the order of the table's columns.
#[derive(Debug, Clone, Queryable, Insertable, AsChangeset)]
#[diesel(table_name = idempotency_records, primary_key(tenant_id, environment_id, key))]
pub(crate) struct IdempotencyRow {
    pub(crate) tenant_id: String,
    pub(crate) environment_id: String,
    pub(crate) key: String,
    pub(crate) fingerprint: String,
    pub(crate) event_id: String,
    pub(crate) at: i64,
}

impl IdempotencyRow {
    /// The record of a key whose work is this event.
    pub(crate) fn new(claim: &IdempotencyClaim, event: &CustomerEvent) -> Self {
        let owner = event.state.customer.owner;
        Self {
            tenant_id: owner.tenant_id.to_string(),
            environment_id: owner.environment_id.to_string(),
            key: claim.key.as_str().to_owned(),
            fingerprint: claim.fingerprint.to_hex(),
            event_id: event.id.to_string(),
            at: event.at.micros(),
        }
    }
}

impl TryFrom<IdempotencyRow> for IdempotencyRecord {
    type Error = StoreError;

    fn try_from(row: IdempotencyRow) -> Result<Self, StoreError> {
        // The key is the client's, so the row is named by the event.
        let named = RowName { table: "idempotency_records", id: &row.event_id };
        Ok(Self {
            fingerprint: named.column("fingerprint", Fingerprint::from_hex(&row.fingerprint).ok_or(()))?,
            event_id: named.column("event_id", EventId::parse(&row.event_id))?,
            at: named.column("at", Timestamp::from_micros(row.at))?,
        })
    }
}
