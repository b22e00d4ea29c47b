//! The answer: the rates that apply, and the reasons why the others do not.

use crate::{
    customer::CertificateNumber,
    ids::{TaxAssociationId, TaxExemptionId},
    tax::{CurrencyCode, TaxAssociation, TaxBehavior, TaxBehaviorSource, TaxRate},
    words::words,
};

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

impl AppliedTax {
    pub(super) fn new(association: TaxAssociation, rate: TaxRate, currency: CurrencyCode) -> Self {
        let (behavior, behavior_source) = match association.behavior {
            Some(behavior) => (behavior, TaxBehaviorSource::Association),
            None => (TaxBehavior::usual_in(currency), TaxBehaviorSource::CurrencyDefault),
        };
        Self { association, rate, behavior, behavior_source }
    }
}

impl PassedOverTax {
    pub(super) fn new(association: TaxAssociation, rate: Option<TaxRate>, reason: PassedOver) -> Self {
        Self { association, rate, reason, outranked_by: None, exemption: None }
    }
}

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
