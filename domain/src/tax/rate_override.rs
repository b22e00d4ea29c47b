//! Tax rate overrides: the rates that a create names by their codes, instead of the environment's defaults.

use super::{CurrencyCode, Priority, TaxBehavior, TaxRateCode};
use crate::{
    metadata::Metadata,
    violation::{Rule, Violations},
};

/// One tax rate of a new customer.
///
/// ```
/// use patron_domain::{
///     metadata::Metadata,
///     tax::{CurrencyCode, Priority, TaxRateCode, TaxRateOverride},
///     testkit::a_customer,
/// };
///
/// let vat = TaxRateOverride {
///     code: TaxRateCode::new("VAT").unwrap(),
///     currency: CurrencyCode::new("EUR").unwrap(),
///     priority: Priority::default(),
///     auto_apply: true,
///     behavior: None,
///     metadata: Metadata::default(),
/// };
/// let new = a_customer("acme").taxed_by(vat).build();
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxRateOverride {
    /// The code of the rate, which must exist and be active.
    pub code: TaxRateCode,
    /// The currency that it applies to.
    pub currency: CurrencyCode,
    /// Its priority among the customer's rates.
    pub priority: Priority,
    /// Whether it applies automatically.
    pub auto_apply: bool,
    /// Whether prices contain the tax; `None` for what is usual in the currency.
    pub behavior: Option<TaxBehavior>,
    /// The client's metadata.
    pub metadata: Metadata,
}

/// The overrides of one create: at most [`TaxRateOverrides::MAX`], each combination of code and currency once.
///
/// ```
/// use patron_domain::{customer::TaxChoice, tax::TaxRateOverrides, testkit::a_customer};
///
/// let none = TaxRateOverrides::new(Vec::new()).unwrap();
/// assert_eq!(a_customer("acme").untaxed().build().taxes, TaxChoice::Overrides(none));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaxRateOverrides(Vec<TaxRateOverride>);

/// The faults of a list of overrides.
///
/// ```
/// use patron_domain::{
///     metadata::Metadata,
///     tax::{CurrencyCode, Priority, TaxRateCode, TaxRateOverride, TaxRateOverrides, TaxRateOverridesError},
/// };
///
/// let vat = || TaxRateOverride {
///     code: TaxRateCode::new("VAT").unwrap(),
///     currency: CurrencyCode::new("EUR").unwrap(),
///     priority: Priority::default(),
///     auto_apply: true,
///     behavior: None,
///     metadata: Metadata::default(),
/// };
/// let broken = TaxRateOverrides::new(vec![vat(), vat()]).unwrap_err();
/// let twice = TaxRateOverridesError::Repeated { earlier: 0 };
/// assert_eq!(broken.iter().next().map(|one| one.message.clone()), Some(twice.to_string()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TaxRateOverridesError {
    /// There are too many.
    #[error("tax_rate_overrides must have at most {max} items, it has {count}", max = TaxRateOverrides::MAX)]
    TooMany {
        /// The number of overrides given.
        count: usize,
    },
    /// An earlier override has the same code and currency.
    #[error("tax_rate_code and currency must not repeat those of tax_rate_overrides[{earlier}]")]
    Repeated {
        /// The position of the earlier one.
        earlier: usize,
    },
}

impl Rule for TaxRateOverridesError {
    fn rule(&self) -> &'static str {
        match self {
            Self::TooMany { .. } => "max_items",
            Self::Repeated { .. } => "unique",
        }
    }
}

impl TaxRateOverrides {
    /// The maximum number of overrides in one create.
    pub const MAX: usize = 100;

    /// Checks the list as a whole.
    ///
    /// # Errors
    /// Every broken rule, under `tax_rate_overrides` and the position in the list.
    pub fn new(overrides: Vec<TaxRateOverride>) -> Result<Self, Violations> {
        Self::at_places(overrides.len(), overrides.into_iter().enumerate().collect())
    }

    /// Checks a list in which some elements were already refused, so that all faults can be reported together. `count`
    /// is the number of elements given; `valid` are those not refused, each with its position.
    ///
    /// # Errors
    /// Every broken rule, under `tax_rate_overrides` and the position in the list.
    pub fn at_places(count: usize, valid: Vec<(usize, TaxRateOverride)>) -> Result<Self, Violations> {
        let mut broken = Violations::new();
        if count > Self::MAX {
            broken.add("tax_rate_overrides", &TaxRateOverridesError::TooMany { count });
            return Err(broken);
        }
        for (number, (index, later)) in valid.iter().enumerate() {
            let same = |(_, earlier): &&(usize, TaxRateOverride)| {
                earlier.code == later.code && earlier.currency == later.currency
            };
            if let Some(&(earlier, _)) = valid[..number].iter().find(same) {
                let path = format!("tax_rate_overrides[{index}].tax_rate_code");
                broken.add(path, &TaxRateOverridesError::Repeated { earlier });
            }
        }
        broken.into_result()?;
        Ok(Self(valid.into_iter().map(|(_, one)| one).collect()))
    }

    /// The overrides in the order given.
    pub fn iter(&self) -> std::slice::Iter<'_, TaxRateOverride> {
        self.0.iter()
    }

    /// Whether the list is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> IntoIterator for &'a TaxRateOverrides {
    type Item = &'a TaxRateOverride;
    type IntoIter = std::slice::Iter<'a, TaxRateOverride>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::{TaxRateOverride, TaxRateOverrides};
    use crate::tax::{CurrencyCode, Priority, TaxRateCode};

    fn an_override(code: &str, currency: &str) -> TaxRateOverride {
        TaxRateOverride {
            behavior: None,
            code: TaxRateCode::new(code).unwrap(),
            currency: CurrencyCode::new(currency).unwrap(),
            priority: Priority::default(),
            auto_apply: true,
            metadata: Default::default(),
        }
    }

    #[test]
    fn a_code_may_occur_once_per_currency() {
        assert!(TaxRateOverrides::new(vec![an_override("VAT", "EUR"), an_override("VAT", "USD")]).is_ok());
        assert!(TaxRateOverrides::new(vec![an_override("VAT", "EUR"), an_override("vat", "EUR")]).is_ok());
        let broken = TaxRateOverrides::new(vec![an_override("VAT", "EUR"), an_override("VAT", "eur")]).unwrap_err();
        let found: Vec<_> = broken.iter().map(|v| (v.path.as_str(), v.rule)).collect();
        assert_eq!(found, [("tax_rate_overrides[1].tax_rate_code", "unique")]);
    }

    #[test]
    fn positions_are_those_of_the_request() {
        let valid = vec![(1, an_override("VAT", "EUR")), (3, an_override("VAT", "EUR"))];
        let broken = TaxRateOverrides::at_places(4, valid).unwrap_err();
        let found: Vec<_> =
            broken.iter().map(|v| (v.path.as_str(), v.message.contains("tax_rate_overrides[1]"))).collect();
        assert_eq!(found, [("tax_rate_overrides[3].tax_rate_code", true)]);
        let broken = TaxRateOverrides::at_places(101, vec![]).unwrap_err();
        assert_eq!(broken.iter().next().unwrap().rule, "max_items");
    }

    #[test]
    fn there_are_at_most_100() {
        let many = |n: usize| (0..n).map(|i| an_override(&format!("T{i}"), "EUR")).collect::<Vec<_>>();
        assert!(TaxRateOverrides::new(many(100)).is_ok());
        assert_eq!(TaxRateOverrides::new(many(101)).unwrap_err().iter().next().unwrap().rule, "max_items");
    }
}
