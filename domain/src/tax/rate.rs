//! Tax rates: the charge, and the code by which requests name it.

use std::fmt;

use rust_decimal::Decimal;

use super::{
    TaxRateHistory,
    decimal::{self, DecimalError},
};
use crate::{
    ids::TaxRateId,
    lifecycle::{Audit, Owner, Status, Version},
    metadata::Metadata,
    text::text_newtype,
    violation::Rule,
    words::words,
};

text_newtype! {
    /// The code of a tax rate, such as `VAT_DE`: 1–255 characters, not blank, no control characters, case-sensitive.
    /// Unique among the published tax rates of an environment.
    public TaxRateCode, TaxRateCodeError, "code", max 255, not_blank true
}

text_newtype! {
    /// The name of a tax rate for people: 1–255 characters, not blank, no control characters, no bidirectional
    /// formatting characters.
    public TaxRateName, TaxRateNameError, "name", max 255, not_blank true, no_bidi true
}

text_newtype! {
    /// The description of a tax rate: 1–5000 characters. Tabs and line breaks are the only control characters allowed.
    public TaxRateDescription, TaxRateDescriptionError, "description", max 5000, lines true
}

/// A percentage from 0 to 100, exact to 28 digits.
///
/// ```
/// use patron_domain::tax::Percentage;
///
/// assert_eq!(Percentage::new("7.5").unwrap().to_string(), "7.5");
/// assert!(Percentage::new("100.1").is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percentage(Decimal);

/// A fixed amount of 0 or more, exact to 28 digits, in the currency of the charge it is added to.
///
/// ```
/// use patron_domain::tax::FixedAmount;
///
/// assert_eq!(FixedAmount::new("1e1").unwrap().to_string(), "10");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FixedAmount(Decimal);

/// Why a number is not a valid value of a tax rate.
///
/// ```
/// use patron_domain::tax::{Percentage, TaxValueError};
///
/// assert!(Percentage::new("101").is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TaxValueError {
    /// The text is not a number that can be kept exactly.
    #[error("the value {0}")]
    Decimal(#[from] DecimalError),
    /// A percentage outside 0 to 100.
    #[error("a percentage must be from 0 to 100")]
    PercentageRange,
    /// A negative amount.
    #[error("a fixed amount must not be negative")]
    NegativeAmount,
}

impl Rule for TaxValueError {
    fn rule(&self) -> &'static str {
        match self {
            Self::Decimal(error) => error.rule(),
            Self::PercentageRange | Self::NegativeAmount => "range",
        }
    }
}

impl Percentage {
    /// Parses a decimal number such as `19`, `7.5` or `1e1`.
    ///
    /// # Errors
    /// When the text is not a number, has more than 28 digits, or is not between 0 and 100.
    pub fn new(text: impl AsRef<str>) -> Result<Self, TaxValueError> {
        let value = decimal::parse(text.as_ref())?;
        let in_range = Decimal::ZERO <= value && value <= Decimal::ONE_HUNDRED;
        if in_range { Ok(Self(value)) } else { Err(TaxValueError::PercentageRange) }
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> Decimal {
        self.0
    }
}

impl FixedAmount {
    /// Parses a decimal number such as `5` or `0.30`.
    ///
    /// # Errors
    /// When the text is not a number, has more than 28 digits, or is negative.
    pub fn new(text: impl AsRef<str>) -> Result<Self, TaxValueError> {
        let value = decimal::parse(text.as_ref())?;
        if value < Decimal::ZERO { Err(TaxValueError::NegativeAmount) } else { Ok(Self(value)) }
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> Decimal {
        self.0
    }
}

impl fmt::Display for Percentage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Display for FixedAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The charge of a tax rate: exactly one of the two.
///
/// ```
/// use patron_domain::{tax::{Percentage, TaxValue}, testkit::a_tax_rate};
///
/// let value = TaxValue::Percentage(Percentage::new("19").unwrap());
/// assert_eq!(a_tax_rate("VAT").value, value);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaxValue {
    /// A percentage of the charge.
    Percentage(Percentage),
    /// An amount that does not depend on the charge.
    Fixed(FixedAmount),
}

/// The kind of a tax rate's value.
///
/// ```
/// use patron_domain::tax::{Percentage, TaxRateType};
///
/// assert_eq!(TaxRateType::parse("percentage"), Ok(TaxRateType::Percentage));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaxRateType {
    /// A percentage.
    Percentage,
    /// A fixed amount.
    Fixed,
}

