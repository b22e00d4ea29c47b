//! The rows of a tax rate's event.

use patron_domain::{
    event::{EventEntityType, TaxRateEvent},
    store::StoreError,
};

use super::{
    detail::{json, of_tax_rate},
    row::{EventPayloadRow, EventRow},
};
use crate::persistence::{column::version_number, tax::rate_row::TaxRateRow};

/// Everything to write for one event of a tax rate.
pub(crate) struct TaxRateRows {
    /// The rate as it is now.
    pub(crate) rate: TaxRateRow,
    /// The event.
    pub(crate) event: EventRow,
    /// Its frozen state.
    pub(crate) payload: EventPayloadRow,
}

impl TaxRateRows {
    pub(crate) fn new(event: &TaxRateEvent) -> Result<Self, StoreError> {
        let rate = TaxRateRow::from(&event.state);
        let (tenant_id, environment_id) = (rate.tenant_id.clone(), rate.environment_id.clone());
        let id = event.id.to_string();
        Ok(Self {
            payload: EventPayloadRow {
                tenant_id: tenant_id.clone(),
                environment_id: environment_id.clone(),
                event_id: id.clone(),
                payload: json(&rate)?,
            },
            event: EventRow {
                tenant_id,
                environment_id,
                id,
                event_type: event.kind.event_type().as_str().to_owned(),
                entity_type: EventEntityType::TaxRate.as_str().to_owned(),
                entity_id: rate.id.clone(),
                sequence: version_number(event.sequence),
                at: event.at.micros(),
                actor: event.actor.as_str().to_owned(),
                request_id: event.request_id.as_ref().map(|id| id.as_str().to_owned()),
                detail: of_tax_rate(&event.kind)?,
                position: 0,
            },
            rate,
        })
    }
}
