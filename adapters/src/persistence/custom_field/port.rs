//! The port for custom fields.

use async_trait::async_trait;
use futures_util::FutureExt;
use patron_domain::{
    audit::Act,
    custom_field::{
        ChangeCustomField, CustomFieldDefinition, CustomFieldDeletion, CustomFieldError, CustomFieldKey,
        CustomFieldRepository, DeleteCustomField, MAX_NAMED_CLASHES, PurgeCustomField, check_custom_fields,
    },
    customer::ChangeCustomerError,
    idempotency::{CallersClaim, Done},
    ids::CustomerId,
    store::StoreError,
    tenancy::{EnvironmentScope, Quota},
};

use super::{FieldRange, row::CustomFieldRow, uniqueness::UniquenessRow};
use crate::persistence::{
    audit::Auditing,
    author::Author,
    customer::change::{self, Job},
    engine::{Decision, Pace},
    error::{Failure, refused},
    idempotency::{self, Before, Once},
    store::Store,
    writes::Writes,
};

#[async_trait]
impl CustomFieldRepository for Store {
    async fn create_custom_field(
        &self,
        scope: &EnvironmentScope,
        definition: CustomFieldDefinition,
        quota: Quota,
        claim: Option<CallersClaim>,
    ) -> Result<Done<CustomFieldDefinition>, CustomFieldError> {
        let definition = CustomFieldDefinition { owner: scope.owner, ..definition };
        let environment = self.environment_to_write(&scope.origin, scope.owner).await?;
        let (once, auditing) = (Once::of(self, claim).await?, Auditing::of(self, scope).await?);
        let create = self.write(Author::from(scope), environment, move |unit| {
            let (definition, once, auditing) = (definition.clone(), once.clone(), auditing.clone());
            let create = async move {
                let known = unit.custom_field(environment, definition.key.as_str()).await?;
                let count = unit.count_custom_fields(environment).await?;
                let keeping = match idempotency::before(unit, once.as_ref()).await? {
                    Before::Done(made) => return Ok(Decision::nothing(Done::before(made))),
                    Before::Free(keeping) => keeping,
                };
                if let Some(known) = known {
                    let existing = known.definition(definition.owner).map_err(refused)?.id;
                    return Err(Failure::Refused(CustomFieldError::KeyTaken { existing }));
                }
                check_custom_fields(u64::try_from(count).unwrap_or_default(), quota).map_err(Failure::Refused)?;
                let mut writes = Writes { marked: Some(environment), ..Writes::default() };
                writes.new_custom_fields.push(CustomFieldRow::new(environment, &definition));
                let at = definition.audit.created_at;
                auditing.note(&mut writes, Act::custom_field_created(&definition), at);
                keeping.answer(&mut writes, &definition, at);
                Ok(Decision { answer: Done::now(definition), writes })
            };
            create.boxed()
        });
        create.await
    }

