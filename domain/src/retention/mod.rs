//! How long what nobody needs any more is kept: records of idempotency keys, and old events.

#[cfg(any(test, feature = "mock"))]
mod mock;
mod port;

#[cfg(any(test, feature = "mock"))]
pub use port::MockHousekeeping;
pub use port::{Housekeeping, OldEvents};
