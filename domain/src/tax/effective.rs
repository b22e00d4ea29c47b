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

use std::cmp::Reverse;

use super::{CurrencyCode, TaxAssociation, TaxBehavior, TaxBehaviorSource, TaxRate};
use crate::{
    customer::{
        ArchivedTerm, CertificateNumber, CountryCode, Customer, CustomerAggregate, Item, State, TaxExemption,
        TaxTreatment, query::Folded,
    },
    ids::{TaxAssociationId, TaxExemptionId},
    lifecycle::Status,
    time::Timestamp,
    words::words,
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

/// The rates that apply, and those that do not.
///
/// ```
/// use patron_domain::{
///     tax::{CurrencyCode, EffectiveTaxes, PassedOver, TaxBasis},
///     testkit::{a_tax_default, a_tax_rate, a_time},
/// };
///
/// let vat = a_tax_rate("VAT");
/// let basis = TaxBasis { own: Some(vec![]), defaults: vec![a_tax_default(&vat)], rates: vec![vat], ..TaxBasis::default() };
/// let taxes: EffectiveTaxes = basis.effective(CurrencyCode::new("EUR").unwrap(), a_time());
/// assert_eq!(taxes.passed_over[0].reason, PassedOver::CustomerOverDefault);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct EffectiveTaxes {
    /// The rates that apply, in order.
    pub applied: Vec<AppliedTax>,
    /// The rates that do not apply, in the same order.
    pub passed_over: Vec<PassedOverTax>,
}

/// A rate that applies.
///
/// ```
/// use patron_domain::{
///     tax::{AppliedTax, CurrencyCode, TaxBasis},
///     testkit::{a_tax_default, a_tax_rate, a_time},
/// };
///
/// let vat = a_tax_rate("VAT");
/// let basis = TaxBasis { defaults: vec![a_tax_default(&vat)], rates: vec![vat.clone()], ..TaxBasis::default() };
/// let applied: &AppliedTax = &basis.effective(CurrencyCode::new("EUR").unwrap(), a_time()).applied[0];
/// assert_eq!(applied.rate, vat);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AppliedTax {
    /// The association that applies it.
    pub association: TaxAssociation,
    /// The rate, with the value that it has at the time.
    pub rate: TaxRate,
    /// Whether prices contain it.
    pub behavior: TaxBehavior,
    /// Whether the association says so, or the currency.
    pub behavior_source: TaxBehaviorSource,
}

/// A rate that does not apply.
///
/// ```
/// use patron_domain::{
///     tax::{CurrencyCode, PassedOver, PassedOverTax, TaxBasis, TaxRate, TaxRateStatus},
///     testkit::{a_tax_default, a_tax_rate, a_time},
/// };
///
/// let off = TaxRate { rate_status: TaxRateStatus::Inactive, ..a_tax_rate("VAT") };
/// let basis = TaxBasis { defaults: vec![a_tax_default(&off)], rates: vec![off], ..TaxBasis::default() };
/// let passed_over: &PassedOverTax = &basis.effective(CurrencyCode::new("EUR").unwrap(), a_time()).passed_over[0];
/// assert_eq!(passed_over.reason, PassedOver::Inactive);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PassedOverTax {
    /// The association that would apply it.
    pub association: TaxAssociation,
    /// The rate; `None` when the input does not contain it.
    pub rate: Option<TaxRate>,
    /// Why it does not apply.
    pub reason: PassedOver,
    /// The association of the same rate that takes precedence, if that is the reason.
    pub outranked_by: Option<TaxAssociationId>,
    /// The exemption, if that is the reason.
    #[cfg_attr(feature = "serde", serde(default))]
    pub exemption: Option<ExemptedBy>,
}

/// The exemption that is the reason.
///
/// ```
/// use patron_domain::{customer::CertificateNumber, tax::ExemptedBy, testkit::an_id};
///
/// let by = ExemptedBy { id: an_id(1), certificate_number: CertificateNumber::new("4711").ok() };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ExemptedBy {
    /// Its id.
    pub id: TaxExemptionId,
    /// The number of its certificate.
    pub certificate_number: Option<CertificateNumber>,
}

/// Why a rate does not apply.
///
/// ```
/// use patron_domain::tax::PassedOver;
///
/// assert_eq!(PassedOver::parse("inactive"), Ok(PassedOver::Inactive));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PassedOver {
    /// The association is an environment's default, and the customer's own associations decide.
    CustomerOverDefault,
    /// The rate is inactive or no longer published.
    Inactive,
    /// The association is for another currency.
    Currency,
    /// The association starts later.
    NotStarted,
    /// The association has ended.
    Ended,
    /// The association does not apply automatically.
    NotAutomatic,
    /// Another association of the same rate takes precedence.
    Priority,
    /// The association was removed before, or the customer was archived.
    Removed,
    /// The customer declares the tax itself.
    ReverseCharge,
    /// The customer pays no taxes.
    CustomerExempt,
    /// The customer has an exemption.
    Exemption,
    /// The customer had an exemption, which has ended. The tax applies.
    ExemptionExpired,
}

