//! Removing data that is no longer needed: expired idempotency records and old events.

#[cfg(any(test, feature = "mock"))]
mod mock;
mod port;

#[cfg(any(test, feature = "mock"))]
pub use port::MockRetentionStore;
pub use port::{OldEvents, RetentionStore};
