//! Rows of the table `idempotency_records`.

use diesel::prelude::{AsChangeset, Insertable, Queryable};
use patron_domain::{
    event::{CustomerEvent, TaxRateEvent},
    idempotency::{Answer, CallersClaim, Fingerprint, IdempotencyClaim, IdempotencyRecord, KeptAnswer, Outcome},
    ids::EventId,
    lifecycle::Owner,
    store::StoreError,
    time::Timestamp,
};

use super::kept::KeptColumn;
use crate::persistence::{column::RowName, schema::idempotency_records};

/// One row, in the order of the table's columns.
#[derive(Debug, Clone, Queryable, Insertable, AsChangeset)]
#[diesel(
    table_name = idempotency_records,
    primary_key(tenant_id, environment_id, key),
    treat_none_as_default_value = false,
    treat_none_as_null = true
)]
pub(crate) struct IdempotencyRow {
    pub(crate) tenant_id: String,
    pub(crate) environment_id: String,
    pub(crate) key: String,
    pub(crate) fingerprint: String,
    pub(crate) event_id: Option<String>,
    pub(crate) answer: Option<String>,
    pub(crate) at: i64,
}

impl IdempotencyRow {
    /// The record of a key whose work is this event.
    pub(crate) fn new(claim: &IdempotencyClaim, event: &CustomerEvent) -> Self {
        Self::of_event(event.state.customer.owner, claim, event.id, event.at)
    }

    fn of_event(owner: Owner, claim: &IdempotencyClaim, event_id: EventId, at: Timestamp) -> Self {
        Self { event_id: Some(event_id.to_string()), ..Self::bare(owner, claim, at) }
    }

    /// The record of a key, if there is one, whose work is an event of a tax rate.
    pub(crate) fn of_rate(claim: Option<&CallersClaim>, event: &TaxRateEvent) -> Option<Self> {
        claim.map(|CallersClaim { owner, claim }| Self::of_event(*owner, claim, event.id, event.at))
    }

    /// The record of a key, if there is one, whose work has no event.
    pub(crate) fn kept<T: Answer>(
        claim: Option<&CallersClaim>,
        answer: &T,
        at: Timestamp,
    ) -> Result<Option<Self>, StoreError> {
        let Some(CallersClaim { owner, claim }) = claim else { return Ok(None) };
        let answer = serde_json::to_string(&KeptColumn::from(&answer.to_kept()))
            .map_err(|_| StoreError::Failed { reason: "an answer has no JSON form".to_owned() })?;
        Ok(Some(Self { answer: Some(answer), ..Self::bare(*owner, claim, at) }))
    }

    fn bare(owner: Owner, claim: &IdempotencyClaim, at: Timestamp) -> Self {
        Self {
            tenant_id: owner.tenant_id.to_string(),
            environment_id: owner.environment_id.to_string(),
            key: claim.key.as_str().to_owned(),
            fingerprint: claim.fingerprint.to_hex(),
            event_id: None,
            answer: None,
            at: at.micros(),
        }
    }
}

impl TryFrom<IdempotencyRow> for IdempotencyRecord {
    type Error = StoreError;

    fn try_from(row: IdempotencyRow) -> Result<Self, StoreError> {
        // The key is the client's, so the row is named by its fingerprint.
        let named = RowName { table: "idempotency_records", id: &row.fingerprint };
        let outcome = match (row.event_id, row.answer) {
            (Some(id), _) => Outcome::Event(named.column("event_id", EventId::parse(&id))?),
            (None, Some(answer)) => {
                let column: KeptColumn<'_> = named.column("answer", serde_json::from_str(&answer))?;
                Outcome::Kept(KeptAnswer::from(column))
            }
            (None, None) => {
                let (table, column) = ("idempotency_records", "answer");
                return Err(StoreError::Corrupt { table, column, row: row.fingerprint });
            }
        };
        Ok(Self {
            fingerprint: named.column("fingerprint", Fingerprint::from_hex(&row.fingerprint).ok_or(()))?,
            outcome,
            at: named.column("at", Timestamp::from_micros(row.at))?,
        })
    }
}
