//! Receipts: signed statements that a person was erased, without personal data.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{DeletionRequest, DeletionState, PrivacyError};
use crate::{ids::InstallationKeyId, time::Timestamp, words::words};

/// How a store removes what it erases. Receipts state it, because the operator is responsible for the rest.
///
/// ```
/// use patron_domain::privacy::StorageKind;
///
/// assert!(StorageKind::Sqlite.explanation().contains("overwritten"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StorageKind {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgresql,
    /// Another store.
    Other,
}

words!(
    StorageKind, "sqlite, postgresql, other",
    Sqlite => "sqlite",
    Postgresql => "postgresql",
    Other => "other",
);

impl StorageKind {
    /// What remains of erased records, for people.
    #[must_use]
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "Erased records were overwritten in the database file, and its write-ahead log was truncated. Backups \
                 that were made before are not covered."
            }
            Self::Postgresql => {
                "Erased records are unreachable at once, and overwritten when the server vacuums. Its write-ahead log, \
                 replicas that lag behind and backups that were made before are not covered."
            }
            Self::Other => "What remains of erased records depends on the store.",
        }
    }
}

/// The count of a category in a receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Counted {
    category: String,
    redacted: u64,
    left: u64,
}

/// The content of a receipt.
///
/// ```
/// use patron_domain::{privacy::{Receipt, StorageKind}, testkit::a_deletion_request};
///
/// assert_eq!(Receipt::of(&a_deletion_request(), StorageKind::Other), None, "it is not completed");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    kind: String,
    version: u32,
    request_id: String,
    tenant_id: String,
    environment_id: String,
    subject: String,
    request_channel: String,
    requested_at: String,
    redacted_since: String,
    verified_at: String,
    counts: Vec<Counted>,
    storage: String,
    note: String,
}

/// A receipt with its signature.
///
/// ```
/// use patron_domain::privacy::SignedReceipt;
///
/// let signed = SignedReceipt {
///     payload: "{}".to_owned(),
///     algorithm: "Ed25519".to_owned(),
///     key_id: "ikey_01JDG3W9Z5X0M8R2K7T4B6Q1NE".to_owned(),
///     signature: String::new(),
/// };
/// assert!(signed.receipt().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedReceipt {
    /// The [`Receipt`] as JSON. These bytes are signed.
    pub payload: String,
    /// `Ed25519` (RFC 8032).
    pub algorithm: String,
    /// The id of the key.
    pub key_id: String,
    /// The signature, in base64.
    pub signature: String,
}

/// A public key by which receipts can be verified.
///
/// ```
/// use patron_domain::{privacy::ReceiptKey, testkit::{a_time, an_id}};
///
/// let key = ReceiptKey { id: an_id(1), public_key: vec![7; 32], created_at: a_time(), retired_at: None };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptKey {
    /// The id.
    pub id: InstallationKeyId,
    /// The 32 bytes of the key.
    pub public_key: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When another one replaced it; it still verifies older receipts.
    pub retired_at: Option<Timestamp>,
}

/// Signs receipts.
///
/// ```
/// use patron_domain::privacy::{MockReceiptSigner, ReceiptSigner};
///
/// let signer: Box<dyn ReceiptSigner> = Box::new(MockReceiptSigner::new());
/// ```
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait ReceiptSigner: Send + Sync {
    /// Opens the keys of the installation, so that the store recognises erased people. Makes missing keys.
    async fn open(&self) -> Result<(), PrivacyError>;

    /// The same, without making keys.
    async fn open_existing(&self) -> Result<(), PrivacyError>;

    /// Signs a receipt with the current key.
    async fn sign(&self, receipt: &Receipt) -> Result<SignedReceipt, PrivacyError>;

    /// All public keys, the newest first.
    async fn public_keys(&self) -> Result<Vec<ReceiptKey>, PrivacyError>;
}

/// Why a text is not a receipt.
///
/// ```
/// use patron_domain::privacy::{ReceiptFault, SignedReceipt};
///
/// assert_eq!(SignedReceipt::parse("{}"), Err(ReceiptFault));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not a receipt of an erasure")]
pub struct ReceiptFault;

impl Receipt {
    const KIND: &'static str = "patron.erasure";

    /// The receipt of a request; `None` unless it is completed.
    #[must_use]
    pub fn of(request: &DeletionRequest, storage: StorageKind) -> Option<Self> {
        let verified_at = request.verified_at.filter(|_| request.state == DeletionState::Completed)?;
        let counted = |count: &super::CategoryCount| Counted {
            category: count.category.as_str().to_owned(),
            redacted: count.redacted,
            left: count.left.unwrap_or_default(),
        };
        Some(Self {
            kind: Self::KIND.to_owned(),
            version: 1,
            request_id: request.id.to_string(),
            tenant_id: request.owner.tenant_id.to_string(),
            environment_id: request.owner.environment_id.to_string(),
            subject: format!("hmac-sha256:{}", request.subject),
            request_channel: request.channel.as_str().to_owned(),
            requested_at: request.audit.created_at.to_string(),
            redacted_since: request.redacting_since.unwrap_or(verified_at).to_string(),
            verified_at: verified_at.to_string(),
            counts: request.counts.iter().map(counted).collect(),
            storage: storage.as_str().to_owned(),
            note: storage.explanation().to_owned(),
        })
    }

    /// The JSON that is signed.
    #[must_use]
    pub fn payload(&self) -> String {
        // Texts and numbers always have a JSON form.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The id of the request.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// When counting found nothing left.
    #[must_use]
    pub fn verified_at(&self) -> &str {
        &self.verified_at
    }
}

impl SignedReceipt {
    /// Reads a receipt.
    ///
    /// # Errors
    /// For any other text.
    pub fn parse(text: &str) -> Result<Self, ReceiptFault> {
        serde_json::from_str(text).map_err(|_| ReceiptFault)
    }

    /// The content, whose signature must have been checked.
    ///
    /// # Errors
    /// If it is not a receipt of an erasure.
    pub fn receipt(&self) -> Result<Receipt, ReceiptFault> {
        let receipt: Receipt = serde_json::from_str(&self.payload).map_err(|_| ReceiptFault)?;
        if receipt.kind == Receipt::KIND && receipt.version == 1 { Ok(receipt) } else { Err(ReceiptFault) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        privacy::Category,
        testkit::{a_deletion_request, a_time},
    };

    #[test]
    fn a_receipt_holds_no_personal_data_and_comes_back() {
        let all: Vec<_> = Category::ALL.iter().map(|category| (*category, 0)).collect();
        let request = a_deletion_request().begun(a_time()).verified(&all, a_time());
        let receipt = Receipt::of(&request, StorageKind::Sqlite).unwrap();
        let payload = receipt.payload();
        assert!(!payload.contains(&request.customer_id.to_string()), "{payload}");
        let signed =
            SignedReceipt { payload, algorithm: "Ed25519".into(), key_id: "k".into(), signature: String::new() };
        let text = serde_json::to_string(&signed).unwrap();
        assert_eq!(SignedReceipt::parse(&text).unwrap().receipt(), Ok(receipt));
    }
}
