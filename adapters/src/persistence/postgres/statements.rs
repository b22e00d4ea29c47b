//! The statements that write a batch of decisions: a constant number of them, whatever the number of rows.
//!
//! What can be in nobody's way is inserted plainly: `ON CONFLICT` costs a look beforehand and a second record in the
//! write-ahead log for each row.

use super::unnest::{bulk_insert, returning_text};
use crate::persistence::{
    customer::{changes::FormerExternalIdRow, metadata_row::CustomerMetadataRow, row::CustomerRow},
    event::row::{EventPayloadRow, EventRow},
    idempotency::row::IdempotencyRow,
    integration::row::MappingRow,
    onboarding::run_row::RunRow,
    tax::association_row::TaxAssociationRow,
    webhook::delivery_row::DeliveryRow,
};

bulk_insert! {
    CustomerRow, into "customers"
    (
        tenant_id: String, environment_id: String, id: String, external_id: String, name: Option<String>,
        email: Option<String>, contact: Option<String>, address_line1: Option<String>, address_line2: Option<String>,
        address_city: Option<String>, address_state: Option<String>, address_postal_code: Option<String>,
        address_country: Option<String>, timezone: String, metadata: String, status: String, version: i64,
        created_at: i64, created_by: String, updated_at: i64, updated_by: String,
        external_id_folded: String, name_folded: String, email_folded: String,
    )
    /// New customers. Those whose external id is taken are left out: the unique index over the published ones decides.
    InsertCustomers:
    "ON CONFLICT (tenant_id, environment_id, external_id) WHERE status = 'published' DO NOTHING RETURNING id";
    /// Customers that are there already, each locked. An external id that is taken is an error.
    UpdateCustomers:
    "ON CONFLICT (tenant_id, environment_id, id) DO UPDATE SET external_id = excluded.external_id, \
     name = excluded.name, email = excluded.email, contact = excluded.contact, \
     address_line1 = excluded.address_line1, address_line2 = excluded.address_line2, \
     address_city = excluded.address_city, address_state = excluded.address_state, \
     address_postal_code = excluded.address_postal_code, address_country = excluded.address_country, \
     timezone = excluded.timezone, metadata = excluded.metadata, status = excluded.status, \
     version = excluded.version, updated_at = excluded.updated_at, updated_by = excluded.updated_by, \
     external_id_folded = excluded.external_id_folded, name_folded = excluded.name_folded, \
     email_folded = excluded.email_folded";
}

bulk_insert! {
    CustomerMetadataRow, into "customer_metadata"
    (tenant_id: String, environment_id: String, pair_hash: i64, customer_id: String)
    /// Pairs of metadata of new customers.
    InsertPairs: "";
    /// Pairs of metadata that are new to customers that are there already.
    AddPairs:
    "ON CONFLICT DO NOTHING";
}

bulk_insert! {
    MappingRow, into "integration_mappings"
    (
        tenant_id: String, environment_id: String, id: String, customer_id: String, provider_type: String,
        provider_entity_id: String, metadata: String, status: String, created_at: i64, created_by: String,
        updated_at: i64, updated_by: String,
    )
    /// Mappings of new customers.
    InsertMappings: "";
    /// Mappings of customers that are there already, new or changed.
    WriteMappings:
    "ON CONFLICT (tenant_id, environment_id, id) DO UPDATE SET provider_entity_id = excluded.provider_entity_id, \
     metadata = excluded.metadata, status = excluded.status, updated_at = excluded.updated_at, \
     updated_by = excluded.updated_by";
}

bulk_insert! {
    TaxAssociationRow, into "tax_associations"
    (
        tenant_id: String, environment_id: String, id: String, tax_rate_id: String, entity_type: String,
        entity_id: String, priority: i32, auto_apply: bool, currency: Option<String>, currency_key: String,
        metadata: String, start_at: i64, end_at: Option<i64>, status: String, created_at: i64, created_by: String,
        updated_at: i64, updated_by: String,
    )
    /// Tax associations of new customers.
    InsertAssociations: "";
    /// Tax associations of customers that are there already, new or changed.
    WriteAssociations:
    "ON CONFLICT (tenant_id, environment_id, id) DO UPDATE SET priority = excluded.priority, \
     auto_apply = excluded.auto_apply, metadata = excluded.metadata, status = excluded.status, \
     updated_at = excluded.updated_at, updated_by = excluded.updated_by";
}

bulk_insert! {
    DeliveryRow, into "webhook_deliveries"
    (
        tenant_id: String, environment_id: String, endpoint_id: String, id: String, kind: String, event_id: String,
        event_type: String, entity_id: String, position: i64, status: String, next_attempt_at: Option<i64>,
        attempts: i32, last_at: Option<i64>, last_took: Option<i64>, last_status: Option<i32>,
        last_failure: Option<String>, last_answer: Option<String>, created_at: i64, updated_at: i64,
    )
    /// Deliveries that were not written down before.
    InsertDeliveries: "";
    /// Deliveries that are new or changed. What says which event it is never changes. No delivery comes twice.
    WriteDeliveries:
    "ON CONFLICT (tenant_id, environment_id, endpoint_id, id) DO UPDATE SET kind = excluded.kind, \
     status = excluded.status, next_attempt_at = excluded.next_attempt_at, attempts = excluded.attempts, \
     last_at = excluded.last_at, last_took = excluded.last_took, last_status = excluded.last_status, \
     last_failure = excluded.last_failure, last_answer = excluded.last_answer, updated_at = excluded.updated_at";
}

bulk_insert! {
    FormerExternalIdRow, into "former_external_ids"
    (tenant_id: String, environment_id: String, external_id: String, customer_id: String)
    /// External ids that customers have given up.
    RememberExternalIds:
    "ON CONFLICT (tenant_id, environment_id, external_id) DO UPDATE SET customer_id = excluded.customer_id";
}

bulk_insert! {
    EventRow, into "events"
    (
        tenant_id: String, environment_id: String, id: String, event_type: String, entity_type: String,
        entity_id: String, sequence: i64, at: i64, actor: String, request_id: Option<String>, detail: Option<String>,
    )
    /// Events. The default of their position draws it, row by row in their order.
    InsertEvents: "";
}

bulk_insert! {
    EventPayloadRow, into "event_payloads"
    (tenant_id: String, environment_id: String, event_id: String, payload: String)
    /// The frozen states of events.
    InsertPayloads: "";
}

bulk_insert! {
    IdempotencyRow, into "idempotency_records"
    (
        tenant_id: String, environment_id: String, key: String, fingerprint: String, event_id: Option<String>,
        answer: Option<String>, at: i64,
    )
    /// Records of idempotency keys. Those that another transaction was first to make are left out.
    InsertRecords:
    "ON CONFLICT (tenant_id, environment_id, key) DO NOTHING RETURNING key";
}

bulk_insert! {
    RunRow, into "onboarding_runs"
    (
        tenant_id: String, environment_id: String, customer_id: String, workflow_id: String, state: String, step: i32,
        attempts: i32, due_at: Option<i64>, failure: Option<String>, taken: Option<String>, holder: Option<String>,
        created_at: i64, updated_at: i64,
    )
    /// Onboardings that begin.
    InsertRuns: "";
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
    CountRow, into "customer_counts"
    (tenant_id: String, environment_id: String, status: String, slot: i32, count: i64)
    /// Adds to the counts of a slot.
    AddCounts:
    "ON CONFLICT (tenant_id, environment_id, status, slot) DO UPDATE SET count = customer_counts.count + excluded.count";
}

returning_text!(InsertCustomers, InsertRecords);
