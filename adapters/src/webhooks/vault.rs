//! Secrets at rest: sealed with ChaCha20-Poly1305 and the first configured key, opened with any of them; kept in clear when
//! there is none.

use std::{fmt, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use patron_domain::{
    ids::{Randomness, WebhookEndpointId},
    webhook::{SealedSecret, SecretVault, VaultError, WebhookSecret},
};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

/// What stands before a sealed secret; the number is the way of sealing.
const SEALED: &str = "v1:";
/// What stands before one in clear.
const CLEAR: &str = "clear:";

/// A key that secrets are sealed with: 32 bytes.
#[derive(Clone)]
pub struct SealingKey([u8; 32]);

/// Why a text is no [`SealingKey`], or no list of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "each key must be 32 bytes, in base 64 or as 64 hexadecimal digits, and a comma stands between two of them; \
     `openssl rand -base64 32` makes one"
)]
pub struct SealingKeyError;

impl SealingKey {
    /// Takes 32 bytes in base 64, or as 64 hexadecimal digits.
    ///
    /// # Errors
    /// For anything else. The text is not in the error.
    pub fn parse(text: &str) -> Result<Self, SealingKeyError> {
        let bytes = match text.len() {
            // `from_str_radix` would take a sign.
            64 if !text.bytes().all(|digit| digit.is_ascii_hexdigit()) => None,
            64 => (0..32).map(|at| u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()).collect(),
            _ => STANDARD.decode(text).ok(),
        };
        let bytes: Option<[u8; 32]> = bytes.and_then(|bytes: Vec<u8>| bytes.try_into().ok());
        bytes.map(Self).ok_or(SealingKeyError)
    }

    /// Takes one or more keys, separated by commas, with or without blanks around them.
    ///
    /// # Errors
    /// When one of them is not a key, or is empty. The text is not in the error.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, SealingKeyError> {
        text.split(',').map(|key| Self::parse(key.trim())).collect()
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey(redacted)")
    }
}

/// Seals secrets with the first of its keys, and opens them with the one that fits. The endpoint's id is part of what is
/// sealed, so that no secret opens in another's row.
pub struct KeyVault {
    keys: Vec<LessSafeKey>,
    randomness: Arc<dyn Randomness>,
}

impl KeyVault {
    /// A vault; without a key it keeps secrets in clear. Secrets that were kept in clear are read with keys too. To change
    /// the key, put the new one in front of the old one, which opens what it sealed.
    #[must_use]
    pub fn new(keys: &[SealingKey], randomness: Arc<dyn Randomness>) -> Self {
        // A key of 32 bytes is what this algorithm takes, so none is refused.
        let keys = keys.iter().filter_map(|key| UnboundKey::new(&CHACHA20_POLY1305, &key.0).ok());
        Self { keys: keys.map(LessSafeKey::new).collect(), randomness }
    }
}

