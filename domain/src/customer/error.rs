//! Errors of changing a customer.

use super::CustomerAggregate;
use crate::{
    idempotency::IdempotencyKeyReused,
    ids::{CustomerId, TaxAssociationId},
    lifecycle::Version,
    store::StoreError,
    tax::TaxRateCode,
    tenancy::{PermissionDenied, QuotaReached},
    violation::{Rule, Violations},
};

/// Why a customer was not created or changed. If several apply, the one listed first is returned.
///
/// ```
/// use patron_domain::{customer::ChangeCustomerError, testkit::an_id};
///
/// let taken = ChangeCustomerError::ExternalIdTaken { existing: an_id(1) };
/// assert!(taken.to_string().starts_with("a customer with this external_id already exists"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeCustomerError {
    /// The caller may not write. Repositories never return this.
    #[error(transparent)]
    Denied(#[from] PermissionDenied),
    /// The environment has as many customers as its quota allows.
    #[error(transparent)]
    Quota(#[from] QuotaReached),
    /// Fields break rules that depend on stored facts, such as a tax rate that is not active.
    #[error(transparent)]
    Invalid(Violations),
    /// The customer's state does not allow the change.
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
    /// Codes without a published tax rate: each with its position in the request's list.
    #[error("no tax rate has one of the given tax_rate_code values; create the tax rate first, or correct the code")]
    UnknownTaxRates(Vec<(usize, TaxRateCode)>),
    /// Another published customer already has the external id.
    #[error(
        "a customer with this external_id already exists; use another external_id, or update the existing customer"
    )]
    ExternalIdTaken {
        /// The other customer's id.
        existing: CustomerId,
    },
    /// The customer already has an association with this rate and currency.
    #[error("the customer already has an association with this tax rate and currency; update that association")]
    AlreadyAssociated {
        /// The existing association's id.
        existing: TaxAssociationId,
    },
    /// The idempotency key was used for a different request.
    #[error(transparent)]
    KeyReused(#[from] IdempotencyKeyReused),
    /// The customer is not at the version that the client expects.
    #[error("the customer has been changed since; read it again, then repeat the change with its current version")]
    VersionConflict {
        /// The current version; `None` when the customer does not exist.
        current: Option<Version>,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An operation that the customer's state does not allow.
///
/// ```
/// use patron_domain::customer::InvalidOperation;
///
/// assert_eq!(InvalidOperation::Archived.to_string(), "the customer is archived; restore it before changing it");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidOperation {
    /// An archived customer cannot be changed.
    #[error("the customer is archived; restore it before changing it")]
    Archived,
    /// Only an archived customer can be restored.
    #[error("the customer is not archived, so there is nothing to restore")]
    NotArchived,
    /// It would have more links than [`CustomerAggregate::MAX_LINKS`](super::CustomerAggregate::MAX_LINKS).
    #[error("a customer has at most {max} links to other systems; delink one that is not needed", max = CustomerAggregate::MAX_LINKS)]
    TooManyLinks,
    /// It would have more tax associations than
    /// [`CustomerAggregate::MAX_ASSOCIATIONS`](super::CustomerAggregate::MAX_ASSOCIATIONS).
    #[error("a customer has at most {max} tax associations; remove one that is not needed", max = CustomerAggregate::MAX_ASSOCIATIONS)]
    TooManyAssociations,
    /// It would be larger than [`CustomerAggregate::MAX_BYTES`](super::CustomerAggregate::MAX_BYTES).
    #[error(
        "a customer with all that belongs to it is at most {max} bytes as JSON; send less metadata with its links and taxes",
        max = CustomerAggregate::MAX_BYTES
    )]
    TooLarge,
}

/// The request names an onboarding workflow that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no onboarding workflow has this onboarding_workflow_name; create the workflow first, or correct the name")]
pub(crate) struct UnknownWorkflow;

impl Rule for UnknownWorkflow {
    fn rule(&self) -> &'static str {
        "known_workflow"
    }
}

/// The request names an inactive tax rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the tax rate with this tax_rate_code is INACTIVE; activate it, or use another tax rate")]
pub(crate) struct InactiveTaxRate;

impl Rule for InactiveTaxRate {
    fn rule(&self) -> &'static str {
        "active_tax_rate"
    }
}
