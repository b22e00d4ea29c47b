//! The operations on definitions of custom fields, with permission checks.

use std::{sync::Arc, time::Duration};

use super::{
    ChangeCustomField, CustomFieldDefinition, CustomFieldDeletion, CustomFieldError, CustomFieldKey,
    CustomFieldRepository, CustomFieldUpdate, DeleteCustomField, NewCustomField, PurgeCustomField,
};
use crate::{
    clock::Clock,
    idempotency::{CallersClaim, Done, IdempotentRequest},
    ids::IdGenerator,
    lifecycle::{Audit, Precondition},
    page::{Page, PageRequest},
    tenancy::{Caller, EnvironmentScope, Permission, Quotas},
    time::Timestamp,
};

/// Operations on the definitions of custom fields, for callers with permissions. Only a `super_admin` can read or change them.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{custom_field::*, testkit::*};
///
/// let service = CustomFieldService {
///     fields: Arc::new(MemoryStore::default()),
///     clock: Arc::new(FixedClock::default()),
///     ids: Arc::new(CountingIds::default()),
///     idempotency_ttl: patron_domain::customer::DEFAULT_IDEMPOTENCY_TTL,
///     quotas: patron_domain::tenancy::Quotas::default(),
/// };
/// let new = || NewCustomField::new(CustomFieldKey::new("seats").unwrap(), CustomFieldType::Integer);
/// # futures::executor::block_on(async {
/// assert_eq!(service.create(&a_caller(), new(), None).await.unwrap().value.key.as_str(), "seats");
/// assert!(matches!(service.create(&a_caller(), new(), None).await, Err(CustomFieldError::KeyTaken { .. })));
/// assert!(matches!(service.create(&a_reader(), new(), None).await, Err(CustomFieldError::Denied(_))));
/// # });
/// ```
#[derive(Clone)]
pub struct CustomFieldService {
    /// The store.
    pub fields: Arc<dyn CustomFieldRepository>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of new ids.
    pub ids: Arc<dyn IdGenerator>,
    /// How long a request that is repeated with its key gets the same response.
    pub idempotency_ttl: Duration,
    /// The quotas of every environment.
    pub quotas: Quotas,
}

impl CustomFieldService {
    /// The number of customers whose values one transaction removes.
    const AT_ONCE: u16 = 100;

    /// Defines a custom field.
    ///
    /// # Errors
    /// When the caller is not a `super_admin`, a rule is broken, the key is taken, there are too many fields, or the store fails.
    pub async fn create(
        &self,
        caller: &Caller,
        new: NewCustomField,
        request: Option<IdempotentRequest>,
    ) -> Result<Done<CustomFieldDefinition>, CustomFieldError> {
        let scope = caller.authorise(Permission::Administer)?;
        let now = self.clock.now();
        let definition =
            new.define(scope.origin.ids(&*self.ids, now).next_id(), scope.owner, Audit::created(now, &scope.actor))?;
        let claim = self.claim(scope, request, now);
        self.fields.create_custom_field(scope, definition, self.quotas.custom_fields, claim).await
    }

    /// The custom fields of the caller's environment, in the order of their keys.
    ///
    /// # Errors
    /// When the caller is not a `super_admin` or the store fails.
    pub async fn list(
        &self,
        caller: &Caller,
        page: PageRequest,
    ) -> Result<Page<CustomFieldDefinition>, CustomFieldError> {
        let scope = caller.authorise(Permission::Administer)?;
        Ok(Page::cut(self.fields.custom_fields(scope).await?, page))
    }

    /// One custom field.
    ///
    /// # Errors
    /// When the caller is not a `super_admin`, there is none with this key, or the store fails.
    pub async fn find(&self, caller: &Caller, key: CustomFieldKey) -> Result<CustomFieldDefinition, CustomFieldError> {
        let scope = caller.authorise(Permission::Administer)?;
        self.fields.custom_field(scope, key).await?.ok_or(CustomFieldError::Unknown)
    }

    /// The keys among these that the caller's environment does not define, for filters and sorting.
    ///
    /// # Errors
    /// When the caller may not read or the store fails.
    pub async fn unknown(
        &self,
        caller: &Caller,
        mut keys: Vec<CustomFieldKey>,
    ) -> Result<Vec<CustomFieldKey>, CustomFieldError> {
        let scope = caller.authorise(Permission::Read)?;
        if !keys.is_empty() {
            let known = self.fields.custom_fields(scope).await?;
            keys.retain(|key| known.iter().all(|definition| definition.key != *key));
        }
        Ok(keys)
    }

    /// Changes a custom field, and returns its state after the change.
    ///
    /// # Errors
    /// When the caller is not a `super_admin`, there is none with this key, a rule is broken, or the store fails.
    pub async fn update(
        &self,
        caller: &Caller,
        key: CustomFieldKey,
        update: CustomFieldUpdate,
        only_if: Precondition,
        request: Option<IdempotentRequest>,
    ) -> Result<Done<CustomFieldDefinition>, CustomFieldError> {
        let scope = caller.authorise(Permission::Administer)?;
        let at = self.clock.now();
        let claim = self.claim(scope, request, at);
        self.fields.change_custom_field(scope, ChangeCustomField { key, update, at, only_if }, claim).await
    }

    /// Deletes a custom field. With `purge` its values are removed from the customers first, some in each transaction and each
    /// with an event. If a call is interrupted, the same call continues its work.
    ///
    /// # Errors
    /// When the caller is not a `super_admin`, there is none with this key, customers have values and `purge` is not set, or the store
    /// fails.
    pub async fn delete(
        &self,
        caller: &Caller,
        key: CustomFieldKey,
        purge: bool,
        only_if: Precondition,
        request: Option<IdempotentRequest>,
    ) -> Result<Done<()>, CustomFieldError> {
        let scope = caller.authorise(Permission::Administer)?;
        let at = self.clock.now();
        let claim = self.claim(scope, request, at);
        loop {
            let delete = DeleteCustomField { key, purge, at, only_if: only_if.clone() };
            let done = self.fields.delete_custom_field(scope, delete, claim.clone()).await?;
            // A dry run purges nothing, so this loop would not end.
            if done.value == CustomFieldDeletion::Now || scope.origin.is_dry_run() {
                return Ok(Done { value: (), replayed: done.replayed });
            }
            while self.purge_some(caller, scope, key).await? > 0 {}
        }
    }

    async fn purge_some(
        &self,
        caller: &Caller,
        scope: &EnvironmentScope,
        key: CustomFieldKey,
    ) -> Result<u64, CustomFieldError> {
        let at = self.clock.now();
        let (ids, request_id) = (scope.origin.ids(&*self.ids, at), caller.request_id().cloned());
        let purge = PurgeCustomField { key, at, ids, request_id, limit: Self::AT_ONCE };
        Ok(self.fields.purge_custom_field(scope, purge).await?)
    }

    fn claim(
        &self,
        scope: &EnvironmentScope,
        request: Option<IdempotentRequest>,
        now: Timestamp,
    ) -> Option<CallersClaim> {
        CallersClaim::within(scope, request.map(|request| request.claim(now, self.idempotency_ttl)))
    }
}
