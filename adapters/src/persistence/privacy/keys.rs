//! The keys of the installation.

use async_trait::async_trait;
use futures_util::FutureExt;
use patron_domain::{
    ids::{InstallationKeyId, WebhookEndpointId},
    privacy::{InstallationKey, InstallationKeys, KeyPurpose},
    store::StoreError,
    tenancy::SystemScope,
    time::Timestamp,
    webhook::SealedSecret,
};

use super::row::InstallationKeyRow;
use crate::persistence::{
    author::Author,
    engine::{Decision, Pace},
    error::Failure,
    party::Party,
    store::Store,
    value::corrupt,
    writes::Writes,
};

/// The place of a key's secret for the vault, which seals secrets of endpoints: the id of the key takes the place of an
/// endpoint's, so a secret cannot be opened in another row.
pub(crate) fn vault_place(id: InstallationKeyId) -> WebhookEndpointId {
    WebhookEndpointId::from_uuid(id.uuid())
}

/// The stored number of a purpose. It never changes its meaning.
fn code(purpose: KeyPurpose) -> i16 {
    match purpose {
        KeyPurpose::Subjects => 1,
        KeyPurpose::Receipts => 2,
    }
}

impl InstallationKeyRow {
    fn new(key: &InstallationKey) -> Self {
        Self {
            id: key.id.into(),
            kind: code(key.purpose),
            public_key: key.public_key.clone(),
            secret: key.secret.as_sealed().to_owned(),
            created_at: key.created_at.micros(),
            retired_at: key.retired_at.map(Timestamp::micros),
        }
    }

    fn key(self) -> Result<InstallationKey, StoreError> {
        let broken = |column| corrupt("installation_keys", column, self.kind);
        let time = |column, at| Timestamp::from_micros(at).map_err(|_| broken(column));
        let purpose = [KeyPurpose::Subjects, KeyPurpose::Receipts].into_iter().find(|one| code(*one) == self.kind);
        Ok(InstallationKey {
            id: self.id.id(),
            purpose: purpose.ok_or_else(|| broken("kind"))?,
            created_at: time("created_at", self.created_at)?,
            retired_at: self.retired_at.map(|at| time("retired_at", at)).transpose()?,
            public_key: self.public_key,
            secret: SealedSecret::from_sealed(self.secret),
        })
    }
}

#[async_trait]
impl InstallationKeys for Store {
    async fn keys(&self, _scope: &SystemScope) -> Result<Vec<InstallationKey>, StoreError> {
        let rows = self.read(Pace::LookUp, |unit| unit.installation_keys().boxed()).await?;
        rows.into_iter().map(InstallationKeyRow::key).collect()
    }

    async fn put(&self, _scope: &SystemScope, key: InstallationKey, replaces: bool) -> Result<bool, StoreError> {
        let work = self.write(Author::system(), Party::System, move |unit| {
            let key = key.clone();
            let work = async move {
                let mut writes = Writes::default();
                let current = unit.installation_keys().await?.into_iter();
                let current = current.filter(|row| row.kind == code(key.purpose) && row.retired_at.is_none());
                let current: Vec<_> = current.collect();
                if !current.is_empty() && !replaces {
                    return Ok(Decision::nothing(false));
                }
                let retired_at = Some(key.created_at.micros());
                let retire = |row| InstallationKeyRow { retired_at, ..row };
                writes.installation_keys.extend(current.into_iter().map(retire));
                writes.new_installation_keys.push(InstallationKeyRow::new(&key));
                Ok::<_, Failure<StoreError>>(Decision { answer: true, writes })
            };
            work.boxed()
        });
        work.await
    }

    async fn reseal(&self, _scope: &SystemScope, key: InstallationKey) -> Result<(), StoreError> {
        let work = self.write(Author::system(), Party::System, move |_| {
            let writes = Writes { installation_keys: vec![InstallationKeyRow::new(&key)], ..Writes::default() };
            async move { Ok::<_, Failure<StoreError>>(Decision { answer: (), writes }) }.boxed()
        });
        work.await
    }
}
