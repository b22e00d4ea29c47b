//! Idempotency records in memory.

use async_trait::async_trait;

use super::{MemoryStore, Registry, State};
use crate::{
    event::EventRecord,
    idempotency::{
        Answer, CallersClaim, IdempotencyClaim, IdempotencyKey, IdempotencyKeyReused, IdempotencyRecord,
        IdempotencyRecords, OnceError, Outcome,
    },
    lifecycle::Owner,
    store::StoreError,
    tenancy::EnvironmentScope,
    time::Timestamp,
};

#[async_trait]
impl IdempotencyRecords for MemoryStore {
    async fn find(
        &self,
        scope: &EnvironmentScope,
        key: &IdempotencyKey,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        Ok(self.lock().registry(scope.owner).idempotency.get(key).cloned())
    }
}

impl Registry {
    /// The event of an earlier request with the same key.
    pub(super) fn event_before(
        &self,
        claim: Option<&IdempotencyClaim>,
    ) -> Result<Option<&EventRecord>, IdempotencyKeyReused> {
        let Some(claim) = claim else { return Ok(None) };
        let id = claim.settle(self.idempotency.get(&claim.key))?;
        Ok(id.and_then(|id| self.log.iter().find(|event| event.id == id)))
    }

    /// The stored result of an earlier request with the same key.
    pub(super) fn kept_before<T: Answer>(
        &self,
        owner: Owner,
        claim: Option<&IdempotencyClaim>,
    ) -> Result<Option<T>, OnceError> {
        let Some(claim) = claim else { return Ok(None) };
        claim.settle_kept(owner, self.idempotency.get(&claim.key))
    }

    /// Records the outcome of a request.
    pub(super) fn keep(&mut self, claim: Option<&IdempotencyClaim>, outcome: Outcome, at: Timestamp) {
        self.idempotency.extend(claim.map(|claim| (claim.key.clone(), claim.record(outcome, at))));
    }
}

impl State {
    /// The stored result of an earlier request with the same key of the caller.
    pub(super) fn answered_before<T: Answer>(&mut self, claim: Option<&CallersClaim>) -> Result<Option<T>, OnceError> {
        let Some(CallersClaim { owner, claim }) = claim else { return Ok(None) };
        self.registry(*owner).kept_before(*owner, Some(claim))
    }

    /// Records the outcome of a request with the caller's key.
    pub(super) fn keep(&mut self, claim: Option<&CallersClaim>, answer: &impl Answer, at: Timestamp) {
        if let Some(CallersClaim { owner, claim }) = claim {
            self.registry(*owner).keep(Some(claim), Outcome::kept(answer), at);
        }
    }
}
