//! Idempotency keys: rows and queries.

mod frozen;
pub(crate) mod queries;
pub(crate) mod row;

use patron_domain::{
    event::{EventRecord, EventState},
    idempotency::IdempotencyKeyReused,
    store::StoreError,
    tax::TaxRate,
};

use super::error::Failure;

/// The tax rate that an event of a record froze.
pub(crate) fn rate_of<E: From<StoreError> + From<IdempotencyKeyReused>>(
    event: EventRecord,
) -> Result<TaxRate, Failure<E>> {
    match event.state {
        Some(EventState::TaxRate(rate)) => Ok(*rate),
        // Something else came of it, so it was another request.
        Some(EventState::Customer(_)) => Err(Failure::Refused(IdempotencyKeyReused.into())),
        None => Err(Failure::Refused(
            StoreError::Corrupt { table: "event_payloads", column: "payload", row: event.id.to_string() }.into(),
        )),
    }
}