impl SecretVault for KeyVault {
    fn seal(&self, id: WebhookEndpointId, secret: &WebhookSecret) -> Result<SealedSecret, VaultError> {
        let Some(key) = self.keys.first() else {
            return Ok(SealedSecret::from_sealed(format!("{CLEAR}{}", secret.expose())));
        };
        let random = self.randomness.secret_bytes()?;
        let nonce: [u8; NONCE_LEN] = std::array::from_fn(|at| random[at]);
        let mut sealed = secret.expose().into_bytes();
        let tag = key.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(id.to_string().as_bytes()),
            &mut sealed,
        );
        tag.map_err(|_| VaultError::Sealed)?;
        Ok(SealedSecret::from_sealed(format!("{SEALED}{}", STANDARD.encode([&nonce[..], &sealed].concat()))))
    }

    fn open(&self, id: WebhookEndpointId, sealed: &SealedSecret) -> Result<WebhookSecret, VaultError> {
        let parse = |text: &str| WebhookSecret::parse(text).map_err(|_| VaultError::Sealed);
        if let Some(clear) = sealed.as_sealed().strip_prefix(CLEAR) {
            return parse(clear);
        }
        let open = || {
            let bytes = STANDARD.decode(sealed.as_sealed().strip_prefix(SEALED)?).ok()?;
            let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN)?;
            self.keys.iter().find_map(|key| {
                let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
                // A key that does not fit leaves garbage behind, so each gets a copy.
                let mut sealed = sealed.to_vec();
                let opened = key.open_in_place(nonce, Aad::from(id.to_string().as_bytes()), &mut sealed);
                String::from_utf8(opened.ok()?.to_vec()).ok()
            })
        };
        parse(&open().ok_or(VaultError::Sealed)?)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use patron_domain::{testkit::an_id, webhook::WebhookSecret};

    use super::{KeyVault, SealingKey, SecretVault, VaultError};
    use crate::system::OsRandomness;

    fn vault(keys: &[&str]) -> KeyVault {
        let keys: Vec<_> = keys.iter().map(|key| SealingKey::parse(&key.repeat(32)).unwrap()).collect();
        KeyVault::new(&keys, Arc::new(OsRandomness))
    }

    #[test]
    fn a_secret_opens_with_its_key_for_its_endpoint_alone() {
        let secret = WebhookSecret::from_random([5; 32]);
        let (one, other) = (vault(&["0a"]), vault(&["0b"]));
        let sealed = one.seal(an_id(1), &secret).unwrap();
        assert!(!sealed.as_sealed().contains(&secret.expose()[6..]), "it is not in clear");
        assert_ne!(one.seal(an_id(1), &secret).unwrap(), sealed, "each time another nonce");
        assert_eq!(one.open(an_id(1), &sealed), Ok(secret));
        assert_eq!(one.open(an_id(2), &sealed), Err(VaultError::Sealed));
        assert_eq!(other.open(an_id(1), &sealed), Err(VaultError::Sealed));
        assert_eq!(vault(&[]).open(an_id(1), &sealed), Err(VaultError::Sealed));
    }

    #[test]
    fn without_a_key_secrets_are_in_clear_and_stay_readable_with_one() {
        let secret = WebhookSecret::from_random([6; 32]);
        let clear = vault(&[]).seal(an_id(1), &secret).unwrap();
        assert!(clear.as_sealed().contains(&secret.expose()));
        assert_eq!(vault(&["0a"]).open(an_id(1), &clear), Ok(secret));
    }

    #[test]
    fn the_first_key_seals_and_all_open() {
        let secret = WebhookSecret::from_random([7; 32]);
        let (old, both, new) = (vault(&["0a"]), vault(&["0b", "0a"]), vault(&["0b"]));
        let before = old.seal(an_id(1), &secret).unwrap();
        let after = both.seal(an_id(1), &secret).unwrap();
        assert_eq!(both.open(an_id(1), &before), Ok(secret.clone()));
        assert_eq!(both.open(an_id(1), &after), Ok(secret.clone()));
        assert_eq!(new.open(an_id(1), &after), Ok(secret), "the new key alone opens what was sealed since");
        assert_eq!(new.open(an_id(1), &before), Err(VaultError::Sealed));
        assert_eq!(old.open(an_id(1), &after), Err(VaultError::Sealed));
    }

    #[test]
    fn keys_are_listed_with_commas() {
        let (hex, base64) = ("0a".repeat(32), "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
        let keys = SealingKey::parse_list(&format!("{hex}, {base64}")).unwrap();
        assert_eq!(keys.iter().map(|key| key.0).collect::<Vec<_>>(), [[0x0a; 32], [0; 32]]);
        for bad in [String::new(), format!("{hex},"), format!(",{hex}"), format!("{hex} {hex}"), format!("{hex},x")] {
            assert!(SealingKey::parse_list(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_key_is_32_bytes_in_either_form() {
        assert!(SealingKey::parse("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").is_ok());
        for bad in ["", "short", "AAAA", &"zz".repeat(32), &"+a".repeat(32), &"é".repeat(32)] {
            assert!(SealingKey::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(format!("{:?}", SealingKey([0; 32])), "SealingKey(redacted)");
    }
}
