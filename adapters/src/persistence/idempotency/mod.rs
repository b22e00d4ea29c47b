//! Idempotency keys: rows and queries.

mod kept;
pub(crate) mod queries;
pub(crate) mod row;

use patron_domain::{
    event::{CustomerEvent, EventRecord, EventState},
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
        _ => Err(unfit(&event)),
    }
}

/// The event of a customer that a record names.
#[cfg(feature = "sqlite")]
pub(crate) fn customer_event_of<E: From<StoreError> + From<IdempotencyKeyReused>>(
    event: EventRecord,
) -> Result<CustomerEvent, Failure<E>> {
    let unfit = unfit(&event);
    event.into_customer_event().ok_or(unfit)
}

/// Why an event is not what a request under a key is answered with: something else came of it, so it was another request;
/// or its state is gone.
fn unfit<E: From<StoreError> + From<IdempotencyKeyReused>>(event: &EventRecord) -> Failure<E> {
    Failure::Refused(match event.state {
        Some(_) => IdempotencyKeyReused.into(),
        None => StoreError::Corrupt { table: "event_payloads", column: "payload", row: event.id.to_string() }.into(),
    })
}
