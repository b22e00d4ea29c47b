//! The taxes of a new customer.

use crate::{
    customer::{ChangeCustomerError, TaxFactsNeeded, error::InactiveTaxRate},
    ids::{CustomerId, TaxAssociationId, TaxRateId},
    lifecycle::{Audit, Status},
    metadata::Metadata,
    tax::{CurrencyCode, Priority, TaxAssociation, TaxBehavior, TaxRate, TaxRateOverrides, TaxRateStatus, TaxedEntity},
    tenancy::EnvironmentScope,
    time::Timestamp,
    violation::Violations,
};

/// The source of a new customer's taxes.
///
/// ```
/// use patron_domain::{customer::TaxChoice, testkit::a_customer};
///
/// assert_eq!(a_customer("acme").build().taxes, TaxChoice::Defaults);
/// assert!(matches!(a_customer("acme").taxed("VAT", "EUR").build().taxes, TaxChoice::Overrides(_)));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum TaxChoice {
    /// Copies of the environment's auto-apply defaults.
    #[default]
    Defaults,
    /// Only these rates; an empty list means no taxes.
    Overrides(TaxRateOverrides),
}

impl TaxChoice {
    /// The facts that must be looked up.
    pub(super) fn facts_needed(&self) -> TaxFactsNeeded<'_> {
        match self {
            Self::Defaults => TaxFactsNeeded { defaults: true, ..TaxFactsNeeded::default() },
            Self::Overrides(overrides) => TaxFactsNeeded::rates(overrides.iter().map(|one| &one.code)),
        }
    }
}

/// A tax association, before it has an id and a customer.
pub(super) struct Terms {
    pub(super) tax_rate_id: TaxRateId,
    pub(super) priority: Priority,
    pub(super) auto_apply: bool,
    pub(super) behavior: Option<TaxBehavior>,
    pub(super) currency: Option<CurrencyCode>,
    pub(super) metadata: Metadata,
    pub(super) start: Timestamp,
    pub(super) end: Option<Timestamp>,
}

impl Terms {
    pub(super) fn associate(
        self,
        id: TaxAssociationId,
        customer_id: CustomerId,
        scope: &EnvironmentScope,
        audit: &Audit,
    ) -> TaxAssociation {
        TaxAssociation {
            id,
            owner: scope.owner,
            tax_rate_id: self.tax_rate_id,
            entity: TaxedEntity::Customer(customer_id),
            priority: self.priority,
            auto_apply: self.auto_apply,
            behavior: self.behavior,
            currency: self.currency,
            metadata: self.metadata,
            start: self.start,
            end: self.end,
            status: Status::Published,
            audit: audit.clone(),
        }
    }
}

/// Copies of the environment's auto-apply defaults, except those that have ended. None starts before now. An inactive
/// rate is copied too, and applies to this customer when it is active again.
pub(super) fn inherited(defaults: &[TaxAssociation], now: Timestamp) -> Vec<Terms> {
    let applies = |default: &&TaxAssociation| default.auto_apply && default.end.is_none_or(|end| now < end);
    let copy = |default: &TaxAssociation| Terms {
        tax_rate_id: default.tax_rate_id,
        priority: default.priority,
        auto_apply: true,
        behavior: default.behavior,
        currency: default.currency,
        metadata: default.metadata.clone(),
        start: default.start.max(now),
        end: default.end,
    };
    defaults.iter().filter(applies).map(copy).collect()
}

/// The terms of the overrides, each with the active rate that its code names.
pub(super) fn chosen(
    overrides: &TaxRateOverrides,
    rates: &[TaxRate],
    now: Timestamp,
) -> Result<Vec<Terms>, ChangeCustomerError> {
    let mut inactive = Violations::new();
    let mut unknown = Vec::new();
    let mut terms = Vec::new();
    for (index, one) in overrides.iter().enumerate() {
        match rates.iter().find(|rate| rate.code == one.code) {
            None => unknown.push((format!("tax_rate_overrides[{index}].tax_rate_code"), one.code.clone())),
            Some(rate) if rate.rate_status == TaxRateStatus::Inactive => {
                inactive.add(format!("tax_rate_overrides[{index}].tax_rate_code"), &InactiveTaxRate);
            }
            Some(rate) => terms.push(Terms {
                tax_rate_id: rate.id,
                priority: one.priority,
                auto_apply: one.auto_apply,
                behavior: one.behavior,
                currency: Some(one.currency),
                metadata: one.metadata.clone(),
                start: now,
                end: None,
            }),
        }
    }
    inactive.into_result().map_err(ChangeCustomerError::Invalid)?;
    if unknown.is_empty() { Ok(terms) } else { Err(ChangeCustomerError::UnknownTaxRates(unknown)) }
}
