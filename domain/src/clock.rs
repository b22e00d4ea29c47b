//! The port for the current time.

use crate::time::Timestamp;

/// Tells the time. Nothing in this crate asks the operating system; whoever embeds it decides what "now" is.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
pub trait Clock: Send + Sync {
    /// The current time. MUST be UTC; MAY jump when the system's clock is set.
    fn now(&self) -> Timestamp;
}
