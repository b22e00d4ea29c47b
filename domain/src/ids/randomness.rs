//! Secret random bits.

/// The port for secret random bits.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{ids::Randomness, testkit::FixedRandomness};
///
/// let randomness: Arc<dyn Randomness> = Arc::new(FixedRandomness([7; 32]));
/// assert_eq!(randomness.secret_bytes(), Ok([7; 32]));
/// ```
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
pub trait Randomness: Send + Sync {
    /// 256 unpredictable bits. They MUST come from the operating system's generator or an equally strong one.
    ///
    /// # Errors
    /// [`RandomnessUnavailable`] when the source fails; a weaker source MUST NOT be used instead.
    fn secret_bytes(&self) -> Result<[u8; 32], RandomnessUnavailable>;
}

/// The source of randomness failed.
///
/// ```
/// use patron_domain::ids::RandomnessUnavailable;
///
/// assert_eq!(RandomnessUnavailable.to_string(), "the operating system returned no random bytes");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system returned no random bytes")]
pub struct RandomnessUnavailable;
