//! The secrets of an endpoint as stores keep them, and the overlap of two secrets in a rotation.

use std::{fmt, time::Duration};

use crate::{time::Timestamp, violation::Rule};

/// A secret as stores keep it: sealed by a [`super::SecretVault`]. Only the vault can seal and open it.
///
/// ```
/// use patron_domain::webhook::SealedSecret;
///
/// let kept = SealedSecret::from_sealed("sealed:MfKQ9r8G");
/// assert_eq!(kept.as_sealed(), "sealed:MfKQ9r8G");
/// assert_eq!(format!("{kept:?}"), "SealedSecret(redacted)");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct SealedSecret(String);

impl SealedSecret {
    /// Wraps text that a vault sealed or a store has kept.
    #[must_use]
    pub fn from_sealed(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The sealed text, for stores and vaults.
    #[must_use]
    pub fn as_sealed(&self) -> &str {
        &self.0
    }
}

/// Without a key the vault stores secrets in the clear, so `Debug` must not show this text.
impl fmt::Debug for SealedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedSecret(redacted)")
    }
}

/// The secrets that deliveries are signed with.
///
/// ```
/// use patron_domain::{testkit::a_time, time::Timestamp, webhook::{EndpointSecrets, SealedSecret}};
///
/// let [old, new] = ["old", "new"].map(SealedSecret::from_sealed);
/// let secrets = EndpointSecrets { current: new, previous: Some((old, a_time())) };
/// assert_eq!(secrets.valid_at(Timestamp::UNIX_EPOCH).count(), 2);
/// assert_eq!(secrets.valid_at(a_time()).count(), 1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointSecrets {
    /// The current one.
    pub current: SealedSecret,
    /// The previous one, and the time until which it is used too.
    pub previous: Option<(SealedSecret, Timestamp)>,
}

impl EndpointSecrets {
    /// The secrets to sign with at a time, the current one first.
    pub fn valid_at(&self, now: Timestamp) -> impl Iterator<Item = &SealedSecret> {
        let previous = self.previous.iter().filter(move |(_, until)| now < *until).map(|(secret, _)| secret);
        std::iter::once(&self.current).chain(previous)
    }
}

/// The default time for which the previous secret is used after a rotation.
pub const DEFAULT_OVERLAP: Duration = Duration::from_secs(24 * 3_600);
/// The maximum overlap.
pub const MAX_OVERLAP: Duration = Duration::from_secs(7 * 24 * 3_600);

/// Why a number of seconds is not a valid overlap.
///
/// ```
/// use patron_domain::webhook::{OverlapError, check_overlap};
///
/// assert_eq!(check_overlap(3_600).unwrap().as_secs(), 3_600);
/// assert_eq!(check_overlap(-1), Err(OverlapError));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("overlap_seconds must be a whole number from 0 to {}", MAX_OVERLAP.as_secs())]
pub struct OverlapError;

impl Rule for OverlapError {
    fn rule(&self) -> &'static str {
        "range"
    }
}

/// Checks the length of an overlap.
///
/// # Errors
/// [`OverlapError`] when the number is negative or above [`MAX_OVERLAP`].
pub fn check_overlap(seconds: i64) -> Result<Duration, OverlapError> {
    let overlap = u64::try_from(seconds).map(Duration::from_secs).map_err(|_| OverlapError)?;
    if overlap <= MAX_OVERLAP { Ok(overlap) } else { Err(OverlapError) }
}