words!(TaxRateType, "percentage, fixed", Percentage => "percentage", Fixed => "fixed");

impl TaxValue {
    /// The kind of the value.
    #[must_use]
    pub fn kind(&self) -> TaxRateType {
        match self {
            Self::Percentage(_) => TaxRateType::Percentage,
            Self::Fixed(_) => TaxRateType::Fixed,
        }
    }
}

/// Where a tax rate may be used.
///
/// ```
/// use patron_domain::tax::TaxRateScope;
///
/// assert_eq!(TaxRateScope::parse("INTERNAL"), Ok(TaxRateScope::Internal));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TaxRateScope {
    /// Within this system. The default.
    #[default]
    Internal,
    /// By another system.
    External,
    /// One time.
    Onetime,
}

words!(TaxRateScope, "INTERNAL, EXTERNAL, ONETIME", Internal => "INTERNAL", External => "EXTERNAL", Onetime => "ONETIME");

/// Whether a tax rate is charged.
///
/// ```
/// use patron_domain::tax::TaxRateStatus;
///
/// assert_eq!(TaxRateStatus::parse("ACTIVE"), Ok(TaxRateStatus::Active));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TaxRateStatus {
    /// Charged, and available to overrides. The default.
    #[default]
    Active,
    /// Kept, but not charged and not available to new overrides.
    Inactive,
}

words!(TaxRateStatus, "ACTIVE, INACTIVE", Active => "ACTIVE", Inactive => "INACTIVE");

impl TaxRateStatus {
    /// The other status.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Active => Self::Inactive,
            Self::Inactive => Self::Active,
        }
    }
}

/// A tax rate of an environment.
///
/// ```
/// use patron_domain::{tax::{TaxRate, TaxRateScope, TaxRateStatus}, testkit::a_tax_rate};
///
/// let rate: TaxRate = a_tax_rate("VAT");
/// assert_eq!((rate.scope, rate.rate_status), (TaxRateScope::Internal, TaxRateStatus::Active));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxRate {
    /// The id.
    pub id: TaxRateId,
    /// The tenant and environment that it belongs to.
    pub owner: Owner,
    /// The code, unique among the published rates of the environment.
    pub code: TaxRateCode,
    /// The name.
    pub name: TaxRateName,
    /// The description.
    pub description: Option<TaxRateDescription>,
    /// The charge, apart from the changes in its history: see [`TaxRate::value_at`].
    pub value: TaxValue,
    /// Where it may be used.
    pub scope: TaxRateScope,
    /// Whether it is charged now.
    pub rate_status: TaxRateStatus,
    /// Its values and statuses over time.
    pub history: TaxRateHistory,
    /// The client's metadata.
    pub metadata: Metadata,
    /// The status.
    pub status: Status,
    /// The number of changes.
    pub version: Version,
    /// Who created and last changed it, and when.
    pub audit: Audit,
}

#[cfg(test)]
mod tests {
    use super::{FixedAmount, Percentage, TaxRateScope, TaxValueError};

    #[test]
    fn percentages_run_from_0_to_100() {
        for good in ["0", "100", "100.0", "19.25", "0.0000000000000000000000000001"] {
            assert!(Percentage::new(good).is_ok(), "{good}");
        }
        for bad in ["-0.1", "100.0000000000000000000000001", "1e3"] {
            assert_eq!(Percentage::new(bad), Err(TaxValueError::PercentageRange), "{bad}");
        }
    }

    #[test]
    fn amounts_are_not_negative() {
        assert_eq!(FixedAmount::new("0018.50").unwrap().to_string(), "18.5");
        assert_eq!(FixedAmount::new("-0").unwrap().to_string(), "0");
        assert_eq!(FixedAmount::new("-1"), Err(TaxValueError::NegativeAmount));
    }

    #[test]
    fn words_are_case_sensitive() {
        assert_eq!(TaxRateScope::parse("ONETIME"), Ok(TaxRateScope::Onetime));
        assert_eq!(
            TaxRateScope::parse("onetime").unwrap_err().to_string(),
            "must be one of: INTERNAL, EXTERNAL, ONETIME"
        );
    }
}
