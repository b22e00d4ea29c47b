//! Hashes, salts and heads of a chain.

use std::{fmt, str::FromStr};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use sha2::{Digest, Sha256};

use crate::event::EventPosition;

/// Declares values of a fixed number of bytes, with their hexadecimal form.
macro_rules! bytes {
    ($($(#[$doc:meta])* $name:ident: $length:literal;)+) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
            pub struct $name([u8; $length]);

            impl $name {
                /// The value of stored bytes; `None` for another number of bytes.
                #[must_use]
                pub fn from_stored(bytes: &[u8]) -> Option<Self> {
                    bytes.try_into().ok().map(Self)
                }

                /// The bytes.
                #[must_use]
                pub fn as_bytes(&self) -> &[u8; $length] {
                    &self.0
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    HEXLOWER.encode_write(&self.0, f)
                }
            }

            impl Serialize for $name {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.collect_str(self)
                }
            }

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    let text = String::deserialize(deserializer)?;
                    let bytes = HEXLOWER.decode(text.as_bytes()).ok();
                    let value = bytes.as_deref().and_then(Self::from_stored);
                    value.ok_or_else(|| D::Error::custom(concat!("expected ", $length, " bytes as lower-case hexadecimal digits")))
                }
            }
        )+
    };
}

bytes! {
    /// The hash of an event in its chain: SHA-256.
    ///
    /// ```
    /// use patron_domain::event::chain::ChainHash;
    ///
    /// assert!(ChainHash::START.to_string().starts_with("0000"));
    /// ```
    ChainHash: 32;
    /// Random bytes, without which a commitment does not reveal a state by guessing.
    ///
    /// ```
    /// use patron_domain::event::chain::Salt;
    ///
    /// assert_eq!(Salt::from_stored(&[7; 32]), None);
    /// ```
    Salt: 16;
    /// The commitment of a state: SHA-256 of the salt and the document.
    ///
    /// ```
    /// use patron_domain::event::chain::{Commitment, Salt};
    ///
    /// let salt = Salt::random(&[7; 32]);
    /// assert_ne!(Commitment::new(&salt, "{}"), Commitment::new(&salt, "[]"));
    /// ```
    Commitment: 32;
}

impl ChainHash {
    /// The hash before the first event.
    pub const START: Self = Self([0; 32]);

    /// The hash of some bytes.
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl Salt {
    /// A salt of random bytes.
    #[must_use]
    pub fn random(bytes: &[u8; 32]) -> Self {
        let mut salt = [0; 16];
        salt.copy_from_slice(&bytes[..16]);
        Self(salt)
    }
}

impl Commitment {
    /// The commitment of a document.
    #[must_use]
    pub fn new(salt: &Salt, document: &str) -> Self {
        Self(Sha256::new().chain_update(salt.0).chain_update(document).finalize().into())
    }
}

/// A place in a chain: the position and hash of an event. Its text form is `POSITION:HASH`.
///
/// ```
/// use patron_domain::event::chain::ChainHead;
///
/// let head: ChainHead = ChainHead::START.to_string().parse().unwrap();
/// assert_eq!(head, ChainHead::START);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainHead {
    /// The position.
    pub position: EventPosition,
    /// The hash.
    pub hash: ChainHash,
}

/// A text is not the head of a chain.
///
/// ```
/// use patron_domain::event::chain::{ChainHead, ChainHeadError};
///
/// assert_eq!("7".parse::<ChainHead>(), Err(ChainHeadError));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a position, a colon and 64 hexadecimal digits, as `patron events head` prints them")]
pub struct ChainHeadError;

impl ChainHead {
    /// The place before the first event.
    pub const START: Self = Self { position: EventPosition::START, hash: ChainHash::START };
}

impl fmt::Display for ChainHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.position, self.hash)
    }
}

impl FromStr for ChainHead {
    type Err = ChainHeadError;

    fn from_str(text: &str) -> Result<Self, ChainHeadError> {
        let (position, hash) = text.split_once(':').ok_or(ChainHeadError)?;
        let position = position.parse().ok().and_then(EventPosition::from_stored).ok_or(ChainHeadError)?;
        let hash = HEXLOWER.decode(hash.as_bytes()).ok();
        let hash = hash.as_deref().and_then(ChainHash::from_stored).ok_or(ChainHeadError)?;
        Ok(Self { position, hash })
    }
}

impl Serialize for ChainHead {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ChainHead {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_text_form_is_a_head() {
        let head = ChainHead { position: EventPosition::from_stored(12).unwrap(), hash: ChainHash::of(b"a") };
        let text = head.to_string();
        assert_eq!(text, "12:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb");
        assert_eq!(text.parse(), Ok(head));
        for bad in ["", "12", "12:", &text[..66], &format!("-{text}"), &text.to_uppercase(), &format!("{text}0")] {
            assert_eq!(bad.parse::<ChainHead>(), Err(ChainHeadError), "{bad}");
        }
    }

    #[test]
    fn a_commitment_is_the_hash_of_salt_and_document() {
        // printf 'aaaaaaaaaaaaaaaa{"name":"Ada"}' | sha256sum
        let commitment = Commitment::new(&Salt::random(&[b'a'; 32]), r#"{"name":"Ada"}"#);
        assert_eq!(commitment.to_string(), COMMITMENT);
    }

    const COMMITMENT: &str = "8273dc5baf2342a21c3762c046de412913bd4f7bcb0838d921a2cd4b13c52161";
}
