//! The port for custom fields with faults.

use async_trait::async_trait;

use super::Faulty;
use crate::{
    custom_field::{
        ChangeCustomField, CustomFieldDefinition, CustomFieldDeletion, CustomFieldError, CustomFieldKey,
        CustomFieldRepository, DeleteCustomField, PurgeCustomField,
    },
    idempotency::{CallersClaim, Done},
    store::StoreError,
    tenancy::{EnvironmentScope, Quota},
};

#[async_trait]
impl<P: CustomFieldRepository + ?Sized> CustomFieldRepository for Faulty<P> {
    async fn create_custom_field(
        &self,
        scope: &EnvironmentScope,
        definition: CustomFieldDefinition,
        quota: Quota,
        claim: Option<CallersClaim>,
    ) -> Result<Done<CustomFieldDefinition>, CustomFieldError> {
        self.call(self.port.create_custom_field(scope, definition, quota, claim)).await
    }

    async fn custom_fields(&self, scope: &EnvironmentScope) -> Result<Vec<CustomFieldDefinition>, StoreError> {
        self.call(self.port.custom_fields(scope)).await
    }

    async fn custom_field(
        &self,
        scope: &EnvironmentScope,
        key: CustomFieldKey,
    ) -> Result<Option<CustomFieldDefinition>, StoreError> {
        self.call(self.port.custom_field(scope, key)).await
    }

    async fn change_custom_field(
        &self,
        scope: &EnvironmentScope,
        change: ChangeCustomField,
        claim: Option<CallersClaim>,
    ) -> Result<Done<CustomFieldDefinition>, CustomFieldError> {
        self.call(self.port.change_custom_field(scope, change, claim)).await
    }

    async fn delete_custom_field(
        &self,
        scope: &EnvironmentScope,
        delete: DeleteCustomField,
        claim: Option<CallersClaim>,
    ) -> Result<Done<CustomFieldDeletion>, CustomFieldError> {
        self.call(self.port.delete_custom_field(scope, delete, claim)).await
    }

    async fn purge_custom_field(&self, scope: &EnvironmentScope, purge: PurgeCustomField) -> Result<u64, StoreError> {
        self.call(self.port.purge_custom_field(scope, purge)).await
    }
}
