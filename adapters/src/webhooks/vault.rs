//! Encryption of secrets at rest, with ChaCha20-Poly1305. The first configured key encrypts, and all keys decrypt.
//! Without a key, secrets are stored in plain text.

use std::{fmt, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use data_encoding::HEXLOWER_PERMISSIVE;
use patron_domain::{
    ids::{Randomness, WebhookEndpointId},
    webhook::{SealedSecret, SecretVault, VaultError, WebhookSecret},
};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

/// The prefix of an encrypted secret. The number identifies the format.
const SEALED: &str = "v1:";
/// The prefix of a secret in plain text.
const CLEAR: &str = "clear:";

/// A key that encrypts secrets: 32 bytes.
#[derive(Clone)]
pub struct SealingKey([u8; 32]);

/// The error of a text that is not a [`SealingKey`] or a list of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "each key must be 32 bytes, in base64 or as 64 hexadecimal digits, and several are separated by commas; \
     `openssl rand -base64 32` makes one"
)]
pub struct SealingKeyError;

impl SealingKey {
    /// Parses 32 bytes in base64, or as 64 hexadecimal digits.
    ///
    /// # Errors
    /// For any other text. The error does not contain it.
    pub fn parse(text: &str) -> Result<Self, SealingKeyError> {
        let bytes = match text.len() {
            64 => HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok(),
            _ => STANDARD.decode(text).ok(),
        };
        let bytes: Option<[u8; 32]> = bytes.and_then(|bytes: Vec<u8>| bytes.try_into().ok());
        bytes.map(Self).ok_or(SealingKeyError)
    }

    /// Parses one or more keys, separated by commas with optional blanks.
    ///
    /// # Errors
    /// If one of them is empty or not a key. The error does not contain the text.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, SealingKeyError> {
        text.split(',').map(|key| Self::parse(key.trim())).collect()
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey(redacted)")
    }
}

/// Encrypts secrets with the first of its keys, and decrypts them with the matching one. The endpoint's id is
/// authenticated too, so a secret cannot be decrypted in another endpoint's row.
pub struct KeyVault {
    keys: Vec<LessSafeKey>,
    randomness: Arc<dyn Randomness>,
}

impl KeyVault {
    /// Creates a vault. Without a key it stores secrets in plain text; with keys it can still read such secrets. To
    /// change the key, put the new one before the old one, which still decrypts older secrets.
    #[must_use]
    pub fn new(keys: &[SealingKey], randomness: Arc<dyn Randomness>) -> Self {
        // The algorithm accepts every key of 32 bytes.
        let keys = keys.iter().filter_map(|key| UnboundKey::new(&CHACHA20_POLY1305, &key.0).ok());
        Self { keys: keys.map(LessSafeKey::new).collect(), randomness }
    }
}

