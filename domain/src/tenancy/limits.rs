//! The limits of a key: its networks, its request rate and its lifetime.

use std::{fmt, net::IpAddr, num::NonZeroU32, time::Duration};

use super::ExpiryError;
use crate::{network::Network, time::Timestamp, violation::Rule};

/// The networks from which a key may be used. An empty list allows any address.
///
/// ```
/// use patron_domain::{network::Network, tenancy::AllowedNetworks};
///
/// let office = AllowedNetworks::new(vec![Network::new("192.0.2.0/24").unwrap()]).unwrap();
/// assert!(office.admit("192.0.2.7".parse().ok()));
/// assert!(!office.admit("198.51.100.1".parse().ok()) && !office.admit(None));
/// assert!(AllowedNetworks::default().admit(None));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedNetworks(Vec<Network>);

/// A list of networks is too long.
///
/// ```
/// use patron_domain::{network::Network, tenancy::{AllowedNetworks, TooManyNetworks}};
///
/// let many = vec![Network::new("192.0.2.0/24").unwrap(); AllowedNetworks::MAX + 1];
/// assert_eq!(AllowedNetworks::new(many), Err(TooManyNetworks));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must have at most {max} networks", max = AllowedNetworks::MAX)]
pub struct TooManyNetworks;

impl Rule for TooManyNetworks {
    fn rule(&self) -> &'static str {
        "max_items"
    }
}

impl AllowedNetworks {
    /// The maximum number of networks of a key.
    pub const MAX: usize = 100;

    /// Checks the length of a list.
    ///
    /// # Errors
    /// When the list has more than [`Self::MAX`] networks.
    pub fn new(networks: Vec<Network>) -> Result<Self, TooManyNetworks> {
        if networks.len() <= Self::MAX { Ok(Self(networks)) } else { Err(TooManyNetworks) }
    }

    /// Whether a key with this list may be used from an address. An unknown address is in no network.
    #[must_use]
    pub fn admit(&self, address: Option<IpAddr>) -> bool {
        self.0.is_empty() || address.is_some_and(|address| self.0.iter().any(|network| network.contains(address)))
    }

    /// The networks.
    #[must_use]
    pub fn as_slice(&self) -> &[Network] {
        &self.0
    }
}

/// The maximum number of requests per second, for reads and for writes; `None` for no limit.
///
/// ```
/// use patron_domain::tenancy::{PerSecond, RateLimit};
///
/// let limit = RateLimit { reads: PerSecond::new(100).ok(), writes: None };
/// assert!(RateLimit::default().is_none() && !limit.is_none());
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RateLimit {
    /// For requests that change nothing.
    pub reads: Option<PerSecond>,
    /// For requests that may change something.
    pub writes: Option<PerSecond>,
}

impl RateLimit {
    /// Whether there is no limit.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.reads.is_none() && self.writes.is_none()
    }
}

/// A number of requests per second: 1 to 1,000,000. It is also the burst: this many requests may come at once.
///
/// ```
/// use patron_domain::tenancy::{PerSecond, PerSecondError};
///
/// assert_eq!(PerSecond::new(10).map(PerSecond::get), Ok(10));
/// assert_eq!(PerSecond::new(0), Err(PerSecondError));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PerSecond(NonZeroU32);

/// Why a number is not a valid [`PerSecond`].
///
/// ```
/// use patron_domain::tenancy::{PerSecond, PerSecondError};
///
/// assert_eq!(PerSecond::new(-1), Err(PerSecondError));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a whole number of requests per second from 1 to {max}", max = PerSecond::MAX)]
pub struct PerSecondError;

impl Rule for PerSecondError {
    fn rule(&self) -> &'static str {
        "range"
    }
}

impl PerSecond {
    /// The maximum.
    pub const MAX: u32 = 1_000_000;

    /// Checks a number.
    ///
    /// # Errors
    /// When the number is not from 1 to 1,000,000.
    pub fn new(number: i64) -> Result<Self, PerSecondError> {
        let number = u32::try_from(number).ok().filter(|number| *number <= Self::MAX);
        number.and_then(NonZeroU32::new).map(Self).ok_or(PerSecondError)
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0.get()
    }
}

