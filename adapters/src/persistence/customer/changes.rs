//! The rows that a decision about a customer leaves behind.

use diesel::prelude::{Insertable, Queryable};
use patron_domain::{
    customer::{Customer, CustomerAggregate, CustomerDecision},
    idempotency::IdempotencyClaim,
    ids::WorkflowId,
    integration::IntegrationMapping,
    lifecycle::Status,
    onboarding::OnboardingRun,
    store::StoreError,
};

use super::{
    metadata_row::{CustomerMetadataRow, metadata_rows},
    row::CustomerRow,
};
use crate::persistence::{
    event::row::{EventPayloadRow, EventRow, EventRows},
    idempotency::row::IdempotencyRow,
    integration::row::MappingRow,
    onboarding::run_row::RunRow,
    schema::former_external_ids,
    tax::association_row::TaxAssociationRow,
};

/// Everything to write for one decision.
pub(crate) struct DecisionRows {
    /// The customer as it is now.
    pub(crate) customer: CustomerRow,
    /// The status it had; `None` when it is new.
    pub(crate) status_before: Option<Status>,
    /// Mappings that are new or changed.
    pub(crate) mappings: Vec<MappingRow>,
    /// Associations that are new or changed.
    pub(crate) associations: Vec<TaxAssociationRow>,
    /// The external id it had until now, when that was another.
    pub(crate) former_external_id: Option<FormerExternalIdRow>,
    /// Whether it newly has its external id among the published ones, so that nobody else had it last any more.
    pub(crate) takes_external_id: bool,
    /// Pairs of metadata that are new.
    pub(crate) pairs_added: Vec<CustomerMetadataRow>,
    /// Pairs of metadata that are gone.
    pub(crate) pairs_removed: Vec<CustomerMetadataRow>,
    /// The event.
    pub(crate) event: EventRow,
    /// Its frozen state.
    pub(crate) payload: EventPayloadRow,
    /// The record of the request's key.
    pub(crate) record: Option<IdempotencyRow>,
    /// The onboarding that begins.
    pub(crate) run: Option<RunRow>,
}

/// One row of `former_external_ids`, in the order of the table's columns.
#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = former_external_ids)]
pub(crate) struct FormerExternalIdRow {
    pub(crate) tenant_id: String,
    pub(crate) environment_id: String,
    pub(crate) external_id: String,
    pub(crate) customer_id: String,
}

impl DecisionRows {
    /// The rows of a decision about the customer as it was before, if there was one.
    pub(crate) fn new(
        decision: &CustomerDecision,
        before: Option<&CustomerAggregate>,
        claim: Option<&IdempotencyClaim>,
    ) -> Result<Self, StoreError> {
        let CustomerDecision { event, onboarding, .. } = decision;
        let record = claim.map(|claim| IdempotencyRow::new(claim, event));
        let now = &event.state;
        let EventRows { event, payload, customer, mappings, associations } = EventRows::new(event)?;
        let is_published = |aggregate: &CustomerAggregate| aggregate.customer.status == Status::Published;
        let has_external_id = |before: &CustomerAggregate| {
            is_published(before) && before.customer.external_id == now.customer.external_id
        };
        let former = before.filter(|before| before.customer.external_id != now.customer.external_id);
        let mapping_rows = changed(mappings, &now.mappings, before.map(|before| &before.mappings));
        let association_rows = changed(associations, &now.associations, before.map(|before| &before.associations));
        let removed = before.into_iter().flat_map(|before| &before.mappings);
        let removed = removed.filter(|one| now.mappings.iter().all(|other| other.id != one.id));
        let deleted = |one: &IntegrationMapping| IntegrationMapping { status: Status::Deleted, ..one.clone() };
        let removed_mappings = removed.map(|one| MappingRow::from(&deleted(one)));
        let pairs_now = metadata_rows(&now.customer);
        let pairs_before = before.map(|before| metadata_rows(&before.customer)).unwrap_or_default();
        Ok(Self {
            pairs_added: without(&pairs_now, &pairs_before),
            pairs_removed: without(&pairs_before, &pairs_now),
            status_before: before.map(|before| before.customer.status),
            mappings: mapping_rows.chain(removed_mappings).collect(),
            associations: association_rows
                .chain(now.removed_associations.iter().map(TaxAssociationRow::from))
                .collect(),
            former_external_id: former.map(|former| FormerExternalIdRow {
                tenant_id: customer.tenant_id.clone(),
                environment_id: customer.environment_id.clone(),
                external_id: former.customer.external_id.as_str().to_owned(),
                customer_id: customer.id.clone(),
            }),
            takes_external_id: is_published(now) && !before.is_some_and(has_external_id),
            customer,
            event,
            payload,
            record,
            run: onboarding.map(|workflow| RunRow::from(&begun(&now.customer, workflow))),
        })
    }
}

/// The run of a workflow that begins with a customer.
fn begun(customer: &Customer, workflow: WorkflowId) -> OnboardingRun {
    OnboardingRun::start(customer.owner, customer.id, workflow, customer.audit.created_at)
}

/// The rows, in the order of their values, of those values that were not there before.
fn changed<'a, R, T: PartialEq>(
    rows: Vec<R>,
    values: &'a [T],
    before: Option<&'a Vec<T>>,
) -> impl Iterator<Item = R> + use<'a, R, T> {
    let is_new = move |value: &T| before.is_none_or(|before| !before.contains(value));
    rows.into_iter().zip(values).filter(move |(_, value)| is_new(value)).map(|(row, _)| row)
}

/// The pairs of one list that are not in the other. Two pairs of one hash share a row, which stays while either is there.
fn without(pairs: &[CustomerMetadataRow], others: &[CustomerMetadataRow]) -> Vec<CustomerMetadataRow> {
    pairs.iter().filter(|pair| others.iter().all(|other| other.pair_hash != pair.pair_hash)).cloned().collect()
}
