//! Which tax rates apply to a customer at a given time, in which order, and why the others do not.
//!
//! # The rules
//! 1. **The customer's associations come before the environment's defaults.** When a customer is created, it inherits
//!    the environment's defaults, or names its own rates, or none. After that only its own associations count: a new
//!    default does not affect existing customers, and a tax that was removed from a customer does not come back through
//!    a default. For a person who is not a customer yet, the defaults apply.
//! 2. **The association must not be removed.** Removing it, or archiving the customer, ends it at that time. Before, it applies.
//! 3. **The rate must be charged** at the time: not archived yet, and `ACTIVE`.
//! 4. **The currency must match**, in any case; an association without a currency matches every currency.
//! 5. **The time must be within the association's term**: at or after its start, and before its end.
//! 6. **It must apply automatically** (`auto_apply`).
//! 7. **No rate is charged twice.** If several associations of one rate remain, such as one for euros and one for any
//!    currency, the lowest priority number wins; then the association that names the currency; then the older one.
//! 8. **The customer must be taxable**: not `reverse_charge`, not `exempt`, and without an exemption for the rate, the place and
//!    the time. The place is the one in question, otherwise the customer's address.
//! 9. **The order** follows the priority numbers, the lowest first. The older association comes first at the same
//!    number.
//!
//! Each association that does not apply is listed with the first rule that it breaks. An exemption that has ended is listed
//! too, beside the tax, which applies. Rates have the value that they have at the time. The scope of a rate and the kind of its
//! value do not matter.

mod exemption;
mod explained;

use std::cmp::Reverse;

pub use explained::{AppliedTax, EffectiveTaxes, ExemptedBy, PassedOver, PassedOverTax};

use super::{CurrencyCode, TaxAssociation, TaxRate};
use crate::{
    customer::{ArchivedTerm, CountryCode, Customer, CustomerAggregate, State, TaxTreatment},
    lifecycle::Status,
    time::Timestamp,
};

/// The input of the decision.
///
/// ```
/// use patron_domain::{tax::{CurrencyCode, TaxBasis}, testkit::{a_tax_default, a_tax_rate, a_time}};
///
/// let vat = a_tax_rate("VAT");
/// let basis = TaxBasis { defaults: vec![a_tax_default(&vat)], rates: vec![vat], ..TaxBasis::default() };
/// assert_eq!(basis.effective(CurrencyCode::new("EUR").unwrap(), a_time()).applied.len(), 1);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct TaxBasis {
    /// The customer's own associations, including removed ones; `None` for a person who is not a customer yet.
    pub own: Option<Vec<TaxAssociation>>,
    /// The customer, for its treatment, its exemptions and its address; `None` counts as taxable without exemptions.
    #[cfg_attr(feature = "serde", serde(default))]
    pub customer: Option<Box<Customer>>,
    /// The periods in which the customer was archived.
    #[cfg_attr(feature = "serde", serde(default))]
    pub archived: Vec<ArchivedTerm>,
    /// The environment's defaults. Those that are not published are ignored.
    pub defaults: Vec<TaxAssociation>,
    /// The rates of these associations.
    pub rates: Vec<TaxRate>,
    /// The time in the environment's log at which all of this was known; `None` if it did not come from a store.
    #[cfg_attr(feature = "serde", serde(default, with = "crate::stored::whole::optional_micros"))]
    pub known_at: Option<Timestamp>,
}

/// The question that a [`TaxBasis`] answers.
///
/// ```
/// use patron_domain::{customer::CountryCode, tax::{CurrencyCode, TaxQuestion}, testkit::a_time};
///
/// let country = CountryCode::new("US").ok();
/// let in_texas = TaxQuestion { country, ..TaxQuestion::new(CurrencyCode::new("USD").unwrap(), a_time()) };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxQuestion {
    /// The currency of the charge.
    pub currency: CurrencyCode,
    /// The time of the charge.
    pub at: Timestamp,
    /// The country of the charge; by default that of the customer's address.
    pub country: Option<CountryCode>,
    /// The state of the charge; by default that of the customer's address, unless another country is in question.
    pub state: Option<State>,
}

impl TaxQuestion {
    /// The question for the customer's own address.
    #[must_use]
    pub fn new(currency: CurrencyCode, at: Timestamp) -> Self {
        Self { currency, at, country: None, state: None }
    }
}

impl TaxBasis {
    /// The facts about a customer, with the environment's published defaults and the rates of both.
    ///
    /// ```
    /// use patron_domain::{tax::TaxBasis, testkit::{a_customer, a_time}};
    ///
    /// let basis = TaxBasis::of(a_customer("acme").existing(), Vec::new(), Vec::new(), a_time());
    /// assert_eq!(basis.own, Some(Vec::new()));
    /// ```
    #[must_use]
    pub fn of(
        customer: CustomerAggregate,
        defaults: Vec<TaxAssociation>,
        rates: Vec<TaxRate>,
        known_at: Timestamp,
    ) -> Self {
        let CustomerAggregate { customer, associations, removed_associations, archived_terms, .. } = customer;
        let mut own: Vec<_> = associations.into_iter().chain(removed_associations).collect();
        own.sort_by_key(|association| association.id);
        Self {
            own: Some(own),
            customer: Some(Box::new(customer)),
            archived: archived_terms,
            defaults,
            rates,
            known_at: Some(known_at),
        }
    }

