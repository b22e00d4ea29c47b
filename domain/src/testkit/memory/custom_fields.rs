//! The port for custom fields in memory.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use super::{MemoryStore, Registry};
use crate::{
    audit::Act,
    custom_field::{
        ChangeCustomField, CustomFieldDefinition, CustomFieldDeletion, CustomFieldError, CustomFieldFacts,
        CustomFieldKey, CustomFieldRepository, CustomFieldsNeeded, DeleteCustomField, MAX_NAMED_CLASHES,
        PurgeCustomField, UniqueValue, check_custom_fields,
    },
    customer::{ChangeCustomer, ChangeCustomerError, CustomerAggregate},
    idempotency::{CallersClaim, Done},
    ids::CustomerId,
    store::StoreError,
    tenancy::{EnvironmentScope, Quota},
};

#[async_trait]
impl CustomFieldRepository for MemoryStore {
    async fn create_custom_field(
        &self,
        scope: &EnvironmentScope,
        definition: CustomFieldDefinition,
        quota: Quota,
        claim: Option<CallersClaim>,
    ) -> Result<Done<CustomFieldDefinition>, CustomFieldError> {
        let mut state = self.write(scope);
        if let Some(made) = state.answered_before(claim.as_ref())? {
            return Ok(Done::before(made));
        }
        let fields = &mut state.registry(scope.owner).custom_fields;
        if let Some(known) = fields.get(&definition.key) {
            return Err(CustomFieldError::KeyTaken { existing: known.id });
        }
        check_custom_fields(fields.len() as u64, quota)?;
        let definition = CustomFieldDefinition { owner: scope.owner, ..definition };
        fields.insert(definition.key, definition.clone());
        state.audit(scope, Act::custom_field_created(&definition), definition.audit.created_at);
        state.keep(claim.as_ref(), &definition, definition.audit.created_at);
        Ok(Done::now(definition))
    }

    async fn custom_fields(&self, scope: &EnvironmentScope) -> Result<Vec<CustomFieldDefinition>, StoreError> {
        Ok(self.lock().registry(scope.owner).custom_fields.values().cloned().collect())
    }

    async fn custom_field(
        &self,
        scope: &EnvironmentScope,
        key: CustomFieldKey,
    ) -> Result<Option<CustomFieldDefinition>, StoreError> {
        Ok(self.lock().registry(scope.owner).custom_fields.get(&key).cloned())
    }

    async fn change_custom_field(
        &self,
        scope: &EnvironmentScope,
        change: ChangeCustomField,
        claim: Option<CallersClaim>,
    ) -> Result<Done<CustomFieldDefinition>, CustomFieldError> {
        let mut state = self.write(scope);
        if let Some(changed) = state.answered_before(claim.as_ref())? {
            return Ok(Done::before(changed));
        }
        let registry = state.registry(scope.owner);
        let before = registry.custom_fields.get(&change.key).cloned().ok_or(CustomFieldError::Unknown)?;
        let at = change.at;
        let definition = change.decide(scope, &before)?;
        let customers = registry.clashes(&definition);
        if definition.unique && !before.unique && !customers.is_empty() {
            return Err(CustomFieldError::Clash { customers });
        }
        registry.custom_fields.insert(definition.key, definition.clone());
        state.audit(scope, Act::custom_field_changed(&before, &definition), at);
        state.keep(claim.as_ref(), &definition, at);
        Ok(Done::now(definition))
    }

    async fn delete_custom_field(
        &self,
        scope: &EnvironmentScope,
        delete: DeleteCustomField,
        claim: Option<CallersClaim>,
    ) -> Result<Done<CustomFieldDeletion>, CustomFieldError> {
        let mut state = self.write(scope);
        if let Some(()) = state.answered_before(claim.as_ref())? {
            return Ok(Done::before(CustomFieldDeletion::Now));
        }
        let registry = state.registry(scope.owner);
        let in_use = !registry.customers_with(delete.key, 1).is_empty();
        let definition = registry.custom_fields.get_mut(&delete.key).ok_or(CustomFieldError::Unknown)?;
        let deletion = delete.decide(definition, in_use)?;
        if deletion == CustomFieldDeletion::AfterPurge {
            definition.purging = true;
            return Ok(Done::now(deletion));
        }
        let id = definition.id;
        registry.custom_fields.remove(&delete.key);
        state.audit(scope, Act::custom_field_deleted(id), delete.at);
        state.keep(claim.as_ref(), &(), delete.at);
        Ok(Done::now(deletion))
    }

    async fn purge_custom_field(&self, scope: &EnvironmentScope, purge: PurgeCustomField) -> Result<u64, StoreError> {
        let mut state = self.write(scope);
        let registry = state.registry(scope.owner);
        if !registry.custom_fields.get(&purge.key).is_some_and(|definition| definition.purging) {
            return Ok(0);
        }
        let customers = registry.customers_with(purge.key, purge.limit);
        let count = customers.len() as u64;
        for command in purge.commands(customers) {
            registry.change(scope, command).map_err(failed)?;
        }
        Ok(count)
    }
}

/// Removing a value is never refused.
fn failed(refusal: ChangeCustomerError) -> StoreError {
    match refusal {
        ChangeCustomerError::Store(error) => error,
        other => StoreError::Failed { reason: other.to_string() },
    }
}

impl Registry {
    /// The first customers with a value.
    fn customers_with(&self, key: CustomFieldKey, limit: u16) -> Vec<CustomerId> {
        let with = self.customers.values().filter(|one| one.customer.profile.custom_fields.get(key).is_some());
        with.map(|one| one.customer.id).take(limit.into()).collect()
    }

    /// Some published customers whose value another one has too.
    fn clashes(&self, definition: &CustomFieldDefinition) -> Vec<CustomerId> {
        let definitions = std::slice::from_ref(definition);
        let mut holders: BTreeMap<UniqueValue, BTreeSet<CustomerId>> = BTreeMap::new();
        for one in self.customers.values() {
            for value in UniqueValue::all_of(one, definitions) {
                holders.entry(value).or_default().insert(one.customer.id);
            }
        }
        let clashing: BTreeSet<_> = holders.into_values().filter(|holders| holders.len() > 1).flatten().collect();
        clashing.into_iter().take(MAX_NAMED_CLASHES.into()).collect()
    }

    pub(super) fn custom_field_facts(
        &self,
        command: &ChangeCustomer,
        current: Option<&CustomerAggregate>,
    ) -> CustomFieldFacts {
        if command.custom_fields_needed() == CustomFieldsNeeded::None {
            return CustomFieldFacts::default();
        }
        let definitions: Vec<_> = self.custom_fields.values().cloned().collect();
        let wanted = command.wanted_unique_values(current, &definitions);
        let mut holders = BTreeMap::new();
        for one in self.customers.values().filter(|_| !wanted.is_empty()) {
            let values = UniqueValue::all_of(one, &definitions);
            let taken = wanted.iter().filter(|value| values.contains(value)).cloned();
            holders.extend(taken.map(|value| (value, one.customer.id)));
        }
        CustomFieldFacts::new(definitions).with_holders(holders)
    }
}
