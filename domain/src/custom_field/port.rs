//! The port that stores definitions of custom fields.

use async_trait::async_trait;

use super::{
    ChangeCustomField, CustomFieldDefinition, CustomFieldDeletion, CustomFieldError, CustomFieldKey, DeleteCustomField,
    PurgeCustomField,
};
use crate::{
    idempotency::{CallersClaim, Done},
    store::StoreError,
    tenancy::{EnvironmentScope, Quota},
};

/// Stores the definitions of custom fields. Every method MUST be atomic, durable when it returns, and see only data in its
/// scope.
///
/// Methods with a claim MUST write its record together with the work, and nothing when they refuse. If the claim already has a
/// record, they MUST do nothing and return the stored result, whatever has changed since. A record of a different request MUST be
/// refused.
///
/// [`CustomerRepository::change`](crate::customer::CustomerRepository::change) reads the definitions as
/// [`CustomFieldFacts`](super::CustomFieldFacts). Changes that need them [locked](super::CustomFieldsNeeded::Locked) and the
/// methods here that write MUST exclude each other.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{custom_field::*, tenancy::Quota, testkit::*};
///
/// # futures::executor::block_on(async {
/// let fields: Arc<dyn CustomFieldRepository> = Arc::new(MemoryStore::default());
/// let seats = a_custom_field("seats", CustomFieldType::Integer);
/// fields.create_custom_field(&a_scope(), seats.clone(), Quota::UNLIMITED, None).await.unwrap();
/// assert_eq!(fields.custom_fields(&a_scope()).await, Ok(vec![seats]));
/// # });
/// ```
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait CustomFieldRepository: Send + Sync {
    /// Writes a new definition of the scope's environment, whatever owner the value has.
    ///
    /// If the environment has a definition with this key, this MUST return [`CustomFieldError::KeyTaken`], also to all but one of
    /// concurrent calls. It MUST return the error of [`check_custom_fields`](super::check_custom_fields) for the number of
    /// definitions. Concurrent calls MAY exceed the maximum together.
    async fn create_custom_field(
        &self,
        scope: &EnvironmentScope,
        definition: CustomFieldDefinition,
        quota: Quota,
        claim: Option<CallersClaim>,
    ) -> Result<Done<CustomFieldDefinition>, CustomFieldError>;

    /// All definitions of the scope's environment, in the order of their keys.
    async fn custom_fields(&self, scope: &EnvironmentScope) -> Result<Vec<CustomFieldDefinition>, StoreError>;

    /// The definition with a key; `None` when there is none.
    async fn custom_field(
        &self,
        scope: &EnvironmentScope,
        key: CustomFieldKey,
    ) -> Result<Option<CustomFieldDefinition>, StoreError>;

    /// Changes a definition: calls [`ChangeCustomField::decide`] with the locked definition, writes the result unless it is the
    /// same, and returns it. If there is none with this key, this MUST return [`CustomFieldError::Unknown`].
    ///
    /// If the field has become unique and several published customers have the same value, this MUST return
    /// [`CustomFieldError::Clash`] with the first of these customers, and write nothing. Once the field is unique, no two published
    /// customers may get the same value, whatever runs at the same time.
    async fn change_custom_field(
        &self,
        scope: &EnvironmentScope,
        change: ChangeCustomField,
        claim: Option<CallersClaim>,
    ) -> Result<Done<CustomFieldDefinition>, CustomFieldError>;

    /// Deletes a definition, or marks it as [purging](CustomFieldDefinition::purging), as [`DeleteCustomField::decide`] decides.
    /// The claim's record is written only with the deletion. If there is none with this key, this MUST return
    /// [`CustomFieldError::Unknown`]. A deleted field MUST have no values, whatever runs at the same time.
    async fn delete_custom_field(
        &self,
        scope: &EnvironmentScope,
        delete: DeleteCustomField,
        claim: Option<CallersClaim>,
    ) -> Result<Done<CustomFieldDeletion>, CustomFieldError>;

    /// Removes the values of a field that is being deleted from at most so many customers, published or not, each with an event:
    /// it decides [`PurgeCustomField::commands`] for them. Returns their number; 0 MUST mean that no customer has a value. It MUST
    /// do nothing for a field that is not [purging](CustomFieldDefinition::purging).
    async fn purge_custom_field(&self, scope: &EnvironmentScope, purge: PurgeCustomField) -> Result<u64, StoreError>;
}
