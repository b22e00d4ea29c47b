//! The types of events.

use crate::words::words;

/// The type of an event, with its word on the wire and in stores.
///
/// ```
/// use patron_domain::event::EventType;
///
/// assert_eq!(EventType::parse("customer.created"), Ok(EventType::CustomerCreated));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each has the name of its word; its meaning is documented with its kind")]
#[non_exhaustive]
pub enum EventType {
    CustomerCreated,
    CustomerUpdated,
    CustomerDeleted,
    CustomerRestored,
    CustomerIntegrationLinked,
    CustomerIntegrationUnlinked,
    CustomerTaxAssociated,
    CustomerTaxAssociationUpdated,
    CustomerTaxDissociated,
    CustomerOnboardingCompleted,
    CustomerOnboardingFailed,
    CustomerSuppressed,
    CustomerUnsuppressed,
    CustomerErased,
    CustomerLegalHoldPlaced,
    CustomerLegalHoldRemoved,
    TaxRateCreated,
    TaxRateUpdated,
    TaxRateDeleted,
    TaxRateValueChanged,
    ImportCompleted,
    ImportFailed,
    ImportCancelled,
}

words!(
    EventType,
    "customer.created, customer.updated, customer.deleted, customer.restored, customer.integration_linked, \
     customer.integration_unlinked, customer.tax_associated, customer.tax_association_updated, \
     customer.tax_dissociated, customer.onboarding_completed, customer.onboarding_failed, customer.suppressed, \
     customer.unsuppressed, customer.erased, customer.legal_hold_placed, customer.legal_hold_removed, tax_rate.created, \
     tax_rate.updated, tax_rate.deleted, tax_rate.value_changed, import.completed, import.failed, import.cancelled",
    CustomerCreated => "customer.created",
    CustomerUpdated => "customer.updated",
    CustomerDeleted => "customer.deleted",
    CustomerRestored => "customer.restored",
    CustomerIntegrationLinked => "customer.integration_linked",
    CustomerIntegrationUnlinked => "customer.integration_unlinked",
    CustomerTaxAssociated => "customer.tax_associated",
    CustomerTaxAssociationUpdated => "customer.tax_association_updated",
    CustomerTaxDissociated => "customer.tax_dissociated",
    CustomerOnboardingCompleted => "customer.onboarding_completed",
    CustomerOnboardingFailed => "customer.onboarding_failed",
    CustomerSuppressed => "customer.suppressed",
    CustomerUnsuppressed => "customer.unsuppressed",
    CustomerErased => "customer.erased",
    CustomerLegalHoldPlaced => "customer.legal_hold_placed",
    CustomerLegalHoldRemoved => "customer.legal_hold_removed",
    TaxRateCreated => "tax_rate.created",
    TaxRateUpdated => "tax_rate.updated",
    TaxRateDeleted => "tax_rate.deleted",
    TaxRateValueChanged => "tax_rate.value_changed",
    ImportCompleted => "import.completed",
    ImportFailed => "import.failed",
    ImportCancelled => "import.cancelled",
);

impl EventType {
    /// Whether events of this type carry the state after the change. Suppressing, unsuppressing and erasing a customer
    /// are recorded without it.
    ///
    /// ```
    /// use patron_domain::event::EventType;
    ///
    /// assert!(EventType::CustomerCreated.has_state() && !EventType::CustomerErased.has_state());
    /// ```
    #[must_use]
    pub const fn has_state(self) -> bool {
        !matches!(self, Self::CustomerSuppressed | Self::CustomerUnsuppressed | Self::CustomerErased)
    }
}
