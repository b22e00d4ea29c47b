//! Rows of the table `webhook_endpoints`.

use diesel::prelude::{AsChangeset, Insertable, Queryable};
use patron_domain::{
    event::EventPosition,
    ids::WebhookEndpointId,
    store::StoreError,
    time::Timestamp,
    webhook::{
        Disabled, DisabledReason, EndpointDescription, EndpointSecrets, EndpointUrl, EventFilter, Health, RoundRecord,
        SealedSecret, WebhookEndpoint,
    },
};
use serde::{Deserialize, Serialize};

use crate::persistence::{
    column::{AuditColumns, RowName},
    schema::webhook_endpoints,
};

/// One row of `webhook_endpoints`, in the order of the table's columns.
#[derive(Clone, Queryable, Insertable, Serialize, Deserialize)]
#[diesel(table_name = webhook_endpoints, treat_none_as_default_value = false)]
pub(crate) struct EndpointRow {
    pub(crate) tenant_id: String,
    pub(crate) environment_id: String,
    pub(crate) id: String,
    pub(crate) url: String,
    pub(crate) event_types: String,
    pub(crate) description: Option<String>,
    pub(crate) disabled_reason: Option<String>,
    pub(crate) disabled_at: Option<i64>,
    pub(crate) secret: String,
    pub(crate) previous_secret: Option<String>,
    pub(crate) previous_until: Option<i64>,
    pub(crate) failing_since: Option<i64>,
    pub(crate) failed_rounds: i32,
    pub(crate) paused_until: Option<i64>,
    pub(crate) position: i64,
    pub(crate) lease_holder: Option<String>,
    pub(crate) lease_until: Option<i64>,
    pub(crate) deleted_at: Option<i64>,
    pub(crate) created_at: i64,
    pub(crate) created_by: String,
    pub(crate) updated_at: i64,
    pub(crate) updated_by: String,
}

/// What a change that somebody asked for writes: everything but position and lease.
#[derive(AsChangeset)]
#[diesel(table_name = webhook_endpoints, treat_none_as_null = true)]
pub(crate) struct EndpointChanges {
    url: String,
    event_types: String,
    description: Option<String>,
    disabled_reason: Option<String>,
    disabled_at: Option<i64>,
    secret: String,
    previous_secret: Option<String>,
    previous_until: Option<i64>,
    failing_since: Option<i64>,
    failed_rounds: i32,
    paused_until: Option<i64>,
    updated_at: i64,
    updated_by: String,
}

/// What a round writes.
#[derive(AsChangeset)]
#[diesel(table_name = webhook_endpoints, treat_none_as_null = true)]
pub(crate) struct RoundChanges {
    failing_since: Option<i64>,
    failed_rounds: i32,
    paused_until: Option<i64>,
    position: i64,
    lease_holder: Option<String>,
    lease_until: Option<i64>,
}

/// That a round disables its endpoint.
#[derive(AsChangeset)]
#[diesel(table_name = webhook_endpoints)]
pub(crate) struct Disables {
    disabled_reason: Option<String>,
    disabled_at: Option<i64>,
}

/// No endpoint fails 2^31 times in a row.
fn rounds(health: &Health) -> i32 {
    i32::try_from(health.failed_rounds).unwrap_or(i32::MAX)
}

