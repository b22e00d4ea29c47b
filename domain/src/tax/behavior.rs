//! Whether prices contain a tax.

use super::CurrencyCode;
use crate::words::words;

/// Whether prices contain a tax or the tax is added to them.
///
/// ```
/// use patron_domain::tax::{CurrencyCode, TaxBehavior};
///
/// let usual = |code: &str| TaxBehavior::usual_in(CurrencyCode::new(code).unwrap());
/// assert_eq!((usual("eur"), usual("usd")), (TaxBehavior::Inclusive, TaxBehavior::Exclusive));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaxBehavior {
    /// Prices contain the tax.
    Inclusive,
    /// The tax is added to prices.
    Exclusive,
}

words!(TaxBehavior, "inclusive, exclusive", Inclusive => "inclusive", Exclusive => "exclusive");

impl TaxBehavior {
    /// The usual behavior in a currency: exclusive for US and Canadian dollars, otherwise inclusive. This is Flexprice's rule.
    #[must_use]
    pub fn usual_in(currency: CurrencyCode) -> Self {
        if matches!(currency.key().as_str(), "USD" | "CAD") { Self::Exclusive } else { Self::Inclusive }
    }
}

/// The source of an applied tax's [`TaxBehavior`].
///
/// ```
/// use patron_domain::tax::TaxBehaviorSource;
///
/// assert_eq!(TaxBehaviorSource::CurrencyDefault.as_str(), "currency_default");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaxBehaviorSource {
    /// The association names it.
    Association,
    /// It is usual in the currency.
    CurrencyDefault,
}

words!(
    TaxBehaviorSource,
    "association, currency_default",
    Association => "association",
    CurrencyDefault => "currency_default",
);