words!(
    PassedOver,
    "the reasons why a rate does not apply",
    CustomerOverDefault => "customer_over_default",
    Inactive => "inactive",
    Currency => "currency",
    NotStarted => "not_started",
    Ended => "ended",
    NotAutomatic => "not_automatic",
    Priority => "priority",
    Removed => "removed",
    ReverseCharge => "reverse_charge",
    CustomerExempt => "customer_exempt",
    Exemption => "exemption",
    ExemptionExpired => "exemption_expired",
);

impl PassedOver {
    /// The reason as a sentence for people.
    #[must_use]
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::CustomerOverDefault => {
                "an environment's default: new customers inherit it, after that only the customer's own associations count"
            }
            Self::Inactive => "the tax rate is INACTIVE or no longer published",
            Self::Currency => "the association is for another currency",
            Self::NotStarted => "the association starts later",
            Self::Ended => "the association has ended",
            Self::NotAutomatic => "the association does not apply automatically: auto_apply is false",
            Self::Priority => "another association of the same tax rate takes precedence",
            Self::Removed => "the association was removed, or the customer was archived",
            Self::ReverseCharge => "the customer declares the tax itself: tax_treatment is reverse_charge",
            Self::CustomerExempt => "the customer pays no taxes: tax_treatment is exempt",
            Self::Exemption => "the customer has a tax exemption for this tax rate, place and time",
            Self::ExemptionExpired => "the customer's tax exemption has ended, so the tax applies",
        }
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
                (reason, by, rate) => taxes.passed_over.push(PassedOverTax {
                    association: association.clone(),
                    rate,
                    reason: reason.unwrap_or(PassedOver::Priority),
                    outranked_by: by.filter(|_| reason.is_none()),
                    exemption: None,
                }),
            }
        }
        taxes.applied.sort_by_key(|tax| (tax.association.priority, tax.association.id));
        taxes.passed_over.sort_by_key(|tax| (tax.association.priority, tax.association.id, tax.reason));
        taxes
    }

    /// Adds a tax that nothing hinders but the customer's treatment and exemptions.
    fn charge(&self, association: &TaxAssociation, rate: TaxRate, question: &TaxQuestion, taxes: &mut EffectiveTaxes) {
        let (reason, exemption) = match (self.treatment(), self.exemption(&rate, question)) {
            (TaxTreatment::ReverseCharge, _) => (Some(PassedOver::ReverseCharge), None),
            (TaxTreatment::Exempt, _) => (Some(PassedOver::CustomerExempt), None),
            (TaxTreatment::Taxable, Some((PassedOver::Exemption, by))) => (Some(PassedOver::Exemption), Some(by)),
            (TaxTreatment::Taxable, Some((reason, by))) => {
                taxes.passed_over.push(PassedOverTax {
                    association: association.clone(),
                    rate: Some(rate.clone()),
                    reason,
                    outranked_by: None,
                    exemption: Some(by),
                });
                (None, None)
            }
            (TaxTreatment::Taxable, None) => (None, None),
        };
        let association = association.clone();
        match reason {
            Some(reason) => {
                taxes.passed_over.push(PassedOverTax {
                    association,
                    rate: Some(rate),
                    reason,
                    outranked_by: None,
                    exemption,
                });
            }
            None => {
                let (behavior, behavior_source) = match association.behavior {
                    Some(behavior) => (behavior, TaxBehaviorSource::Association),
                    None => (TaxBehavior::usual_in(question.currency), TaxBehaviorSource::CurrencyDefault),
                };
                taxes.applied.push(AppliedTax { association, rate, behavior, behavior_source });
            }
        }
    }

    /// The customer's treatment.
    #[must_use]
    pub fn treatment(&self) -> TaxTreatment {
        self.customer.as_ref().map(|customer| customer.profile.tax_treatment).unwrap_or_default()
    }

    /// The exemption from a rate that holds, otherwise the one that ended last.
    fn exemption(&self, rate: &TaxRate, question: &TaxQuestion) -> Option<(PassedOver, ExemptedBy)> {
        let customer = self.customer.as_ref()?;
        let address = &customer.profile.address;
        let country = question.country.as_ref().or(address.country.as_ref());
        let is_at_home = country == address.country.as_ref();
        let state = question.state.as_ref().or(address.state.as_ref().filter(|_| is_at_home));
        let concerns = |item: &&Item<TaxExemption>| {
            let exemption = &item.value;
            let of_rate =
                exemption.tax_rate_codes.is_empty() || exemption.tax_rate_codes.iter().any(|c| *c == rate.code);
            let of_country = exemption.country.as_ref().is_none_or(|own| country == Some(own));
            let same_state = |own: &State| state.is_some_and(|state| folded(state) == folded(own));
            let has_begun = exemption.starts_at.is_none_or(|start| start <= question.at);
            of_rate && of_country && exemption.state.as_ref().is_none_or(same_state) && has_begun
        };
        let begun: Vec<_> = customer.tax_exemptions.iter().filter(concerns).collect();
        let holds = begun.iter().find(|item| item.value.ends_at.is_none_or(|end| question.at < end));
        let (reason, item) = match holds {
            Some(item) => (PassedOver::Exemption, item),
            None => (PassedOver::ExemptionExpired, begun.iter().max_by_key(|item| (item.value.ends_at, item.id))?),
        };
        Some((reason, ExemptedBy { id: item.id, certificate_number: item.value.certificate_number.clone() }))
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

fn folded(state: &State) -> Folded {
    Folded::new(state.as_str())
}

#[cfg(test)]
mod tests;
