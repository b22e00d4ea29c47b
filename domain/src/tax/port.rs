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
    ids::{CustomerId, IdSequence, TaxAssociationId, TaxRateId},
    lifecycle::Status,
    page::{Page, PageRequest},
    store::StoreError,
    tenancy::{EnvironmentScope, PermissionDenied, SystemScope},
    time::Timestamp,
    violation::Violations,
};

/// Stores the tax rates and tax associations of environments.
///
/// Every method MUST be atomic, durable when it returns, and see only data in its scope.
///
/// A method with a claim MUST check the claim before it looks up anything else. If the request was done before, it MUST
/// return the stored result, marked as replayed. Otherwise it MUST write the key's record in the same transaction as
/// the work: a record of the event if there is one, else of the result. A refusal MUST leave the key as it was. Of
/// concurrent calls with one key at most one MUST do the work; the others wait and return the same result, or return
/// [`StoreError::Unavailable`].
///
/// If the origin of a scope asks for a [dry run](crate::tenancy::Origin::is_dry_run), a write MUST return what it would
/// return now, and leave nothing behind.
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
    /// Writes a new tax rate, which is the state of its first event, and that event, in one transaction.
    ///
    /// When a published rate of the scope has the same code, case-sensitive, this MUST return
    /// [`CreateTaxRateError::CodeTaken`] with the other rate's id. Of concurrent calls with one code exactly one MUST
    /// succeed.
    async fn create_rate(
        &self,
        scope: &EnvironmentScope,
        created: TaxRateEvent,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<TaxRate>, CreateTaxRateError>;

    /// A tax rate in any status by its id; `None` when the scope has none with this id.
    async fn find_rate(&self, scope: &EnvironmentScope, id: TaxRateId) -> Result<Option<TaxRate>, StoreError>;

    /// The tax rates that match a filter, in its order (ids break ties), with the exact total.
    async fn rates(
        &self,
        scope: &EnvironmentScope,
        filter: &TaxRateFilter,
        page: PageRequest,
    ) -> Result<Page<TaxRate>, StoreError>;

    /// Changes a tax rate in one transaction. The method looks up what [`TaxRateFacts`] names, calls
    /// [`ChangeTaxRate::decide`], writes the event and the rate, which is the event's state, and returns the rate. If the
    /// rate stays as it was, the method MUST NOT write an event. It MAY keep the claim's record, with the rate's latest event.
    ///
    /// The method MUST return the decision's refusal unchanged, and then leave the rate as it was. When the change
    /// would give a second published rate of the scope the same code, it MUST return [`ChangeTaxRateError::CodeTaken`]
    /// with the other rate's id. Each change of a rate MUST be decided on the state that the change before it left. If
    /// a change is forbidden for a rate in use, at most one of this change and a concurrent new use of the rate (a
    /// customer's association or a default) MUST succeed.
    async fn change_rate(
        &self,
        scope: &EnvironmentScope,
        command: ChangeTaxRate,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<TaxRate>, ChangeTaxRateError>;

    /// Writes the events of scheduled changes that have begun by a time, in any environment: [`TaxRate::begin`] for at most
    /// `limit` rates, as often as each has an event. Returns the number of rates; fewer than the limit means that none are left.
    ///
    /// Each change MUST be reported once, whatever calls run at the same time. The ids of the events MUST be those of `ids`.
    async fn begin_changes(
        &self,
        scope: &SystemScope,
        at: Timestamp,
        ids: IdSequence,
        limit: u32,
    ) -> Result<u64, StoreError>;

    /// Writes a new default of the environment: an association with [`TaxedEntity::Tenant`].
    ///
    /// When the scope has no published rate with the id, this MUST return [`CreateTaxDefaultError::UnknownRate`]. When
    /// a published default has the same rate and currency and an overlapping term, it MUST return
    /// [`CreateTaxDefaultError::AlreadyAssociated`] with that default's id: see [`CreateTaxDefaultError::check`]. Defaults with
    /// overlapping terms MUST NOT exist under any order of concurrent calls of this and [`Self::change_default`].
    async fn create_default(
        &self,
        scope: &EnvironmentScope,
        association: TaxAssociation,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<TaxAssociation>, CreateTaxDefaultError>;

    /// Changes a default of the environment in one transaction: looks it up, and the published defaults with the same rate,
    /// calls [`ChangeTaxDefault::decide`], writes the result and returns it.
    ///
    /// The method MUST return the decision's refusal unchanged, and then leave the default as it was. Each change of a
    /// default MUST be decided on the state that the change before it left.
    async fn change_default(
        &self,
        scope: &EnvironmentScope,
        command: ChangeTaxDefault,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<TaxAssociation>, ChangeTaxDefaultError>;

    /// An association in any status by its id; `None` when the scope has none with this id.
    async fn find_association(
        &self,
        scope: &EnvironmentScope,
        id: TaxAssociationId,
    ) -> Result<Option<TaxAssociation>, StoreError>;

    /// The associations that match a filter, in its order (ids break ties), with the exact total. Empty for an unknown
    /// entity.
    async fn associations(
        &self,
        scope: &EnvironmentScope,
        filter: &TaxAssociationFilter,
        page: PageRequest,
    ) -> Result<Page<TaxAssociation>, StoreError>;

    /// The facts about a customer's taxes, all as of one moment: the customer in any status, its associations including
    /// removed ones, the environment's published defaults, and their rates in any status, each in the order of their ids.
    /// `None` for a customer that the scope does not have.
    ///
    /// With a time, this MUST return the customer and the rates as of the last events that the log had at that time, and
    /// [`BasisError::Removed`] if these events were removed. [`TaxBasis::known_at`] MUST be the time of the log's last event,
    /// or the given time if that is earlier. The same time given again MUST return the same customer and the same rates, also
    /// after later changes. Defaults have no events: they are returned as they are now.
    async fn basis(
        &self,
        scope: &EnvironmentScope,
        customer_id: CustomerId,
        known_at: Option<Timestamp>,
    ) -> Result<Option<TaxBasis>, BasisError>;
}

/// Why the facts about a customer's taxes were not found.
///
/// ```
/// use patron_domain::{store::StoreError, tax::BasisError};
///
/// assert_eq!(BasisError::from(StoreError::unavailable("busy")).to_string(), "the database is not available: busy");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BasisError {
    /// The events of that time were removed.
    #[error("the events that show what was known at that time were removed; ask for a later time")]
    Removed,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a tax rate was not created.
///
/// ```
/// use patron_domain::{tax::CreateTaxRateError, testkit::an_id};
///
/// let taken = CreateTaxRateError::CodeTaken { existing: an_id(1) };
/// assert!(taken.to_string().starts_with("a tax rate with this code already exists"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CreateTaxRateError {
    /// The caller may not write. Repositories never return this.
    #[error(transparent)]
    Denied(#[from] PermissionDenied),
    /// Fields break rules. Repositories never return this.
    #[error(transparent)]
    Invalid(#[from] Violations),
    /// The idempotency key was used for a different request.
    #[error(transparent)]
    KeyReused(#[from] IdempotencyKeyReused),
    /// A published tax rate already has the code.
    #[error("a tax rate with this code already exists; choose another code, or update the existing tax rate")]
    CodeTaken {
        /// The other rate's id.
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
/// assert_eq!(refused.to_string(), "there is no such tax rate; create it first, or use another one");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CreateTaxDefaultError {
    /// The caller may not write. Repositories never return this.
    #[error(transparent)]
    Denied(#[from] PermissionDenied),
    /// Fields break rules. Repositories never return this.
    #[error(transparent)]
    Invalid(#[from] Violations),
    /// The idempotency key was used for a different request.
    #[error(transparent)]
    KeyReused(#[from] IdempotencyKeyReused),
    /// There is no such tax rate.
    #[error("there is no such tax rate; create it first, or use another one")]
    UnknownRate,
    /// The rate is already a default for this currency at the same time.
    #[error("this tax rate is already a default for this currency; update that association")]
    AlreadyAssociated {
        /// The existing association's id.
        existing: TaxAssociationId,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CreateTaxDefaultError {
    /// Decides whether an environment may get a default. `rate` is the status of its tax rate, if the scope has the rate;
    /// `others` are the published defaults with the same rate.
    ///
    /// # Errors
    /// [`Self::UnknownRate`] unless the rate is published, [`Self::AlreadyAssociated`] when one of the others has the same
    /// currency and an overlapping term.
    pub fn check(rate: Option<Status>, new: &TaxAssociation, others: &[TaxAssociation]) -> Result<(), Self> {
        match (rate, new.overlapping(others)) {
            (Some(Status::Published), None) => Ok(()),
            (Some(Status::Published), Some(existing)) => Err(Self::AlreadyAssociated { existing }),
            _ => Err(Self::UnknownRate),
        }
    }
}

from_once_error!(CreateTaxDefaultError, CreateTaxRateError);
