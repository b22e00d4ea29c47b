//! Encryption of stored secrets with another key: the keys of the installation, the endpoints of an environment in one
//! transaction, its workflow versions in several.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::FutureExt;
use patron_domain::{
    lifecycle::Owner,
    privacy::{InstallationKey, InstallationKeys},
    store::StoreError,
    tenancy::SystemScope,
    webhook::{Resealed, Resealing, SecretVault},
};

use crate::persistence::{
    author::Author,
    engine::{Decision, Pace},
    error::Failure,
    onboarding::row::WorkflowRow,
    privacy::keys::vault_place,
    store::Store,
    value::{Document, Key},
    writes::Writes,
};

/// The most versions of workflows in one transaction: few enough to delay other writers only briefly.
const STEP: i64 = 100;

#[async_trait]
impl Resealing for Store {
    async fn reseal(&self, scope: &SystemScope, vault: Arc<dyn SecretVault>) -> Result<Resealed, StoreError> {
        let all = self.read(Pace::LookUp, |unit| unit.environments_known().boxed()).await?;
        let owners = self.owners_of(all).await?;
        let mut resealed = self.reseal_keys(scope, vault.as_ref()).await?;
        for (environment, owner) in owners {
            resealed += self.reseal_endpoints(environment, owner, &vault).await?;
            let mut after = Some(Key::NIL);
            while let Some(last) = after {
                let (counts, next) = self.reseal_workflows(environment, owner, last, &vault).await?;
                resealed += counts;
                after = next;
            }
        }
        Ok(resealed)
    }
}

impl Store {
    /// Encrypts the keys of the installation with another key.
    async fn reseal_keys(&self, scope: &SystemScope, vault: &dyn SecretVault) -> Result<Resealed, StoreError> {
        let mut counts = Resealed::default();
        for key in InstallationKeys::keys(self, scope).await? {
            if let Some(secret) = counts.count(vault.reseal(vault_place(key.id), &key.secret)) {
                InstallationKeys::reseal(self, scope, InstallationKey { secret, ..key }).await?;
            }
        }
        Ok(counts)
    }

    async fn reseal_endpoints(
        &self,
        environment: i32,
        owner: Owner,
        vault: &Arc<dyn SecretVault>,
    ) -> Result<Resealed, StoreError> {
        let vault = vault.clone();
        let reseal = self.write(Author::system(), environment, move |unit| {
            let vault = vault.clone();
            let reseal = async move {
                let (mut counts, mut writes) = (Resealed::default(), Writes::default());
                for row in unit.lock_all_endpoints(environment).await? {
                    let endpoint = row.endpoint(owner).map_err(Failure::Refused)?;
                    if let Some(endpoint) = counts.count(endpoint.resealed(vault.as_ref())) {
                        writes.endpoints.push(row.changed(&endpoint));
                    }
                }
                Ok::<_, Failure<StoreError>>(Decision { answer: counts, writes })
            };
            reseal.boxed()
        });
        reseal.await
    }

    /// Encrypts the secrets of some workflow versions with another key. Returns the version after which to continue.
    async fn reseal_workflows(
        &self,
        environment: i32,
        owner: Owner,
        after: Key,
        vault: &Arc<dyn SecretVault>,
    ) -> Result<(Resealed, Option<Key>), StoreError> {
        let vault = vault.clone();
        let reseal = self.write(Author::system(), environment, move |unit| {
            let vault = vault.clone();
            let reseal = async move {
                let (mut counts, mut writes) = (Resealed::default(), Writes::default());
                let rows = unit.lock_workflows_after(environment, after, STEP).await?;
                let last = rows.last().map(|row| row.id);
                for row in rows {
                    let workflow = row.workflow(owner).map_err(Failure::Refused)?;
                    if let Some(workflow) = counts.count(workflow.resealed(vault.as_ref())) {
                        writes.workflows.push(WorkflowRow { document: Document::of(&workflow), ..row });
                    }
                }
                Ok::<_, Failure<StoreError>>(Decision { answer: (counts, last), writes })
            };
            reseal.boxed()
        });
        reseal.await
    }
}
