//! Sealing the secrets of endpoints and workflows anew, after the operator has changed the key.

use std::sync::Arc;

use async_trait::async_trait;

use super::{EndpointSecrets, SecretVault, VaultError, WebhookEndpoint};
use crate::{
    ids::WebhookEndpointId,
    onboarding::{Workflow, WorkflowSecret},
    store::StoreError,
    tenancy::SystemScope,
};

/// What came of sealing secrets anew: how many endpoints and versions of workflows.
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
    /// Whose secrets were sealed anew.
    pub sealed: u64,
    /// Whose secrets were sealed with the current key already.
    pub kept: u64,
    /// Whose secrets no key opens. They stay as they are.
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
    /// Counts what came of one thing, and passes on what is to be written.
    pub fn count<T>(&mut self, resealed: Result<Option<T>, VaultError>) -> Option<T> {
        match &resealed {
            Ok(Some(_)) => self.sealed += 1,
            Ok(None) => self.kept += 1,
            Err(_) => self.unreadable += 1,
        }
        resealed.ok().flatten()
    }
}

/// A store that can seal its secrets anew.
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
    /// Seals the secrets of all endpoints and of all versions of workflows anew, as [`SecretVault::reseal`] says, in bounded
    /// transactions. Nothing else MUST change. What cannot be opened MUST stay as it is, and is counted. Other processes
    /// MAY change endpoints and workflows meanwhile, and none of their changes MUST be lost.
    async fn reseal(&self, scope: &SystemScope, vault: Arc<dyn SecretVault>) -> Result<Resealed, StoreError>;
}

impl WebhookEndpoint {
    /// The endpoint with its secrets sealed anew; `None` when they are sealed with the current key already.
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
    /// The version with its secret sealed anew; `None` when it is sealed with the current key already.
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

    /// Seals with `new:`; what begins with `old:` opens too, and `lost` does not.
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
    fn only_what_an_older_key_sealed_is_sealed_anew() {
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