    /// The rates that apply in a currency at a given time. Pure; the order of the input does not matter.
    ///
    /// ```
    /// use patron_domain::{tax::{CurrencyCode, TaxBasis}, time::Timestamp};
    ///
    /// let nobody = TaxBasis { own: Some(vec![]), ..TaxBasis::default() };
    /// let taxes = nobody.effective(CurrencyCode::new("EUR").unwrap(), Timestamp::UNIX_EPOCH);
    /// assert!(taxes.applied.is_empty());
    /// ```
    #[must_use]
    pub fn effective(&self, currency: CurrencyCode, at: Timestamp) -> EffectiveTaxes {
        self.answer(&TaxQuestion::new(currency, at))
    }

    /// The rates that apply to a charge. Pure; the order of the input does not matter.
    ///
    /// ```
    /// use patron_domain::{tax::{CurrencyCode, TaxBasis, TaxQuestion}, testkit::a_time};
    ///
    /// let question = TaxQuestion::new(CurrencyCode::new("EUR").unwrap(), a_time());
    /// assert!(TaxBasis::default().answer(&question).applied.is_empty());
    /// ```
    #[must_use]
    pub fn answer(&self, question: &TaxQuestion) -> EffectiveTaxes {
        let own = self.own.iter().flatten().map(|association| (association, false));
        let defaults = self.defaults.iter().map(|association| (association, self.own.is_some()));
        let defaults = defaults.filter(|(association, _)| association.status == Status::Published);
        let mut all: Vec<(&TaxAssociation, bool)> = own.chain(defaults).collect();
        all.sort_by_key(|(association, _)| {
            // With the same rate and priority, the association that names the currency comes first.
            (association.priority, association.tax_rate_id, Reverse(association.currency.is_some()), association.id)
        });

        let mut taxes = EffectiveTaxes::default();
        let mut first: Vec<&TaxAssociation> = Vec::new();
        for (association, is_overruled) in all {
            let rate = self.rates.iter().find(|rate| rate.id == association.tax_rate_id);
            let reason = if is_overruled { Some(PassedOver::CustomerOverDefault) } else { None };
            let reason = reason.or_else(|| self.hindrance(association, rate, question));
            let outranked_by = first.iter().find(|one| one.tax_rate_id == association.tax_rate_id).map(|one| one.id);
            let rate_then = rate.map(|rate| rate.as_of(question.at));
            match (reason, outranked_by, rate_then) {
                (None, None, Some(rate)) => {
                    first.push(association);
                    self.charge(association, rate, question, &mut taxes);
                }
                (Some(reason), _, rate) => {
                    taxes.passed_over.push(PassedOverTax::new(association.clone(), rate, reason));
                }
                (None, outranked_by, rate) => {
                    let passed_over = PassedOverTax::new(association.clone(), rate, PassedOver::Priority);
                    taxes.passed_over.push(PassedOverTax { outranked_by, ..passed_over });
                }
            }
        }
        taxes.applied.sort_by_key(|tax| (tax.association.priority, tax.association.id));
        taxes.passed_over.sort_by_key(|tax| (tax.association.priority, tax.association.id, tax.reason));
        taxes
    }

    /// Adds a tax that only the customer's treatment and exemptions can prevent.
    fn charge(&self, association: &TaxAssociation, rate: TaxRate, question: &TaxQuestion, taxes: &mut EffectiveTaxes) {
        let reason = match self.treatment() {
            TaxTreatment::ReverseCharge => Some((PassedOver::ReverseCharge, None)),
            TaxTreatment::Exempt => Some((PassedOver::CustomerExempt, None)),
            TaxTreatment::Taxable => self.exemption(&rate, question).map(|(reason, by)| (reason, Some(by))),
        };
        // After an expired exemption the tax applies.
        if reason.as_ref().is_none_or(|(reason, _)| *reason == PassedOver::ExemptionExpired) {
            taxes.applied.push(AppliedTax::new(association.clone(), rate.clone(), question.currency));
        }
        if let Some((reason, exemption)) = reason {
            let passed_over = PassedOverTax::new(association.clone(), Some(rate), reason);
            taxes.passed_over.push(PassedOverTax { exemption, ..passed_over });
        }
    }

    /// The customer's treatment.
    #[must_use]
    pub fn treatment(&self) -> TaxTreatment {
        self.customer.as_ref().map(|customer| customer.profile.tax_treatment).unwrap_or_default()
    }

    /// The reason why an association does not apply, regardless of the other associations and the customer.
    fn hindrance(
        &self,
        association: &TaxAssociation,
        rate: Option<&TaxRate>,
        question: &TaxQuestion,
    ) -> Option<PassedOver> {
        let (currency, at) = (question.currency, question.at);
        // A removed association does not change any more.
        let is_removed = association.status == Status::Deleted && association.audit.updated_at <= at;
        if is_removed || self.archived.iter().any(|term| term.contains(at)) {
            Some(PassedOver::Removed)
        } else if !rate.is_some_and(|rate| rate.is_charged_at(at)) {
            Some(PassedOver::Inactive)
        } else if association.currency.is_some_and(|own| own != currency) {
            Some(PassedOver::Currency)
        } else if at < association.start {
            Some(PassedOver::NotStarted)
        } else if association.end.is_some_and(|end| end <= at) {
            Some(PassedOver::Ended)
        } else if !association.auto_apply {
            Some(PassedOver::NotAutomatic)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests;
