//! The column `detail` of an event: what only its type knows, in the domain's stored form.

use patron_domain::{
    event::{CustomerEventKind, EventKind, EventType, TaxRateEventKind},
    store::StoreError,
    stored::event::{self, customer_detail, tax_rate_detail},
};
use serde::Serialize;

/// The column for a kind of event; NULL when there is nothing to say.
pub(super) fn of_customer(kind: &CustomerEventKind) -> Option<String> {
    customer_detail(kind)
}

/// The same column for a kind of event of a tax rate.
pub(super) fn of_tax_rate(kind: &TaxRateEventKind) -> Result<Option<String>, StoreError> {
    Ok(tax_rate_detail(kind))
}

/// The kind of an event from its type and its detail; `None` when they do not fit together.
pub(super) fn kind(event_type: &str, detail: Option<&str>) -> Option<EventKind> {
    event::kind(EventType::parse(event_type).ok()?, detail).ok()
}

/// A value as compact JSON.
pub(super) fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value)
        .map_err(|_| StoreError::Failed { reason: "a part of an event has no JSON form".to_owned() })
}