impl From<&WebhookEndpoint> for EndpointRow {
    fn from(endpoint: &WebhookEndpoint) -> Self {
        let (health, audit) = (&endpoint.health, &endpoint.audit);
        let previous = endpoint.secrets.previous.as_ref();
        Self {
            tenant_id: endpoint.owner.tenant_id.to_string(),
            environment_id: endpoint.owner.environment_id.to_string(),
            id: endpoint.id.to_string(),
            url: endpoint.url.as_str().to_owned(),
            event_types: endpoint.event_types.as_slice().join(","),
            description: endpoint.description.as_ref().map(|text| text.as_str().to_owned()),
            disabled_reason: endpoint.disabled.map(|disabled| disabled.reason.as_str().to_owned()),
            disabled_at: endpoint.disabled.map(|disabled| disabled.at.micros()),
            secret: endpoint.secrets.current.as_sealed().to_owned(),
            previous_secret: previous.map(|(secret, _)| secret.as_sealed().to_owned()),
            previous_until: previous.map(|(_, until)| until.micros()),
            failing_since: health.failing_since.map(Timestamp::micros),
            failed_rounds: rounds(health),
            paused_until: health.paused_until.map(Timestamp::micros),
            position: endpoint.position.stored(),
            lease_holder: None,
            lease_until: None,
            deleted_at: None,
            created_at: audit.created_at.micros(),
            created_by: audit.created_by.as_str().to_owned(),
            updated_at: audit.updated_at.micros(),
            updated_by: audit.updated_by.as_str().to_owned(),
        }
    }
}

impl From<&WebhookEndpoint> for EndpointChanges {
    fn from(endpoint: &WebhookEndpoint) -> Self {
        let row = EndpointRow::from(endpoint);
        Self {
            url: row.url,
            event_types: row.event_types,
            description: row.description,
            disabled_reason: row.disabled_reason,
            disabled_at: row.disabled_at,
            secret: row.secret,
            previous_secret: row.previous_secret,
            previous_until: row.previous_until,
            failing_since: row.failing_since,
            failed_rounds: row.failed_rounds,
            paused_until: row.paused_until,
            updated_at: row.updated_at,
            updated_by: row.updated_by,
        }
    }
}

impl From<&RoundRecord> for RoundChanges {
    fn from(record: &RoundRecord) -> Self {
        Self {
            failing_since: record.health.failing_since.map(Timestamp::micros),
            failed_rounds: rounds(&record.health),
            paused_until: record.health.paused_until.map(Timestamp::micros),
            position: record.position.stored(),
            lease_holder: record.lease_until.map(|_| record.holder.clone()),
            lease_until: record.lease_until.map(Timestamp::micros),
        }
    }
}

impl Disables {
    pub(crate) fn of(record: &RoundRecord) -> Option<Self> {
        let reason = record.disabled?.as_str().to_owned();
        Some(Self { disabled_reason: Some(reason), disabled_at: Some(record.at.micros()) })
    }
}

impl TryFrom<EndpointRow> for WebhookEndpoint {
    type Error = StoreError;

    fn try_from(row: EndpointRow) -> Result<Self, StoreError> {
        let named = RowName { table: "webhook_endpoints", id: &row.id };
        let time = Timestamp::from_micros;
        let disabled_at = named.nullable("disabled_at", row.disabled_at, time)?;
        let reason = row.disabled_reason.as_deref();
        let reason = named.nullable("disabled_reason", reason, DisabledReason::parse)?;
        let until = named.nullable("previous_until", row.previous_until, time)?;
        Ok(Self {
            id: named.column("id", WebhookEndpointId::parse(&row.id))?,
            owner: named.owner(&row.tenant_id, &row.environment_id)?,
            url: named.column("url", EndpointUrl::from_stored(row.url))?,
            event_types: EventFilter::from_stored(row.event_types.split(',').map(str::to_owned).collect()),
            description: named.nullable("description", row.description, EndpointDescription::new)?,
            disabled: reason.zip(disabled_at).map(|(reason, at)| Disabled { reason, at }),
            secrets: EndpointSecrets {
                current: SealedSecret::from_sealed(row.secret),
                previous: row.previous_secret.map(SealedSecret::from_sealed).zip(until),
            },
            health: Health {
                failing_since: named.nullable("failing_since", row.failing_since, time)?,
                failed_rounds: named.column("failed_rounds", u32::try_from(row.failed_rounds))?,
                paused_until: named.nullable("paused_until", row.paused_until, time)?,
            },
            position: named.column("position", EventPosition::from_stored(row.position).ok_or(()))?,
            audit: named.audit(AuditColumns {
                created_at: row.created_at,
                created_by: row.created_by,
                updated_at: row.updated_at,
                updated_by: row.updated_by,
            })?,
        })
    }
}
