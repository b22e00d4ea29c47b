//! The port for tax rates and associations in memory.

use async_trait::async_trait;

use super::{MemoryStore, id_taken, newest_first};
use crate::{
    ids::TaxRateId,
    lifecycle::Status,
    store::{Page, PageRequest, StoreError},
    tax::{CreateTaxDefaultError, CreateTaxRateError, TaxAssociation, TaxRate, TaxRepository, TaxedEntity},
    tenancy::EnvironmentScope,
};

#[async_trait]
impl TaxRepository for MemoryStore {
    async fn create_rate(&self, scope: &EnvironmentScope, rate: TaxRate) -> Result<(), CreateTaxRateError> {
        let mut state = self.lock();
        let rates = &mut state.registry(scope.owner).rates;
        let holder = |other: &&TaxRate| other.status == Status::Published && other.code == rate.code;
        if let Some(holder) = rates.values().find(holder) {
            return Err(CreateTaxRateError::CodeTaken { existing: holder.id });
        }
        if rates.contains_key(&rate.id) {
            return Err(id_taken("tax rate").into());
        }
        rates.insert(rate.id, TaxRate { owner: scope.owner, ..rate });
        Ok(())
    }

    async fn find_rate(&self, scope: &EnvironmentScope, id: TaxRateId) -> Result<Option<TaxRate>, StoreError> {
        Ok(self.lock().registry(scope.owner).rates.get(&id).cloned())
    }

    async fn create_default(
        &self,
        scope: &EnvironmentScope,
        association: TaxAssociation,
    ) -> Result<(), CreateTaxDefaultError> {
        let mut state = self.lock();
        let registry = state.registry(scope.owner);
        let association = TaxAssociation { owner: scope.owner, entity: TaxedEntity::Tenant, ..association };
        let rate = registry.rates.get(&association.tax_rate_id);
        if rate.is_none_or(|rate| rate.status != Status::Published) {
            return Err(CreateTaxDefaultError::UnknownRate);
        }
        let same = |other: &TaxAssociation| {
            (other.status, other.entity) == (Status::Published, association.entity)
                && (other.tax_rate_id, other.currency) == (association.tax_rate_id, association.currency)
        };
        if registry.associations.values().any(same) {
            return Err(CreateTaxDefaultError::AlreadyAssociated);
        }
        if registry.associations.contains_key(&association.id) {
            return Err(id_taken("tax association").into());
        }
        registry.associations.insert(association.id, association);
        Ok(())
    }

    async fn associations(
        &self,
        scope: &EnvironmentScope,
        entity: TaxedEntity,
        request: PageRequest,
    ) -> Result<Page<TaxAssociation>, StoreError> {
        let mut state = self.lock();
        let all = state.registry(scope.owner).associations.values();
        let published = all.filter(|one| one.status == Status::Published && one.entity == entity);
        Ok(newest_first(published, |one| (one.audit.created_at, one.id), request))
    }
}
