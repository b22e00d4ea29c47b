//! Which tax rates apply to a customer at a given time, in which order, and why the others do not.
//!
//! # The rules
//! 1. **The customer's associations come before the environment's defaults.** When a customer is created, it inherits
//!    the environment's defaults, or names its own rates, or none. After that only its own associations count: a new
//!    default does not affect existing customers, and a tax that was removed from a customer does not come back through
//!    a default. For a person who is not a customer yet, the defaults apply.
//! 2. **The rate must be charged**: published and `ACTIVE`.
//! 3. **The currency must match**, in any case; an association without a currency matches every currency.
//! 4. **The time must be within the association's term**: at or after its start, and before its end.
//! 5. **It must apply automatically** (`auto_apply`).
//! 6. **No rate is charged twice.** If several associations of one rate remain, such as one for euros and one for any
//!    currency, the lowest priority number wins; then the association that names the currency; then the older one.
//! 7. **The order** follows the priority numbers, the lowest first. The older association comes first at the same
//!    number.
//!
//! Each association that does not apply is listed with the first rule that it breaks. The scope of a rate and the kind
//! of its value do not matter.

use std::cmp::Reverse;

use super::{CurrencyCode, TaxAssociation, TaxRate, TaxRateStatus};
use crate::{ids::TaxAssociationId, lifecycle::Status, time::Timestamp, words::words};

/// The input of the decision. Associations that are not published are ignored.
///
/// ```
/// use patron_domain::{tax::{CurrencyCode, TaxBasis}, testkit::{a_tax_default, a_tax_rate, a_time}};
///
/// let vat = a_tax_rate("VAT");
/// let basis = TaxBasis { own: None, defaults: vec![a_tax_default(&vat)], rates: vec![vat] };
/// assert_eq!(basis.effective(CurrencyCode::new("EUR").unwrap(), a_time()).applied.len(), 1);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct TaxBasis {
    /// The customer's own associations; `None` for a person who is not a customer yet.
    pub own: Option<Vec<TaxAssociation>>,
    /// The environment's defaults.
    pub defaults: Vec<TaxAssociation>,
    /// The rates of these associations.
    pub rates: Vec<TaxRate>,
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
/// let basis = TaxBasis { own: Some(vec![]), defaults: vec![a_tax_default(&vat)], rates: vec![vat] };
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
/// let basis = TaxBasis { own: None, defaults: vec![a_tax_default(&vat)], rates: vec![vat.clone()] };
/// let applied: &AppliedTax = &basis.effective(CurrencyCode::new("EUR").unwrap(), a_time()).applied[0];
/// assert_eq!(applied.rate, vat);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AppliedTax {
    /// The association that applies it.
    pub association: TaxAssociation,
    /// The rate.
    pub rate: TaxRate,
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
/// let basis = TaxBasis { own: None, defaults: vec![a_tax_default(&off)], rates: vec![off] };
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
        }
    }
}

impl TaxBasis {
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
        let own = self.own.iter().flatten().map(|association| (association, false));
        let defaults = self.defaults.iter().map(|association| (association, self.own.is_some()));
        let published = own.chain(defaults).filter(|(association, _)| association.status == Status::Published);
        let mut all: Vec<(&TaxAssociation, bool)> = published.collect();
        all.sort_by_key(|(association, _)| {
            // With the same rate and priority, the association that names the currency comes first.
            (association.priority, association.tax_rate_id, Reverse(association.currency.is_some()), association.id)
        });

        let mut taxes = EffectiveTaxes::default();
        for (association, is_overruled) in all {
            let rate = self.rates.iter().find(|rate| rate.id == association.tax_rate_id);
            let earlier = taxes.applied.iter().find(|tax| tax.association.tax_rate_id == association.tax_rate_id);
            let outranked_by = earlier.map(|tax| tax.association.id);
            let reason = if is_overruled { Some(PassedOver::CustomerOverDefault) } else { None };
            let reason = reason.or_else(|| hindrance(association, rate, currency, at));
            match (reason, outranked_by, rate) {
                (None, None, Some(rate)) => {
                    taxes.applied.push(AppliedTax { association: association.clone(), rate: rate.clone() });
                }
                (reason, by, rate) => taxes.passed_over.push(PassedOverTax {
                    association: association.clone(),
                    rate: rate.cloned(),
                    reason: reason.unwrap_or(PassedOver::Priority),
                    outranked_by: by.filter(|_| reason.is_none()),
                }),
            }
        }
        taxes.applied.sort_by_key(|tax| (tax.association.priority, tax.association.id));
        taxes.passed_over.sort_by_key(|tax| (tax.association.priority, tax.association.id));
        taxes
    }
}

/// The reason why an association does not apply, regardless of the other associations.
fn hindrance(
    association: &TaxAssociation,
    rate: Option<&TaxRate>,
    currency: CurrencyCode,
    at: Timestamp,
) -> Option<PassedOver> {
    let is_charged = |rate: &TaxRate| rate.status == Status::Published && rate.rate_status == TaxRateStatus::Active;
    if !rate.is_some_and(is_charged) {
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

#[cfg(test)]
mod tests;
