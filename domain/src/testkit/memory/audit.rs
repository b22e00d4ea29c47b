//! The audit log in memory.

use async_trait::async_trait;

use super::{MemoryStore, State};
use crate::{
    audit::{Act, AuditEntry, AuditLog, AuditNumber, AuditQuery, CountedUses},
    lifecycle::Owner,
    store::StoreError,
    tenancy::{EnvironmentScope, SystemScope},
    time::Timestamp,
};

#[async_trait]
impl AuditLog for MemoryStore {
    async fn entries(&self, scope: &EnvironmentScope, query: AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        let mut state = self.lock();
        let entries = state.registry(scope.owner).audit.iter().rev();
        let wanted = entries.filter(|entry| query.before.is_none_or(|before| entry.number < before));
        Ok(wanted.take(query.limit.into()).cloned().collect())
    }

    async fn count_uses(&self, _scope: &SystemScope, uses: Vec<CountedUses>) -> Result<(), StoreError> {
        let mut state = self.lock();
        for uses in uses {
            let entries = &mut state.registry(uses.owner).audit;
            match entries.iter_mut().find(|entry| uses.is_counted_in(entry)) {
                Some(entry) => entry.count_more(&uses),
                None => {
                    let number = next(entries);
                    entries.push(AuditEntry::counted(number, &uses));
                }
            }
        }
        Ok(())
    }

    async fn forget_addresses(
        &self,
        _scope: &SystemScope,
        made_before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let mut state = self.lock();
        let all = state.registries.values_mut().flat_map(|registry| &mut registry.audit);
        let old = all.filter(|entry| entry.at < made_before && entry.address.is_some());
        let forgotten = old.take(usize::try_from(limit).unwrap_or(usize::MAX)).map(|entry| entry.address = None);
        Ok(u64::try_from(forgotten.count()).unwrap_or(u64::MAX))
    }
}

/// The number of the next entry.
fn next(entries: &[AuditEntry]) -> AuditNumber {
    let count = i64::try_from(entries.len()).unwrap_or(i64::MAX);
    AuditNumber::from_stored(count.saturating_add(1)).unwrap_or(AuditNumber::FIRST)
}

impl State {
    /// Records an act in a scope.
    pub(super) fn audit(&mut self, scope: &EnvironmentScope, act: impl Into<Option<Act>>, at: Timestamp) {
        let Some(act) = act.into() else { return };
        for environment_id in scope.origin.places(scope.owner.environment_id) {
            let owner = Owner { environment_id, ..scope.owner };
            let entries = &mut self.registry(owner).audit;
            let number = next(entries);
            entries.push(AuditEntry::of(number, owner, act.clone(), &scope.actor, &scope.origin, at));
        }
    }
}
