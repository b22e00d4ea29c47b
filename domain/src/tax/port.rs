//! The port for tax rates and tax associations.

use async_trait::async_trait;

use super::{
    ChangeTaxDefault, ChangeTaxDefaultError, ChangeTaxRate, ChangeTaxRateError, TaxAssociation, TaxAssociationFilter,
    TaxBasis, TaxRate, TaxRateFilter,
};
#[cfg(doc)]
use super::{TaxRateFacts, TaxedEntity};
use crate::{
    event::TaxRateEvent,
    idempotency::{Done, IdempotencyClaim, IdempotencyKeyReused, from_once_error},
    ids::{CustomerId, TaxAssociationId, TaxRateId},
    page::{Page, PageRequest},
    store::StoreError,
    tenancy::{EnvironmentScope, PermissionDenied},
    violation::Violations,
};

/// Keeps the tax rates and tax associations of environments.
///
/// Every method MUST be atomic, durable when it answers, and blind to everything outside its scope.
///
/// A method that takes a claim MUST ask it before it looks at anything else, and answer a request that was done before as
/// it was then, marked so; otherwise it MUST make the record of the key in the transaction of the work: of an event where
/// there is one, else of what it answers. A refusal MUST leave the key as it was. Of concurrent calls with one key at most
/// one MUST do the work; the others wait for it and answer the same, or answer [`StoreError::Unavailable`].
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{event::TaxRateEvent, tax::TaxRepository, testkit::{MemoryStore, a_scope, a_tax_rate, an_id}};
///
/// # futures::executor::block_on(async {
/// let taxes: Arc<dyn TaxRepository> = Arc::new(MemoryStore::default());
/// let created = TaxRateEvent::created(an_id(1), None, a_tax_rate("VAT"));
/// taxes.create_rate(&a_scope(), created.clone(), None).await.unwrap();
/// assert!(taxes.create_rate(&a_scope(), created, None).await.is_err());
/// # });
/// ```
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait TaxRepository: Send + Sync {
    /// Writes a new tax rate, the state of its first event, with that event, in one transaction.
    ///
    /// MUST answer [`CreateTaxRateError::CodeTaken`] with the other rate's id when a published rate of the scope has
    /// the code, compared with its case; of concurrent calls with one code exactly one MUST succeed.
    async fn create_rate(
        &self,
        scope: &EnvironmentScope,
        created: TaxRateEvent,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<TaxRate>, CreateTaxRateError>;

    /// A tax rate of any status by its id; `None` when the scope has none with it.
    async fn find_rate(&self, scope: &EnvironmentScope, id: TaxRateId) -> Result<Option<TaxRate>, StoreError>;

    /// The tax rates that a filter names, in its order, ids breaking ties, with the exact total.
    async fn rates(
        &self,
        scope: &EnvironmentScope,
        filter: &TaxRateFilter,
        page: PageRequest,
    ) -> Result<Page<TaxRate>, StoreError>;

    /// Changes a tax rate in one transaction: looks up what [`TaxRateFacts`] names, asks [`ChangeTaxRate::decide`], writes
    /// the event it answers and the rate that is its state, and answers the rate.
    ///
    /// MUST answer the decision's refusal as it is, and MUST then have left the rate as it was. MUST answer
    /// [`ChangeTaxRateError::CodeTaken`] with the other rate's id when the change would give a second published rate of
    /// the scope a code. MUST decide each change of one rate on what the one before it left. Of a change that a use forbids
    /// and a concurrent use of the rate (a customer's association, or a default) at most one MUST succeed.
    async fn change_rate(
        &self,
        scope: &EnvironmentScope,
        command: ChangeTaxRate,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<TaxRate>, ChangeTaxRateError>;

    /// Writes a new default of the environment: an association with [`TaxedEntity::Tenant`].
    ///
    /// MUST answer [`CreateTaxDefaultError::UnknownRate`] when the scope has no published rate with the id, and
    /// [`CreateTaxDefaultError::AlreadyAssociated`] with the other one's id when a published default has the same rate and
    /// currency.
    async fn create_default(
        &self,
        scope: &EnvironmentScope,
        association: TaxAssociation,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<TaxAssociation>, CreateTaxDefaultError>;

    /// Changes a default of the environment in one transaction: looks it up, asks [`ChangeTaxDefault::decide`], writes what
    /// it answers, and answers it.
    ///
    /// MUST answer the decision's refusal as it is, and MUST then have left the default as it was. MUST decide each change
    /// of one default on what the one before it left.
    async fn change_default(
        &self,
        scope: &EnvironmentScope,
        command: ChangeTaxDefault,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<TaxAssociation>, ChangeTaxDefaultError>;

    /// An association of any status by its id; `None` when the scope has none with it.
    async fn find_association(
        &self,
        scope: &EnvironmentScope,
        id: TaxAssociationId,
    ) -> Result<Option<TaxAssociation>, StoreError>;

    /// The associations that a filter names, in its order, ids breaking ties, with the exact total. Empty for an unknown
    /// entity.
    async fn associations(
        &self,
        scope: &EnvironmentScope,
        filter: &TaxAssociationFilter,
        page: PageRequest,
    ) -> Result<Page<TaxAssociation>, StoreError>;

    /// All that says which taxes apply to a customer, as of one moment: its published associations, the environment's
    /// published defaults, and the rates of any status that they name, each in the order of their ids. A customer that the
    /// scope does not have has no associations.
    async fn basis(&self, scope: &EnvironmentScope, customer_id: CustomerId) -> Result<TaxBasis, StoreError>;
}

/// Why a tax rate was not created.
///
/// ```
/// use patron_domain::{tax::CreateTaxRateError, testkit::an_id};
///
/// let taken = CreateTaxRateError::CodeTaken { existing: an_id(1) };
/// assert!(taken.to_string().starts_with("a tax rate with this code exists already"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CreateTaxRateError {
    /// The caller may not write. Never answered by a repository.
    #[error(transparent)]
    Denied(#[from] PermissionDenied),
    /// Fields break rules. Never answered by a repository.
    #[error(transparent)]
    Invalid(#[from] Violations),
    /// The idempotency key stands for another request.
    #[error(transparent)]
    KeyReused(#[from] IdempotencyKeyReused),
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
///
/// ```
/// use patron_domain::tax::CreateTaxDefaultError;
///
/// let refused = CreateTaxDefaultError::UnknownRate;
/// assert_eq!(refused.to_string(), "there is no such tax rate; create it first, or name another");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CreateTaxDefaultError {
    /// The caller may not write. Never answered by a repository.
    #[error(transparent)]
    Denied(#[from] PermissionDenied),
    /// Fields break rules. Never answered by a repository.
    #[error(transparent)]
    Invalid(#[from] Violations),
    /// The idempotency key stands for another request.
    #[error(transparent)]
    KeyReused(#[from] IdempotencyKeyReused),
    /// There is no such tax rate.
    #[error("there is no such tax rate; create it first, or name another")]
    UnknownRate,
    /// The rate is a default for this currency already.
    #[error("this tax rate is a default for this currency already; change that association")]
    AlreadyAssociated {
        /// That association's id.
        existing: TaxAssociationId,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

from_once_error!(CreateTaxDefaultError, CreateTaxRateError);
