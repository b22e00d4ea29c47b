//! Errors of changing a customer.

use super::ItemError;
use crate::{
    custom_field::CustomFieldKey,
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
    /// The customer has no item with this id in one of its lists.
    #[error("the customer has no item with this id in its {list}")]
    UnknownItem {
        /// The name of the list.
        list: &'static str,
    },
    /// The customer has no such published association.
    #[error("there is no such tax association")]
    UnknownAssociation,
    /// Codes that no published tax rate has, each with its path.
    #[error("a tax_rate_code names no tax rate; create the tax rate first, or correct the code")]
    UnknownTaxRates(Vec<(String, TaxRateCode)>),
    /// A published customer has the external id already.
    #[error(
        "a customer with this external_id already exists; use another external_id, or update the existing customer"
    )]
    ExternalIdTaken {
        /// The other customer's id.
        existing: CustomerId,
    },
    /// Another published customer has this value in a custom field whose values are unique.
    #[error("another customer has this value in a custom field whose values are unique; use another value")]
    CustomFieldTaken {
        /// The field.
        key: CustomFieldKey,
        /// The other customer's id.
        existing: CustomerId,
    },
    /// The external id belonged to a customer that is suppressed or erased.
    #[error(
        "this external_id belonged to a customer whose erasure was requested; confirm that this is another customer, or \
         use another external_id"
    )]
    ErasedSubject,
    /// The customer has no legal hold.
    #[error("this customer has no legal hold")]
    NotHeld,
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

impl From<ItemError> for ChangeCustomerError {
    fn from(error: ItemError) -> Self {
        match error {
            ItemError::Invalid(violations) => Self::Invalid(violations),
            ItemError::Unknown { list } => Self::UnknownItem { list },
        }
    }
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
    /// An archived customer cannot be changed.
    #[error("the customer is archived; restore it before changing it")]
    Archived,
    /// Only an archived customer can be restored.
    #[error("the customer is not archived, so there is nothing to restore")]
    NotArchived,
    /// A list would be too long.
    #[error("a customer has at most {max} {what}; remove some before adding others")]
    TooMany {
        /// The list.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// The customer would be too large.
    #[error("a customer has at most {max} bytes with everything that belongs to it", max = super::Limits::BYTES)]
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

crate::idempotency::from_once_error!(ChangeCustomerError);