    async fn custom_fields(&self, scope: &EnvironmentScope) -> Result<Vec<CustomFieldDefinition>, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(Vec::new()) };
        let rows = self.read(Pace::LookUp, move |unit| unit.custom_fields_of(environment).boxed()).await?;
        rows.iter().map(|row| row.definition(scope.owner)).collect()
    }

    async fn custom_field(
        &self,
        scope: &EnvironmentScope,
        key: CustomFieldKey,
    ) -> Result<Option<CustomFieldDefinition>, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(None) };
        let read = self
            .read(Pace::LookUp, move |unit| async move { unit.custom_field(environment, key.as_str()).await }.boxed());
        read.await?.map(|row| row.definition(scope.owner)).transpose()
    }

    async fn change_custom_field(
        &self,
        scope: &EnvironmentScope,
        change: ChangeCustomField,
        claim: Option<CallersClaim>,
    ) -> Result<Done<CustomFieldDefinition>, CustomFieldError> {
        let environment = self.environment(scope.owner).await?.ok_or(CustomFieldError::Unknown)?;
        let (once, auditing) = (Once::of(self, claim).await?, Auditing::of(self, scope).await?);
        let scope = scope.clone();
        let work = self.write(Author::from(&scope), environment, move |unit| {
            let (scope, change, once, auditing) = (scope.clone(), change.clone(), once.clone(), auditing.clone());
            let work = async move {
                let (at, range) = (change.at, FieldRange::of(change.key));
                // Under this lock no customer gets, loses or publishes a value.
                let row = unit.lock_custom_field(environment, change.key.as_str()).await?;
                let keeping = match idempotency::before(unit, once.as_ref()).await? {
                    Before::Done(changed) => return Ok(Decision::nothing(Done::before(changed))),
                    Before::Free(keeping) => keeping,
                };
                let row = row.ok_or(Failure::Refused(CustomFieldError::Unknown))?;
                let before = row.definition(scope.owner).map_err(refused)?;
                let definition = change.decide(&scope, &before).map_err(Failure::Refused)?;
                let mut writes = Writes { marked: Some(environment), ..Writes::default() };
                if definition.unique && !before.unique {
                    let clashing = unit.clashing_customers(environment, &range, MAX_NAMED_CLASHES.into()).await?;
                    if !clashing.is_empty() {
                        let customers = clashing.into_iter().map(|customer| customer.id()).collect();
                        return Err(Failure::Refused(CustomFieldError::Clash { customers }));
                    }
                }
                if definition.unique != before.unique {
                    writes.uniqueness.push(UniquenessRow { environment, range, unique: definition.unique });
                }
                auditing.note(&mut writes, Act::custom_field_changed(&before, &definition), at);
                if definition != before {
                    writes.custom_fields.push(CustomFieldRow::new(environment, &definition));
                }
                keeping.answer(&mut writes, &definition, at);
                Ok(Decision { answer: Done::now(definition), writes })
            };
            work.boxed()
        });
        work.await
    }

    async fn delete_custom_field(
        &self,
        scope: &EnvironmentScope,
        delete: DeleteCustomField,
        claim: Option<CallersClaim>,
    ) -> Result<Done<CustomFieldDeletion>, CustomFieldError> {
        let environment = self.environment(scope.owner).await?.ok_or(CustomFieldError::Unknown)?;
        let (once, auditing) = (Once::of(self, claim).await?, Auditing::of(self, scope).await?);
        let owner = scope.owner;
        let work = self.write(Author::from(scope), environment, move |unit| {
            let (delete, once, auditing) = (delete.clone(), once.clone(), auditing.clone());
            let work = async move {
                let row = unit.lock_custom_field(environment, delete.key.as_str()).await?;
                let keeping = match idempotency::before::<(), CustomFieldError>(unit, once.as_ref()).await? {
                    Before::Done(()) => return Ok(Decision::nothing(Done::before(CustomFieldDeletion::Now))),
                    Before::Free(keeping) => keeping,
                };
                let row = row.ok_or(Failure::Refused(CustomFieldError::Unknown))?;
                let definition = row.definition(owner).map_err(refused)?;
                let range = FieldRange::of(delete.key);
                let in_use = !unit.customers_with_field(environment, &range, 1).await?.is_empty();
                let deletion = delete.decide(&definition, in_use).map_err(Failure::Refused)?;
                let mut writes = Writes { marked: Some(environment), ..Writes::default() };
                match deletion {
                    CustomFieldDeletion::AfterPurge if definition.purging => {}
                    CustomFieldDeletion::AfterPurge => {
                        let purging = CustomFieldDefinition { purging: true, ..definition };
                        writes.custom_fields.push(CustomFieldRow::new(environment, &purging));
                    }
                    CustomFieldDeletion::Now => {
                        auditing.note(&mut writes, Act::custom_field_deleted(definition.id), delete.at);
                        writes.custom_fields_gone.push(row);
                        keeping.answer(&mut writes, &(), delete.at);
                    }
                }
                Ok(Decision { answer: Done::now(deletion), writes })
            };
            work.boxed()
        });
        work.await
    }

    async fn purge_custom_field(&self, scope: &EnvironmentScope, purge: PurgeCustomField) -> Result<u64, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(0) };
        let scope = scope.clone();
        let work = self.write(Author::from(&scope), environment, move |unit| {
            let (scope, purge) = (scope.clone(), purge.clone());
            let work = async move {
                let row = unit.custom_field(environment, purge.key.as_str()).await?;
                let definition = row.map(|row| row.definition(scope.owner)).transpose().map_err(Failure::Refused)?;
                if !definition.is_some_and(|definition| definition.purging) {
                    return Ok(Decision::nothing(0));
                }
                let range = FieldRange::of(purge.key);
                let mut customers = unit.customers_with_field(environment, &range, purge.limit.into()).await?;
                customers.sort_unstable();
                customers.dedup();
                let customers: Vec<CustomerId> = customers.into_iter().map(|customer| customer.id()).collect();
                let count = customers.len() as u64;
                let job = |command| Job::new(&scope, environment, command, None);
                let jobs: Vec<_> = purge.commands(customers).into_iter().map(job).collect();
                let (answers, writes) = change::decide(unit, &jobs).await?;
                // Removing a value is never refused.
                answers
                    .into_iter()
                    .try_for_each(|answer| answer.map(drop).map_err(failed))
                    .map_err(Failure::Refused)?;
                Ok(Decision { answer: count, writes })
            };
            work.boxed()
        });
        work.await
    }
}

fn failed(refusal: ChangeCustomerError) -> StoreError {
    match refusal {
        ChangeCustomerError::Store(error) => error,
        other => StoreError::Failed { reason: other.to_string() },
    }
}
