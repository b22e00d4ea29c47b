//! Verifying the log of an environment in its store.

use super::{ChainEnds, ChainFault, ChainHead, ChainVerifier, EventChain, Verified};
use crate::{lifecycle::Owner, store::StoreError, tenancy::SystemScope};

/// How many events are read at once.
const PAGE: u16 = 200;

/// Why a log was not verified.
///
/// ```
/// use patron_domain::{event::chain::VerifyError, store::StoreError};
///
/// let error = VerifyError::from(StoreError::unavailable("it restarts"));
/// assert_eq!(error.to_string(), "the database is not available: it restarts");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The log was changed.
    #[error(transparent)]
    Fault(#[from] ChainFault),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Verifies the log of an environment, also while it grows and old events are removed. With a head that was kept
/// elsewhere, it finds a log that was cut or whose hashes were computed again.
///
/// ```
/// use patron_domain::{event::chain::verify_log, testkit::{MemoryStore, an_owner}};
///
/// # futures::executor::block_on(async {
/// let verified = verify_log(&MemoryStore::default(), an_owner(), None).await.unwrap();
/// assert_eq!(verified.events, 0);
/// # });
/// ```
///
/// # Errors
/// The first fault, or if the store fails.
pub async fn verify_log(
    chain: &dyn EventChain,
    owner: Owner,
    kept: Option<ChainHead>,
) -> Result<Verified, VerifyError> {
    let scope = &SystemScope::patron();
    loop {
        let ChainEnds { anchor, .. } = chain.ends(scope, owner).await?;
        match verify_from(chain, owner, anchor, kept).await {
            // The retention job may have removed events that were about to be read.
            Err(VerifyError::Fault(ChainFault::Removed { .. })) if chain.ends(scope, owner).await?.anchor != anchor => {
            }
            done => return done,
        }
    }
}

async fn verify_from(
    chain: &dyn EventChain,
    owner: Owner,
    anchor: ChainHead,
    kept: Option<ChainHead>,
) -> Result<Verified, VerifyError> {
    let scope = &SystemScope::patron();
    let mut verifier = ChainVerifier::new(anchor, kept)?;
    loop {
        let page = chain.sealed(scope, owner, verifier.position(), PAGE).await?;
        if let Err(fault) = page.iter().try_for_each(|event| verifier.next(event)) {
            let ChainEnds { head, .. } = chain.ends(scope, owner).await?;
            return Err(VerifyError::Fault(match fault {
                // The store has not written it.
                ChainFault::Changed { position, .. } if position > head.position => ChainFault::Inserted { position },
                fault => fault,
            }));
        }
        if !page.is_empty() {
            continue;
        }
        let ChainEnds { head, .. } = chain.ends(scope, owner).await?;
        // Events that were written since the page was read are visible, because the head was written with them.
        let is_end = head.position <= verifier.position()
            || chain.sealed(scope, owner, verifier.position(), 1).await?.is_empty();
        if is_end {
            return Ok(verifier.end(Some(head))?);
        }
    }
}
