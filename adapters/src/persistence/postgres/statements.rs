//! The statements that write a batch of decisions: a constant number of them, whatever the number of rows.

use super::unnest::{bulk_insert, returning_text};
use crate::persistence::{
    customer::{changes::FormerExternalIdRow, metadata_row::CustomerMetadataRow, row::CustomerRow},
    event::row::{EventPayloadRow, EventRow},
    idempotency::row::IdempotencyRow,
    integration::row::MappingRow,
    onboarding::run_row::RunRow,
    tax::association_row::TaxAssociationRow,
};

bulk_insert! {
    /// New customers. Those whose external id is taken are left out: the unique index over the published ones decides.
    InsertCustomers of CustomerRow, into "customers"
    (
        tenant_id: String, environment_id: String, id: String, external_id: String, name: Option<String>,
        email: Option<String>, contact: Option<String>, address_line1: Option<String>, address_line2: Option<String>,
        address_city: Option<String>, address_state: Option<String>, address_postal_code: Option<String>,
        address_country: Option<String>, timezone: String, metadata: String, status: String, version: i64,
        created_at: i64, created_by: String, updated_at: i64, updated_by: String,
        external_id_folded: String, name_folded: String, email_folded: String,
    )
    "ON CONFLICT (tenant_id, environment_id, external_id) WHERE status = 'published' DO NOTHING RETURNING id"
}

bulk_insert! {
    /// Customers that are there already, each locked. An external id that is taken is an error.
    UpdateCustomers of CustomerRow, into "customers"
    (
        tenant_id: String, environment_id: String, id: String, external_id: String, name: Option<String>,
        email: Option<String>, contact: Option<String>, address_line1: Option<String>, address_line2: Option<String>,
        address_city: Option<String>, address_state: Option<String>, address_postal_code: Option<String>,
        address_country: Option<String>, timezone: String, metadata: String, status: String, version: i64,
        created_at: i64, created_by: String, updated_at: i64, updated_by: String,
        external_id_folded: String, name_folded: String, email_folded: String,
    )
    "ON CONFLICT (tenant_id, environment_id, id) DO UPDATE SET external_id = excluded.external_id, \
     name = excluded.name, email = excluded.email, contact = excluded.contact, \
     address_line1 = excluded.address_line1, address_line2 = excluded.address_line2, \
     address_city = excluded.address_city, address_state = excluded.address_state, \
     address_postal_code = excluded.address_postal_code, address_country = excluded.address_country, \
     timezone = excluded.timezone, metadata = excluded.metadata, status = excluded.status, \
     version = excluded.version, updated_at = excluded.updated_at, updated_by = excluded.updated_by, \
     external_id_folded = excluded.external_id_folded, name_folded = excluded.name_folded, \
     email_folded = excluded.email_folded"
}

bulk_insert! {
    /// Pairs of metadata that are new.
    InsertPairs of CustomerMetadataRow, into "customer_metadata"
    (tenant_id: String, environment_id: String, pair_hash: i64, customer_id: String)
    "ON CONFLICT DO NOTHING"
}

bulk_insert! {
    /// Mappings that are new or changed.
    WriteMappings of MappingRow, into "integration_mappings"
    (
        tenant_id: String, environment_id: String, id: String, customer_id: String, provider_type: String,
        provider_entity_id: String, metadata: String, status: String, created_at: i64, created_by: String,
        updated_at: i64, updated_by: String,
    )
    "ON CONFLICT (tenant_id, environment_id, id) DO UPDATE SET provider_entity_id = excluded.provider_entity_id, \
     metadata = excluded.metadata, status = excluded.status, updated_at = excluded.updated_at, \
     updated_by = excluded.updated_by"
}

bulk_insert! {
    /// Tax associations that are new or changed.
    WriteAssociations of TaxAssociationRow, into "tax_associations"
    (
        tenant_id: String, environment_id: String, id: String, tax_rate_id: String, entity_type: String,
        entity_id: String, priority: i32, auto_apply: bool, currency: Option<String>, currency_key: String,
        metadata: String, start_at: i64, end_at: Option<i64>, status: String, created_at: i64, created_by: String,
        updated_at: i64, updated_by: String,
    )
    "ON CONFLICT (tenant_id, environment_id, id) DO UPDATE SET priority = excluded.priority, \
     auto_apply = excluded.auto_apply, metadata = excluded.metadata, status = excluded.status, \
     updated_at = excluded.updated_at, updated_by = excluded.updated_by"
}

bulk_insert! {
    /// External ids that customers have given up.
    RememberExternalIds of FormerExternalIdRow, into "former_external_ids"
    (tenant_id: String, environment_id: String, external_id: String, customer_id: String)
    "ON CONFLICT (tenant_id, environment_id, external_id) DO UPDATE SET customer_id = excluded.customer_id"
}

bulk_insert! {
    /// Events. The default of their position draws it, row by row in their order.
    InsertEvents of EventRow, into "events"
    (
        tenant_id: String, environment_id: String, id: String, event_type: String, entity_type: String,
        entity_id: String, sequence: i64, at: i64, actor: String, request_id: Option<String>, detail: Option<String>,
    )
    ""
}

bulk_insert! {
    /// The frozen states of events.
    InsertPayloads of EventPayloadRow, into "event_payloads"
    (tenant_id: String, environment_id: String, event_id: String, payload: String)
    ""
}

bulk_insert! {
    /// Records of idempotency keys. Those that another transaction was first to make are left out.
    InsertRecords of IdempotencyRow, into "idempotency_records"
    (
        tenant_id: String, environment_id: String, key: String, fingerprint: String, event_id: Option<String>,
        answer: Option<String>, at: i64,
    )
    "ON CONFLICT (tenant_id, environment_id, key) DO NOTHING RETURNING key"
}

bulk_insert! {
    /// Onboardings that begin.
    InsertRuns of RunRow, into "onboarding_runs"
    (
        tenant_id: String, environment_id: String, customer_id: String, workflow_id: String, state: String, step: i32,
        attempts: i32, due_at: Option<i64>, failure: Option<String>, taken: Option<String>, holder: Option<String>,
        created_at: i64, updated_at: i64,
    )
    ""
}

/// How many customers there are more, or fewer.
pub(super) struct CountRow {
    pub(super) tenant_id: String,
    pub(super) environment_id: String,
    pub(super) status: String,
    pub(super) slot: i32,
    pub(super) count: i64,
}

bulk_insert! {
    /// Adds to the counts of a slot.
    AddCounts of CountRow, into "customer_counts"
    (tenant_id: String, environment_id: String, status: String, slot: i32, count: i64)
    "ON CONFLICT (tenant_id, environment_id, status, slot) DO UPDATE SET count = customer_counts.count + excluded.count"
}

returning_text!(InsertCustomers, InsertRecords);
