//! The port for the current time.

use crate::time::Timestamp;

/// Tells the time. Nothing in this crate asks the operating system; whoever embeds it decides what "now" is.
///
/// ```
/// use patron_domain::{Clock, time::Timestamp};
///
/// struct Stopped;
/// impl Clock for Stopped {
///     fn now(&self) -> Timestamp {
///         Timestamp::UNIX_EPOCH
///     }
/// }
/// ```
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
pub trait Clock: Send + Sync {
    /// The current time. MUST be UTC; MAY jump when the system's clock is set.
    fn now(&self) -> Timestamp;
}

#[cfg(any(test, feature = "mock"))]
impl MockClock {
    /// A clock that always shows this time.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        let mut clock = Self::new();
        clock.expect_now().return_const(now);
        clock
    }
}
