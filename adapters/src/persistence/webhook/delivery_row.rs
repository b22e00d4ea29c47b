//! Rows of the table `webhook_deliveries`.

use std::time::Duration;

use diesel::prelude::{AsChangeset, Insertable, Queryable};
use patron_domain::{
    event::EventPosition,
    ids::{EventId, WebhookDeliveryId, WebhookEndpointId},
    store::StoreError,
    time::Timestamp,
    webhook::{Attempt, Delivery, DeliveryKind, DeliveryState, DeliveryStatus, SendFailure},
};

use crate::persistence::{column::RowName, schema::webhook_deliveries};

/// One row of `webhook_deliveries`, in the order of the table's columns.
#[derive(Clone, Queryable, Insertable, AsChangeset)]
#[diesel(
    table_name = webhook_deliveries, primary_key(tenant_id, environment_id, endpoint_id, id),
    treat_none_as_default_value = false, treat_none_as_null = true
)]
pub(crate) struct DeliveryRow {
    pub(crate) tenant_id: String,
    pub(crate) environment_id: String,
    pub(crate) endpoint_id: String,
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) event_id: String,
    pub(crate) event_type: String,
    pub(crate) entity_id: String,
    pub(crate) position: i64,
    pub(crate) status: String,
    pub(crate) next_attempt_at: Option<i64>,
    pub(crate) attempts: i32,
    pub(crate) last_at: Option<i64>,
    pub(crate) last_took: Option<i64>,
    pub(crate) last_status: Option<i32>,
    pub(crate) last_failure: Option<String>,
    pub(crate) last_answer: Option<String>,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
}

impl From<&Delivery> for DeliveryRow {
    fn from(delivery: &Delivery) -> Self {
        let next = match delivery.state {
            DeliveryState::Waiting { next_attempt_at } => next_attempt_at,
            DeliveryState::Delivered | DeliveryState::Failed => None,
        };
        let last = delivery.last.as_ref();
        Self {
            tenant_id: delivery.owner.tenant_id.to_string(),
            environment_id: delivery.owner.environment_id.to_string(),
            endpoint_id: delivery.endpoint_id.to_string(),
            id: delivery.id.to_string(),
            kind: delivery.kind.as_str().to_owned(),
            event_id: delivery.event_id.to_string(),
            event_type: delivery.event_type.clone(),
            entity_id: delivery.entity_id.clone(),
            position: delivery.position.stored(),
            status: delivery.state.status().as_str().to_owned(),
            next_attempt_at: next.map(Timestamp::micros),
            attempts: i32::try_from(delivery.attempts).unwrap_or(i32::MAX),
            last_at: last.map(|last| last.at.micros()),
            // An attempt takes seconds.
            last_took: last.map(|last| i64::try_from(last.took.as_micros()).unwrap_or(i64::MAX)),
            last_status: last.and_then(|last| last.outcome.ok()).map(i32::from),
            last_failure: last.and_then(|last| last.outcome.err()).map(|failure| failure.as_str().to_owned()),
            last_answer: last.map(|last| last.answer.clone()),
            created_at: delivery.created_at.micros(),
            updated_at: delivery.updated_at.micros(),
        }
    }
}

impl TryFrom<DeliveryRow> for Delivery {
    type Error = StoreError;

    fn try_from(row: DeliveryRow) -> Result<Self, StoreError> {
        let named = RowName { table: "webhook_deliveries", id: &row.id };
        let time = Timestamp::from_micros;
        let state = match named.column("status", DeliveryStatus::parse(&row.status))? {
            DeliveryStatus::Delivered => DeliveryState::Delivered,
            DeliveryStatus::Failed => DeliveryState::Failed,
            DeliveryStatus::Waiting => DeliveryState::Waiting {
                next_attempt_at: named.nullable("next_attempt_at", row.next_attempt_at, time)?,
            },
        };
        let outcome = match (row.last_status, row.last_failure) {
            (Some(status), _) => Ok(named.column("last_status", u16::try_from(status))?),
            (None, failure) => Err(named
                .nullable("last_failure", failure, |word| SendFailure::parse(&word))?
                .unwrap_or(SendFailure::Internal)),
        };
        let at = named.nullable("last_at", row.last_at, time)?;
        let took = Duration::from_micros(u64::try_from(row.last_took.unwrap_or_default()).unwrap_or_default());
        let answer = row.last_answer.unwrap_or_default();
        Ok(Self {
            id: named.column("id", WebhookDeliveryId::parse(&row.id))?,
            owner: named.owner(&row.tenant_id, &row.environment_id)?,
            endpoint_id: named.column("endpoint_id", WebhookEndpointId::parse(&row.endpoint_id))?,
            kind: named.column("kind", DeliveryKind::parse(&row.kind))?,
            event_id: named.column("event_id", EventId::parse(&row.event_id))?,
            event_type: row.event_type,
            entity_id: row.entity_id,
            position: named.column("position", EventPosition::from_stored(row.position).ok_or(()))?,
            state,
            attempts: named.column("attempts", u32::try_from(row.attempts))?,
            last: at.map(|at| Attempt { at, took, outcome, answer }),
            created_at: named.column("created_at", time(row.created_at))?,
            updated_at: named.column("updated_at", time(row.updated_at))?,
        })
    }
}
