//! Resealing the secrets of endpoints and workflows after the operator has changed the key.

use std::sync::Arc;

use async_trait::async_trait;

use super::{EndpointSecrets, SecretVault, VaultError, WebhookEndpoint};
use crate::{
    ids::WebhookEndpointId,
    onboarding::{Workflow, WorkflowSecret},
    store::StoreError,
    tenancy::SystemScope,
};

/// The result of resealing: numbers of endpoints and workflow versions.
///
/// ```
/// use patron_domain::webhook::Resealed;
///
/// let mut all = Resealed { sealed: 2, ..Resealed::default() };
/// all += Resealed { sealed: 1, unreadable: 1, ..Resealed::default() };
/// assert_eq!((all.sealed, all.unreadable), (3, 1));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Resealed {
    /// The secrets were sealed with the current key.
    pub sealed: u64,
    /// The secrets were already sealed with the current key.
    pub kept: u64,
    /// No key opens the secrets. They stay unchanged.
    pub unreadable: u64,
}

impl std::ops::AddAssign for Resealed {
    fn add_assign(&mut self, other: Self) {
        self.sealed += other.sealed;
        self.kept += other.kept;
        self.unreadable += other.unreadable;
    }
}

impl Resealed {
    /// Counts the result for one object, and returns the new state to write, if there is one.
    pub fn count<T>(&mut self, resealed: Result<Option<T>, VaultError>) -> Option<T> {
        match &resealed {
            Ok(Some(_)) => self.sealed += 1,
            Ok(None) => self.kept += 1,
            Err(_) => self.unreadable += 1,
        }
        resealed.ok().flatten()
    }
}

/// A store that can reseal its secrets.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{tenancy::SystemScope, testkit::MemoryStore, webhook::{MockSecretVault, Resealed, Resealing}};
///
/// # futures::executor::block_on(async {
/// let (store, vault) = (MemoryStore::default(), Arc::new(MockSecretVault::plain()));
/// assert_eq!(store.reseal(&SystemScope::patron(), vault).await, Ok(Resealed::default()));
/// # });
/// ```
#[async_trait]
pub trait Resealing: Send + Sync {
    /// Reseals the secrets of all endpoints and all workflow versions with [`SecretVault::reseal`], in transactions of
    /// limited size. Nothing else MUST change. Secrets that cannot be opened MUST stay unchanged and be counted. Other
    /// processes MAY change endpoints and workflows at the same time, and none of their changes MUST be lost.
    async fn reseal(&self, scope: &SystemScope, vault: Arc<dyn SecretVault>) -> Result<Resealed, StoreError>;
}

impl WebhookEndpoint {
    /// The endpoint with resealed secrets; `None` when they are already sealed with the current key.
    ///
    /// # Errors
    /// [`VaultError`] when one of them cannot be opened or sealed.
    pub fn resealed(&self, vault: &dyn SecretVault) -> Result<Option<Self>, VaultError> {
        let current = vault.reseal(self.id, &self.secrets.current)?;
        let previous = self.secrets.previous.as_ref().map(|(sealed, until)| (sealed, *until));
        let previous = match previous {
            Some((sealed, until)) => vault.reseal(self.id, sealed)?.map(|sealed| (sealed, until)),
            None => None,
        };
        if current.is_none() && previous.is_none() {
            return Ok(None);
        }
        let secrets = EndpointSecrets {
            current: current.unwrap_or_else(|| self.secrets.current.clone()),
            previous: previous.or_else(|| self.secrets.previous.clone()),
        };
        Ok(Some(Self { secrets, ..self.clone() }))
    }
}

impl Workflow {
    /// The version with a resealed secret; `None` when it is already sealed with the current key.
    ///
    /// # Errors
    /// [`VaultError`] when it cannot be opened or sealed.
    pub fn resealed(&self, vault: &dyn SecretVault) -> Result<Option<Self>, VaultError> {
        let id: WebhookEndpointId = self.secret.id;
        let sealed = vault.reseal(id, &self.secret.sealed)?;
        Ok(sealed.map(|sealed| Self { secret: WorkflowSecret { id, sealed }, ..self.clone() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        testkit::{a_time, a_webhook_endpoint, a_workflow},
        webhook::{SealedSecret, WebhookSecret},
    };

    /// Seals with the prefix `new:`, and opens only secrets with the prefix `old:`.
    struct Prefix;

    impl SecretVault for Prefix {
        fn seal(&self, _: WebhookEndpointId, secret: &WebhookSecret) -> Result<SealedSecret, VaultError> {
            Ok(SealedSecret::from_sealed(format!("new:{}", secret.expose())))
        }

        fn open(&self, _: WebhookEndpointId, sealed: &SealedSecret) -> Result<WebhookSecret, VaultError> {
            let text = sealed.as_sealed().strip_prefix("old:").ok_or(VaultError::Sealed)?;
            WebhookSecret::parse(text).map_err(|_| VaultError::Sealed)
        }

        fn reseal(&self, id: WebhookEndpointId, sealed: &SealedSecret) -> Result<Option<SealedSecret>, VaultError> {
            if sealed.as_sealed().starts_with("new:") {
                return Ok(None);
            }
            self.seal(id, &self.open(id, sealed)?).map(Some)
        }
    }

    fn sealed(prefix: &str) -> SealedSecret {
        SealedSecret::from_sealed(format!("{prefix}:{}", WebhookSecret::from_random([5; 32]).expose()))
    }

    #[test]
    fn only_secrets_sealed_with_an_older_key_are_resealed() {
        let endpoint = |current, previous: Option<&str>| {
            let previous = previous.map(|prefix| (sealed(prefix), a_time()));
            WebhookEndpoint { secrets: EndpointSecrets { current: sealed(current), previous }, ..a_webhook_endpoint() }
        };
        for (current, previous, changes) in [
            ("new", None, Ok(false)),
            ("new", Some("new"), Ok(false)),
            ("old", None, Ok(true)),
            ("new", Some("old"), Ok(true)),
            ("old", Some("old"), Ok(true)),
            ("lost", None, Err(VaultError::Sealed)),
            ("old", Some("lost"), Err(VaultError::Sealed)),
        ] {
            let resealed = endpoint(current, previous).resealed(&Prefix);
            assert_eq!(resealed.as_ref().map(Option::is_some).map_err(Clone::clone), changes, "{current} {previous:?}");
            if let Ok(Some(resealed)) = resealed {
                assert_eq!(resealed, endpoint("new", previous.map(|_| "new")));
            }
        }
        let workflow = |prefix| {
            let mut workflow = a_workflow();
            workflow.secret.sealed = sealed(prefix);
            workflow
        };
        assert_eq!(workflow("old").resealed(&Prefix), Ok(Some(workflow("new"))));
        assert_eq!(workflow("new").resealed(&Prefix), Ok(None));
    }
}
