//! The keys of an installation: for recognising erased people, and for signing receipts.

use async_trait::async_trait;

use crate::{ids::InstallationKeyId, store::StoreError, tenancy::SystemScope, time::Timestamp, webhook::SealedSecret};

/// What a key is for.
///
/// ```
/// use patron_domain::privacy::KeyPurpose;
///
/// assert_ne!(KeyPurpose::Subjects, KeyPurpose::Receipts);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyPurpose {
    /// For [`SubjectKey`](super::SubjectKey). It is never replaced: then erased people would not be recognised.
    Subjects,
    /// For signing receipts.
    Receipts,
}

/// A key of the installation.
///
/// ```
/// use patron_domain::{privacy::{InstallationKey, KeyPurpose}, testkit::{a_time, an_id}, webhook::SealedSecret};
///
/// let key = InstallationKey {
///     id: an_id(1),
///     purpose: KeyPurpose::Subjects,
///     public_key: None,
///     secret: SealedSecret::from_sealed("sealed"),
///     created_at: a_time(),
///     retired_at: None,
/// };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallationKey {
    /// The id.
    pub id: InstallationKeyId,
    /// The purpose.
    pub purpose: KeyPurpose,
    /// The public key, of keys for receipts.
    pub public_key: Option<Vec<u8>>,
    /// The secret, sealed.
    pub secret: SealedSecret,
    /// When it was made.
    pub created_at: Timestamp,
    /// When another one replaced it. Its public key stays.
    pub retired_at: Option<Timestamp>,
}

/// Stores the keys of the installation.
///
/// ```
/// use patron_domain::{privacy::{InstallationKey, InstallationKeys}, store::StoreError, tenancy::SystemScope};
///
/// async fn newest(store: &dyn InstallationKeys) -> Result<Option<InstallationKey>, StoreError> {
///     Ok(store.keys(&SystemScope::patron()).await?.into_iter().next())
/// }
/// ```
#[async_trait]
pub trait InstallationKeys: Send + Sync {
    /// All keys, the newest first.
    async fn keys(&self, scope: &SystemScope) -> Result<Vec<InstallationKey>, StoreError>;

    /// Adds a key. If there is a current one with its purpose, that is retired if the key `replaces` it; else nothing
    /// MUST change, and this returns `false`. Of concurrent calls that do not replace, one MUST succeed.
    async fn put(&self, scope: &SystemScope, key: InstallationKey, replaces: bool) -> Result<bool, StoreError>;

    /// Writes a key whose secret was sealed with another key.
    async fn reseal(&self, scope: &SystemScope, key: InstallationKey) -> Result<(), StoreError>;
}