impl fmt::Display for PerSecond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Why a number of seconds is not a valid overlap of two keys.
///
/// ```
/// use patron_domain::tenancy::{KeyOverlapError, check_key_overlap};
///
/// assert_eq!(check_key_overlap(604_801), Err(KeyOverlapError));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("overlap_seconds must be a whole number from 0 to {MAX_KEY_OVERLAP_SECONDS}")]
pub struct KeyOverlapError;

impl Rule for KeyOverlapError {
    fn rule(&self) -> &'static str {
        "range"
    }
}

/// The maximum time, in seconds, for which an old key stays valid beside the new one: a week.
pub const MAX_KEY_OVERLAP_SECONDS: u32 = 604_800;

/// Checks the time for which an old key stays valid beside the new one.
///
/// # Errors
/// When the number is not from 0 to [`MAX_KEY_OVERLAP_SECONDS`].
pub fn check_key_overlap(seconds: i64) -> Result<Duration, KeyOverlapError> {
    let seconds = u32::try_from(seconds).ok().filter(|seconds| *seconds <= MAX_KEY_OVERLAP_SECONDS);
    seconds.map(|seconds| Duration::from_secs(seconds.into())).ok_or(KeyOverlapError)
}

/// The expiry of a key that is created now, given the maximum lifetime. Without a requested expiry, the maximum applies.
///
/// ```
/// use std::time::Duration;
/// use patron_domain::{tenancy::{ExpiryError, end_of_key}, testkit::a_time};
///
/// let (now, day) = (a_time(), Duration::from_secs(86_400));
/// assert_eq!(end_of_key(None, now, Some(day)), Ok(Some(now.later(day))));
/// assert_eq!(end_of_key(None, now, None), Ok(None));
/// assert_eq!(end_of_key(Some(now.later(day * 2)), now, Some(day)), Err(ExpiryError::TooLate { days: 1 }));
/// ```
///
/// # Errors
/// [`ExpiryError::Past`] when the key would never be valid, [`ExpiryError::TooLate`] when it would exceed the maximum.
pub fn end_of_key(
    wanted: Option<Timestamp>,
    now: Timestamp,
    most: Option<Duration>,
) -> Result<Option<Timestamp>, ExpiryError> {
    match (wanted, most) {
        (Some(end), _) if end <= now => Err(ExpiryError::Past),
        (Some(end), Some(most)) if now.later(most) < end => Err(ExpiryError::TooLate { days: most.as_secs() / 86_400 }),
        (Some(end), _) => Ok(Some(end)),
        (None, most) => Ok(most.map(|most| now.later(most))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_checked_at_their_bounds() {
        for (number, fits) in [(0, false), (1, true), (1_000_000, true), (1_000_001, false), (i64::MAX, false)] {
            assert_eq!(PerSecond::new(number).is_ok(), fits, "{number}");
        }
        for (seconds, fits) in [(-1, false), (0, true), (604_800, true), (604_801, false)] {
            assert_eq!(check_key_overlap(seconds).is_ok(), fits, "{seconds}");
        }
    }

    #[test]
    fn the_expiry_of_a_key_is_in_the_future_and_within_the_maximum() {
        let at = |seconds: i64| Timestamp::from_micros(1_000_000 * seconds).unwrap();
        let most = Some(Duration::from_secs(100));
        for (wanted, most, end) in [
            (Some(at(0)), None, Err(ExpiryError::Past)),
            (Some(at(-1)), most, Err(ExpiryError::Past)),
            (Some(at(100)), most, Ok(Some(at(100)))),
            (Some(at(101)), most, Err(ExpiryError::TooLate { days: 0 })),
            (Some(at(101)), None, Ok(Some(at(101)))),
            (None, most, Ok(Some(at(100)))),
        ] {
            assert_eq!(end_of_key(wanted, at(0), most), end);
        }
    }
}
