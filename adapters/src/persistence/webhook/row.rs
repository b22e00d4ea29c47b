//! Rows of the tables `webhook_endpoints` and `webhook_deliveries`.

use std::time::Duration;

use patron_domain::{
    event::EventPosition,
    ids::{WebhookDeliveryKind, WebhookEndpointKind},
    lifecycle::Owner,
    store::StoreError,
    time::Timestamp,
    webhook::{Attempt, Delivery, DeliveryKind, DeliveryState, DeliveryStatus, SendFailure, WebhookEndpoint},
};

use crate::persistence::{
    rows::rows,
    value::{Document, Key, corrupt},
    word::Word,
};

rows! {
    /// One row of `webhook_endpoints`. The position and the lease are only in their columns.
    EndpointRow: webhook_endpoints {
        environment: i32, id: Key;
        created_at: i64,
        disabled: i16,
        paused_until: Option<i64>,
        position: i64,
        lease_holder: Option<String>,
        lease_until: Option<i64>,
        deleted_at: Option<i64>,
        document: Document,
    }
}

rows! {
    /// One row of `webhook_deliveries`.
    DeliveryRow: webhook_deliveries {
        environment: i32, endpoint: Key, id: Key;
        kind: i16,
        event: Key,
        event_type: String,
        entity: String,
        position: i64,
        status: i16,
        next_attempt_at: Option<i64>,
        attempts: i32,
        last_at: Option<i64>,
        last_took: Option<i64>,
        last_status: Option<i32>,
        last_failure: Option<String>,
        last_answer: Option<String>,
        created_at: i64,
        updated_at: i64,
    }
}

rows! {
    /// The key of a delivery, for deleting it.
    DeliveryPlaceRow: webhook_deliveries {
        environment: i32, endpoint: Key, id: Key;
    }
}

impl EndpointRow {
    /// A new endpoint, without a lease.
    pub(crate) fn new(environment: i32, endpoint: &WebhookEndpoint) -> Self {
        Self {
            environment,
            id: endpoint.id.into(),
            created_at: endpoint.audit.created_at.micros(),
            disabled: i16::from(endpoint.disabled.is_some()),
            paused_until: endpoint.health.paused_until.map(Timestamp::micros),
            position: endpoint.position.stored(),
            lease_holder: None,
            lease_until: None,
            deleted_at: None,
            document: Document::of(endpoint),
        }
    }

    /// The same row for a changed endpoint. Its position and lease stay.
    pub(crate) fn changed(self, endpoint: &WebhookEndpoint) -> Self {
        let Self { position, lease_holder, lease_until, deleted_at, .. } = self;
        Self { position, lease_holder, lease_until, deleted_at, ..Self::new(self.environment, endpoint) }
    }

    /// The endpoint, with its owner.
    pub(crate) fn endpoint(&self, owner: Owner) -> Result<WebhookEndpoint, StoreError> {
        let id = self.id.id::<WebhookEndpointKind>();
        let endpoint: WebhookEndpoint = self.document.read(owner, id)?;
        let position = EventPosition::from_stored(self.position);
        Ok(WebhookEndpoint {
            position: position.ok_or_else(|| corrupt("webhook_endpoints", "position", id))?,
            ..endpoint
        })
    }

    /// Whether a holder can take its lease at a time.
    pub(crate) fn is_free_for(&self, holder: &str, now: i64) -> bool {
        self.deleted_at.is_none()
            && self.disabled == 0
            && (self.lease_until.is_none_or(|until| until <= now) || self.lease_holder.as_deref() == Some(holder))
    }

    /// Whether the lease belongs to a holder.
    pub(crate) fn is_held_by(&self, holder: &str) -> bool {
        self.deleted_at.is_none() && self.lease_holder.as_deref() == Some(holder)
    }
}

impl DeliveryRow {
    pub(crate) fn new(environment: i32, delivery: &Delivery) -> Self {
        let next = match delivery.state {
            DeliveryState::Waiting { next_attempt_at } => next_attempt_at,
            DeliveryState::Delivered | DeliveryState::Failed => None,
        };
        let last = delivery.last.as_ref();
        Self {
            environment,
            endpoint: delivery.endpoint_id.into(),
            id: delivery.id.into(),
            kind: delivery.kind.code(),
            event: delivery.event_id.into(),
            event_type: delivery.event_type.clone(),
            entity: delivery.entity_id.clone(),
            position: delivery.position.stored(),
            status: delivery.state.status().code(),
            next_attempt_at: next.map(Timestamp::micros),
            // No delivery has 2^31 attempts.
            attempts: i32::try_from(delivery.attempts).unwrap_or(i32::MAX),
            last_at: last.map(|last| last.at.micros()),
            last_took: last.map(|last| i64::try_from(last.took.as_micros()).unwrap_or(i64::MAX)),
            last_status: last.and_then(|last| last.outcome.ok()).map(i32::from),
            last_failure: last.and_then(|last| last.outcome.err()).map(|failure| failure.as_str().to_owned()),
            last_answer: last.map(|last| last.answer.clone()).filter(|answer| !answer.is_empty()),
            created_at: delivery.created_at.micros(),
            updated_at: delivery.updated_at.micros(),
        }
    }

    /// The delivery, with its owner.
    pub(crate) fn delivery(self, owner: Owner) -> Result<Delivery, StoreError> {
        let id = self.id.id::<WebhookDeliveryKind>();
        let broken = |column| corrupt("webhook_deliveries", column, id);
        let time = |column, micros| Timestamp::from_micros(micros).map_err(|_| broken(column));
        let next_attempt_at = self.next_attempt_at.map(|at| time("next_attempt_at", at)).transpose()?;
        let last = match self.last_at {
            None => None,
            Some(at) => Some(Attempt {
                at: time("last_at", at)?,
                took: Duration::from_micros(
                    u64::try_from(self.last_took.unwrap_or_default()).map_err(|_| broken("last_took"))?,
                ),
                outcome: match (self.last_status, self.last_failure.as_deref()) {
                    (Some(status), None) => Ok(u16::try_from(status).map_err(|_| broken("last_status"))?),
                    (None, Some(failure)) => Err(SendFailure::parse(failure).map_err(|_| broken("last_failure"))?),
                    _ => return Err(broken("last_status")),
                },
                answer: self.last_answer.unwrap_or_default(),
                retry_after: None,
            }),
        };
        Ok(Delivery {
            id,
            owner,
            endpoint_id: self.endpoint.id(),
            kind: DeliveryKind::of(self.kind, "webhook_deliveries", "kind")?,
            event_id: self.event.id(),
            event_type: self.event_type,
            entity_id: self.entity,
            position: EventPosition::from_stored(self.position).ok_or_else(|| broken("position"))?,
            state: match DeliveryStatus::of(self.status, "webhook_deliveries", "status")? {
                DeliveryStatus::Waiting => DeliveryState::Waiting { next_attempt_at },
                DeliveryStatus::Delivered => DeliveryState::Delivered,
                DeliveryStatus::Failed => DeliveryState::Failed,
            },
            attempts: u32::try_from(self.attempts).map_err(|_| broken("attempts"))?,
            last,
            created_at: time("created_at", self.created_at)?,
            updated_at: time("updated_at", self.updated_at)?,
        })
    }
}
