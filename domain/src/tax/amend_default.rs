//! Decisions about an existing default of an environment.

use super::{TaxAssociation, TaxAssociationUpdate, TaxedEntity};
use crate::{
    idempotency::{IdempotencyKeyReused, from_once_error},
    ids::TaxAssociationId,
    lifecycle::{Precondition, Status, VersionConflict},
    store::StoreError,
    tenancy::{EnvironmentScope, PermissionDenied},
    time::Timestamp,
    violation::Violations,
};

/// A requested change of an environment's default.
///
/// ```
/// use patron_domain::{
///     lifecycle::{Precondition, Status},
///     tax::{ChangeTaxDefault, TaxDefaultAmendment},
///     testkit::{a_scope, a_tax_default, a_tax_rate, a_time, an_id},
/// };
///
/// let remove = ChangeTaxDefault { id: an_id(1), amendment: TaxDefaultAmendment::Remove, at: a_time(), only_if: Precondition::None };
/// let default = a_tax_default(&a_tax_rate("VAT"));
/// assert_eq!(remove.decide(&a_scope(), Some(&default), &[]).unwrap().status, Status::Deleted);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaxDefaultAmendment {
    /// Change its terms.
    Update(TaxAssociationUpdate),
    /// Remove it: new customers no longer inherit it.
    Remove,
}

/// The command for one change of an environment's default.
///
/// ```
/// use patron_domain::{
///     lifecycle::Precondition,
///     tax::{ChangeTaxDefault, TaxAssociationUpdate, TaxDefaultAmendment},
///     testkit::{a_scope, a_tax_default, a_tax_rate, a_time, an_id},
/// };
///
/// let amendment = TaxDefaultAmendment::Update(TaxAssociationUpdate { auto_apply: Some(false), ..Default::default() });
/// let change = ChangeTaxDefault { id: an_id(1), amendment, at: a_time(), only_if: Precondition::None };
/// let changed = change.decide(&a_scope(), Some(&a_tax_default(&a_tax_rate("VAT"))), &[]).unwrap();
/// assert!(!changed.auto_apply);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeTaxDefault {
    /// The default.
    pub id: TaxAssociationId,
    /// The requested change.
    pub amendment: TaxDefaultAmendment,
    /// The time of the change.
    pub at: Timestamp,
    /// The version that the default must have: see [`Audit::version`](crate::lifecycle::Audit::version).
    pub only_if: Precondition,
}

/// Why an environment's default was not changed.
///
/// ```
/// use patron_domain::{
///     lifecycle::Precondition,
///     tax::{ChangeTaxDefault, ChangeTaxDefaultError, TaxDefaultAmendment},
///     testkit::{a_scope, a_time, an_id},
/// };
///
/// let remove = ChangeTaxDefault { id: an_id(1), amendment: TaxDefaultAmendment::Remove, at: a_time(), only_if: Precondition::None };
/// assert!(remove.decide(&a_scope(), None, &[]).is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeTaxDefaultError {
    /// The caller may not write. Repositories never return this.
    #[error(transparent)]
    Denied(#[from] PermissionDenied),
    /// The idempotency key was used for a different request.
    #[error(transparent)]
    KeyReused(#[from] IdempotencyKeyReused),
    /// The default does not exist, or is already removed and was to be removed.
    #[error("there is no such tax association")]
    Unknown,
    /// Its term would end before it starts.
    #[error(transparent)]
    Invalid(#[from] Violations),
    /// Another default with the same rate and currency applies at the same time.
    #[error(
        "this tax rate is already a default for this currency at that time; choose another term, or update that association"
    )]
    AlreadyAssociated {
        /// The other association's id.
        existing: TaxAssociationId,
    },
    /// A removed default cannot be changed.
    #[error("the tax association was deleted and cannot be changed; create a new one")]
    Archived,
    /// It is not at the version that the client expects.
    #[error(transparent)]
    VersionConflict(#[from] VersionConflict),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ChangeTaxDefault {
    /// Decides the change of the default in its current state, which the caller has locked; `None` when there is none.
    /// `others` are the published defaults with the same rate, which cannot change in the meantime either. Pure.
    ///
    /// # Errors
    /// [`ChangeTaxDefaultError`]. If several apply, the variant that is listed first. A customer's association counts
    /// as unknown: it changes with its customer.
    pub fn decide(
        self,
        scope: &EnvironmentScope,
        current: Option<&TaxAssociation>,
        others: &[TaxAssociation],
    ) -> Result<TaxAssociation, ChangeTaxDefaultError> {
        let current = current.filter(|association| association.entity == TaxedEntity::Tenant);
        let before = current.ok_or(ChangeTaxDefaultError::Unknown)?;
        let mut default = before.clone();
        let published = default.status == Status::Published;
        match self.amendment {
            TaxDefaultAmendment::Remove if !published => return Err(ChangeTaxDefaultError::Unknown),
            TaxDefaultAmendment::Update(_) if !published => return Err(ChangeTaxDefaultError::Archived),
            TaxDefaultAmendment::Remove => default.status = Status::Deleted,
            TaxDefaultAmendment::Update(update) => {
                update.apply(&mut default)?;
                if let Some(existing) = default.overlapping(others) {
                    return Err(ChangeTaxDefaultError::AlreadyAssociated { existing });
                }
            }
        }
        self.only_if.check(Some(before.audit.version()))?;
        if default != *before {
            default.audit.advance(self.at, &scope.actor);
        }
        Ok(default)
    }
}

from_once_error!(ChangeTaxDefaultError);
