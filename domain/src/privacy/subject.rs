//! Subjects: people who must be recognised after their erasure, without their data.

use std::fmt;

#[cfg(feature = "webhooks")]
use hmac::{Hmac, KeyInit, Mac};

#[cfg(feature = "webhooks")]
use crate::lifecycle::Owner;

/// What remains of an external id: its HMAC-SHA-256 under a key that only one installation has. Without the key it cannot
/// be guessed, as a hash could be.
///
/// ```
/// use patron_domain::privacy::SubjectTag;
///
/// let tag = SubjectTag::from_bytes([0xab; 32]);
/// assert_eq!(SubjectTag::parse(&tag.to_string()), Some(tag));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectTag([u8; 32]);

impl SubjectTag {
    /// The tag of these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads the 64 hexadecimal digits of its text; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        data_encoding::HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok().map(Self)
    }
}

/// 64 hexadecimal digits.
impl fmt::Display for SubjectTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

/// The key of an installation for [`SubjectTag`]s.
///
/// ```
/// use patron_domain::{privacy::SubjectKey, testkit::an_owner};
///
/// let key = SubjectKey::from_bytes([7; 32]);
/// assert_eq!(key.tag(an_owner(), "acme"), key.tag(an_owner(), "acme"));
/// assert_ne!(key.tag(an_owner(), "acme"), SubjectKey::from_bytes([8; 32]).tag(an_owner(), "acme"));
/// ```
#[cfg(feature = "webhooks")]
#[derive(Clone, PartialEq, Eq)]
pub struct SubjectKey([u8; 32]);

#[cfg(feature = "webhooks")]
impl fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubjectKey(redacted)")
    }
}

#[cfg(feature = "webhooks")]
impl SubjectKey {
    /// A key of these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The tag of an external id in an environment. The same text has another tag in another environment.
    #[must_use]
    pub fn tag(&self, owner: Owner, external_id: &str) -> SubjectTag {
        let mut bytes = [0; 32];
        // Every length is a valid key.
        if let Ok(mut mac) = Hmac::<sha2::Sha256>::new_from_slice(&self.0) {
            mac.update(owner.environment_id.uuid().as_bytes());
            mac.update(external_id.as_bytes());
            bytes.copy_from_slice(&mac.finalize().into_bytes());
        }
        SubjectTag(bytes)
    }
}
