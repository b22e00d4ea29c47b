//! The port for tax rates and tax associations.

use async_trait::async_trait;

use super::{TaxAssociation, TaxRate, TaxedEntity};
use crate::{
    ids::TaxRateId,
    store::{Page, PageRequest, StoreError},
    tenancy::{EnvironmentScope, PermissionDenied},
    violation::Violations,
};

/// Keeps the tax rates and tax associations of environments.
///
/// Every method MUST be atomic, durable when it answers, and blind to everything outside its scope.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait TaxRepository: Send + Sync {
    /// Writes a new tax rate.
    ///
    /// MUST answer [`CreateTaxRateError::CodeTaken`] with the other rate's id when a published rate of the scope has
    /// the code, compared with its case; of concurrent calls with one code exactly one MUST succeed.
    async fn create_rate(&self, scope: &EnvironmentScope, rate: TaxRate) -> Result<(), CreateTaxRateError>;

    /// A tax rate of any status by its id; `None` when the scope has none with it.
    async fn find_rate(&self, scope: &EnvironmentScope, id: TaxRateId) -> Result<Option<TaxRate>, StoreError>;

    /// Writes a new default of the environment: an association with [`TaxedEntity::Tenant`].
    ///
    /// MUST answer [`CreateTaxDefaultError::UnknownRate`] when the scope has no published rate with the id, and
    /// [`CreateTaxDefaultError::AlreadyAssociated`] when a published default has the same rate and currency.
    async fn create_default(
        &self,
        scope: &EnvironmentScope,
        association: TaxAssociation,
    ) -> Result<(), CreateTaxDefaultError>;

    /// The published associations of an entity, the newest first, ids breaking ties. Empty for an unknown entity.
    async fn associations(
        &self,
        scope: &EnvironmentScope,
        entity: TaxedEntity,
        page: PageRequest,
    ) -> Result<Page<TaxAssociation>, StoreError>;
}

/// Why a tax rate was not created.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CreateTaxRateError {
    /// The caller may not write. Never answered by a repository.
    #[error(transparent)]
    Denied(#[from] PermissionDenied),
    /// Fields break rules. Never answered by a repository.
    #[error(transparent)]
    Invalid(#[from] Violations),
    /// A published tax rate has the code already.
    #[error("a tax rate with this code exists already; choose another code, or change the existing tax rate")]
    CodeTaken {
        /// That rate's id.
        existing: TaxRateId,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an environment's default was not created.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CreateTaxDefaultError {
    /// There is no such tax rate.
    #[error("there is no tax rate with this id")]
    UnknownRate,
    /// The rate is a default for this currency already.
    #[error("this tax rate is a default for this currency already")]
    AlreadyAssociated,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