impl SecretVault for KeyVault {
    fn seal(&self, id: WebhookEndpointId, secret: &WebhookSecret) -> Result<SealedSecret, VaultError> {
        let Some(key) = self.keys.first() else {
            tracing::warn!(
                "a secret for webhooks or onboarding is stored in plain text: set PATRON_SECRETS_KEY, and then run \
                 `patron secrets rotate`"
            );
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

    fn reseal(&self, id: WebhookEndpointId, sealed: &SealedSecret) -> Result<Option<SealedSecret>, VaultError> {
        let secret = self.open(id, sealed)?;
        let current = match self.keys.first() {
            Some(key) => opened(key, id, sealed).is_some(),
            // Without a key, only secrets in plain text can be read.
            None => true,
        };
        if current { Ok(None) } else { self.seal(id, &secret).map(Some) }
    }

    fn open(&self, id: WebhookEndpointId, sealed: &SealedSecret) -> Result<WebhookSecret, VaultError> {
        let parse = |text: &str| WebhookSecret::parse(text).map_err(|_| VaultError::Sealed);
        if let Some(clear) = sealed.as_sealed().strip_prefix(CLEAR) {
            return parse(clear);
        }
        let text = self.keys.iter().find_map(|key| opened(key, id, sealed));
        parse(&text.ok_or(VaultError::Sealed)?)
    }
}

/// The secret, if this key encrypted it.
fn opened(key: &LessSafeKey, id: WebhookEndpointId, sealed: &SealedSecret) -> Option<String> {
    let bytes = STANDARD.decode(sealed.as_sealed().strip_prefix(SEALED)?).ok()?;
    let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    // Decrypting with a wrong key destroys the buffer, so each key gets a copy.
    let mut sealed = sealed.to_vec();
    let opened = key.open_in_place(nonce, Aad::from(id.to_string().as_bytes()), &mut sealed);
    String::from_utf8(opened.ok()?.to_vec()).ok()
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
    fn a_secret_opens_only_with_its_key_for_its_endpoint() {
        let secret = WebhookSecret::from_random([5; 32]);
        let (one, other) = (vault(&["0a"]), vault(&["0b"]));
        let sealed = one.seal(an_id(1), &secret).unwrap();
        assert!(!sealed.as_sealed().contains(&secret.expose()[6..]), "it is not plain text");
        assert_ne!(one.seal(an_id(1), &secret).unwrap(), sealed, "each nonce is new");
        assert_eq!(one.open(an_id(1), &sealed), Ok(secret));
        assert_eq!(one.open(an_id(2), &sealed), Err(VaultError::Sealed));
        assert_eq!(other.open(an_id(1), &sealed), Err(VaultError::Sealed));
        assert_eq!(vault(&[]).open(an_id(1), &sealed), Err(VaultError::Sealed));
    }

    #[test]
    fn without_a_key_secrets_are_plain_text_that_vaults_with_keys_can_read() {
        let secret = WebhookSecret::from_random([6; 32]);
        let clear = vault(&[]).seal(an_id(1), &secret).unwrap();
        assert!(clear.as_sealed().contains(&secret.expose()));
        assert_eq!(vault(&["0a"]).open(an_id(1), &clear), Ok(secret));
    }

    #[test]
    fn the_first_key_encrypts_and_all_decrypt() {
        let secret = WebhookSecret::from_random([7; 32]);
        let (old, both, new) = (vault(&["0a"]), vault(&["0b", "0a"]), vault(&["0b"]));
        let before = old.seal(an_id(1), &secret).unwrap();
        let after = both.seal(an_id(1), &secret).unwrap();
        assert_eq!(both.open(an_id(1), &before), Ok(secret.clone()));
        assert_eq!(both.open(an_id(1), &after), Ok(secret.clone()));
        assert_eq!(new.open(an_id(1), &after), Ok(secret), "the new key alone opens secrets that were sealed with it");
        assert_eq!(new.open(an_id(1), &before), Err(VaultError::Sealed));
        assert_eq!(old.open(an_id(1), &after), Err(VaultError::Sealed));
    }

    #[test]
    fn secrets_that_the_first_key_did_not_encrypt_are_encrypted_with_it() {
        let secret = WebhookSecret::from_random([8; 32]);
        let (clear, old, both, new) = (vault(&[]), vault(&["0a"]), vault(&["0b", "0a"]), vault(&["0b"]));
        for vault in [&clear, &old] {
            let before = vault.seal(an_id(1), &secret).unwrap();
            assert_eq!(vault.reseal(an_id(1), &before), Ok(None), "it needs no change");
            let after = both.reseal(an_id(1), &before).unwrap().expect("the first key did not encrypt it");
            assert_eq!(new.open(an_id(1), &after), Ok(secret.clone()));
            assert_eq!(both.reseal(an_id(1), &after), Ok(None));
        }
        let lost = vault(&["0c"]).seal(an_id(1), &secret).unwrap();
        assert_eq!(both.reseal(an_id(1), &lost), Err(VaultError::Sealed));
    }

    #[test]
    fn keys_are_separated_by_commas() {
        let (hex, base64) = ("0a".repeat(32), "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
        let keys = SealingKey::parse_list(&format!("{hex}, {base64}")).unwrap();
        assert_eq!(keys.iter().map(|key| key.0).collect::<Vec<_>>(), [[0x0a; 32], [0; 32]]);
        for bad in [String::new(), format!("{hex},"), format!(",{hex}"), format!("{hex} {hex}"), format!("{hex},x")] {
            assert!(SealingKey::parse_list(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_key_is_32_bytes_in_both_forms() {
        assert!(SealingKey::parse("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").is_ok());
        for bad in ["", "short", "AAAA", &"zz".repeat(32), &"+a".repeat(32), &"é".repeat(32)] {
            assert!(SealingKey::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(format!("{:?}", SealingKey([0; 32])), "SealingKey(redacted)");
    }
}
