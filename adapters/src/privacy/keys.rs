//! The keys of the installation: opened with the vault, and used for Ed25519 signatures.

use std::sync::Arc;

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use patron_domain::{
    Clock,
    ids::{IdGenerator, Randomness},
    privacy::{
        InstallationKey, KeyPurpose, KeysUnavailable, PrivacyError, Receipt, ReceiptKey, ReceiptSigner, SignedReceipt,
        SubjectKey,
    },
    store::StoreError,
    tenancy::SystemScope,
    webhook::{SecretVault, WebhookSecret},
};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

use crate::persistence::{Database, vault_place};

/// The algorithm of receipts.
const ALGORITHM: &str = "Ed25519";
/// The most tries to find or make a key while other servers make one.
const TRIES: u32 = 5;

/// The keys of the installation. They are made at their first use, and sealed by the vault.
#[derive(Clone)]
pub struct PrivacyKeys {
    /// Stores the keys, and recognises erased customers by them.
    pub database: Database,
    /// Seals the secrets.
    pub vault: Arc<dyn SecretVault>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Generates ids.
    pub ids: Arc<dyn IdGenerator>,
    /// Generates secrets.
    pub randomness: Arc<dyn Randomness>,
}

/// Whether a receipt was signed with the secret of a public key.
#[must_use]
pub fn verifies(public_key: &[u8], signed: &SignedReceipt) -> bool {
    let signature = STANDARD.decode(&signed.signature).unwrap_or_default();
    let key = UnparsedPublicKey::new(&ED25519, public_key);
    signed.algorithm == ALGORITHM && key.verify(signed.payload.as_bytes(), &signature).is_ok()
}

impl PrivacyKeys {
    /// Opens the keys if there are any. Returns whether erased customers are recognised.
    ///
    /// # Errors
    /// When the vault cannot open them, or the store fails.
    pub async fn load(&self) -> Result<bool, PrivacyError> {
        match self.current(KeyPurpose::Subjects).await? {
            Some(key) => {
                self.database.recognise_erased(SubjectKey::from_bytes(self.secret(&key)?));
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Replaces the key of receipts. The old public key stays.
    ///
    /// # Errors
    /// When no key can be made, or the store fails.
    pub async fn rotate_receipt_key(&self) -> Result<ReceiptKey, PrivacyError> {
        let key = self.make(KeyPurpose::Receipts)?;
        self.database.installation_keys.put(&SystemScope::patron(), key.clone(), true).await?;
        shown(key).ok_or_else(|| KeysUnavailable.into())
    }

    async fn current(&self, purpose: KeyPurpose) -> Result<Option<InstallationKey>, StoreError> {
        let keys = self.database.installation_keys.keys(&SystemScope::patron()).await?.into_iter();
        Ok(keys.filter(|key| key.purpose == purpose).find(|key| key.retired_at.is_none()))
    }

    async fn find_or_make(&self, purpose: KeyPurpose) -> Result<InstallationKey, PrivacyError> {
        for _ in 0..TRIES {
            if let Some(key) = self.current(purpose).await? {
                return Ok(key);
            }
            // Another server may be first.
            let made = self.make(purpose)?;
            self.database.installation_keys.put(&SystemScope::patron(), made, false).await?;
        }
        Err(StoreError::unavailable("other servers are making the same key; try again").into())
    }

    fn make(&self, purpose: KeyPurpose) -> Result<InstallationKey, PrivacyError> {
        let now = self.clock.now();
        let secret = self.randomness.secret_bytes().map_err(|_| KeysUnavailable)?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&secret).map_err(|_| KeysUnavailable)?;
        let public_key = (purpose == KeyPurpose::Receipts).then(|| pair.public_key().as_ref().to_vec());
        let id = self.ids.start(now).next_id();
        let sealed = self.vault.seal(vault_place(id), &WebhookSecret::from_random(secret));
        let secret = sealed.map_err(|_| KeysUnavailable)?;
        Ok(InstallationKey { id, purpose, public_key, secret, created_at: now, retired_at: None })
    }

    fn secret(&self, key: &InstallationKey) -> Result<[u8; 32], KeysUnavailable> {
        let opened = self.vault.open(vault_place(key.id), &key.secret).map_err(|_| KeysUnavailable)?.expose();
        let (_, base64) = opened.split_once('_').ok_or(KeysUnavailable)?;
        STANDARD.decode(base64).ok().and_then(|bytes| bytes.try_into().ok()).ok_or(KeysUnavailable)
    }
}

/// The public part of a key for receipts.
fn shown(key: InstallationKey) -> Option<ReceiptKey> {
    let InstallationKey { id, public_key, created_at, retired_at, .. } = key;
    public_key.map(|public_key| ReceiptKey { id, public_key, created_at, retired_at })
}

#[async_trait]
impl ReceiptSigner for PrivacyKeys {
    async fn open(&self) -> Result<(), PrivacyError> {
        if self.database.recognises_erased() {
            return Ok(());
        }
        self.find_or_make(KeyPurpose::Receipts).await?;
        self.find_or_make(KeyPurpose::Subjects).await?;
        self.load().await.map(drop)
    }

    async fn open_existing(&self) -> Result<(), PrivacyError> {
        if self.database.recognises_erased() {
            return Ok(());
        }
        self.load().await.map(drop)
    }

    async fn sign(&self, receipt: &Receipt) -> Result<SignedReceipt, PrivacyError> {
        let key = self.find_or_make(KeyPurpose::Receipts).await?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&self.secret(&key)?).map_err(|_| KeysUnavailable)?;
        let payload = receipt.payload();
        let signature = STANDARD.encode(pair.sign(payload.as_bytes()).as_ref());
        Ok(SignedReceipt { payload, algorithm: ALGORITHM.to_owned(), key_id: key.id.to_string(), signature })
    }

    async fn public_keys(&self) -> Result<Vec<ReceiptKey>, PrivacyError> {
        let keys = self.database.installation_keys.keys(&SystemScope::patron()).await?;
        Ok(keys.into_iter().filter_map(shown).collect())
    }
}
