//! Why a change of a customer was refused.

use crate::{
    idempotency::IdempotencyKeyReused,
    ids::{CustomerId, TaxAssociationId},
    lifecycle::Version,
    store::StoreError,
    tax::TaxRateCode,
    tenancy::PermissionDenied,
    violation::{Rule, Violations},
};

/// Why a customer was not created or changed. In the order in which they are told when several apply.
///
/// ```
/// use patron_domain::{customer::ChangeCustomerError, testkit::an_id};
///
/// let taken = ChangeCustomerError::ExternalIdTaken { existing: an_id(1) };
/// assert!(taken.to_string().starts_with("a customer with this external_id exists already"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeCustomerError {
    /// The caller may not write. Never answered by a repository.
    #[error(transparent)]
    Denied(#[from] PermissionDenied),
    /// Fields break rules that only the stored facts show, such as a tax rate that is not active.
    #[error(transparent)]
    Invalid(Violations),
    /// The customer's state forbids it.
    #[error(transparent)]
    Forbidden(#[from] InvalidOperation),
    /// There is no such customer.
    #[error("there is no such customer")]
    UnknownCustomer,
    /// The customer has no published mapping to this system.
    #[error("the customer is not linked to this provider_type (and provider_entity_id, if one was given)")]
    UnknownMapping,
    /// The customer has no such published association.
    #[error("there is no such tax association")]
    UnknownAssociation,
    /// Codes that no published tax rate has: the places in the request's list, and the codes.
    #[error("some tax_rate_code names no tax rate; create the tax rate first, or correct the code")]
    UnknownTaxRates(Vec<(usize, TaxRateCode)>),
    /// A published customer has the external id already.
    #[error(
        "a customer with this external_id exists already; use another external_id, or change the existing customer"
    )]
    ExternalIdTaken {
        /// That customer's id.
        existing: CustomerId,
    },
    /// The rate is associated with the customer for this currency already.
    #[error("this tax rate is associated with the customer for this currency already; change that association")]
    AlreadyAssociated {
        /// That association's id.
        existing: TaxAssociationId,
    },
    /// The client's key stands for another request.
    #[error(transparent)]
    KeyReused(#[from] IdempotencyKeyReused),
    /// The customer is at another version than the client expects.
    #[error("the customer has changed since; read it again, and repeat the change on its current version")]
    VersionConflict {
        /// Its version; `None` when there is no customer at all.
        current: Option<Version>,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What the state of a customer forbids.
///
/// ```
/// use patron_domain::customer::InvalidOperation;
///
/// assert_eq!(InvalidOperation::Archived.to_string(), "the customer is archived; restore it before changing it");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidOperation {
    /// An archived customer is not changed.
    #[error("the customer is archived; restore it before changing it")]
    Archived,
    /// Only an archived customer can be restored.
    #[error("the customer is not archived, so there is nothing to restore")]
    NotArchived,
}

/// An onboarding workflow is named that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("onboarding_workflow_name names no onboarding workflow; make the workflow first, or correct the name")]
pub(crate) struct UnknownWorkflow;

impl Rule for UnknownWorkflow {
    fn rule(&self) -> &'static str {
        "known_workflow"
    }
}

/// A tax rate is named that is switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("tax_rate_code names a tax rate that is INACTIVE; activate the tax rate, or name another")]
pub(crate) struct InactiveTaxRate;

impl Rule for InactiveTaxRate {
    fn rule(&self) -> &'static str {
        "active_tax_rate"
    }
}
