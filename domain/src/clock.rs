//! The port for the current time.

use crate::time::Timestamp;

/// Gives the current time. This crate never reads the system clock itself.
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
    /// The current time in UTC. It MAY jump when the system clock is set.
    fn now(&self) -> Timestamp;
}

#[cfg(any(test, feature = "mock"))]
impl MockClock {
    /// A clock that always gives this time.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        let mut clock = Self::new();
        clock.expect_now().return_const(now);
        clock
    }
}
