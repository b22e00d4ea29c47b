//! Currencies.

use std::{hash, sync::LazyLock};

use iso_currency::Currency;

use crate::{text::serde_as_text, violation::Rule};

/// An ISO 4217 currency code. Its case is kept, and ignored in comparisons.
///
/// ```
/// use patron_domain::tax::CurrencyCode;
///
/// assert_eq!(CurrencyCode::new("eur").unwrap(), CurrencyCode::new("EUR").unwrap());
/// assert!(CurrencyCode::new("euro").is_err());
/// ```
#[derive(Debug, Clone, Copy)]
pub struct CurrencyCode([u8; 3]);

/// Why a text is not a valid [`CurrencyCode`].
///
/// ```
/// use patron_domain::{tax::{CurrencyCode, CurrencyCodeError}, violation::Rule};
///
/// assert_eq!(CurrencyCode::new("euro").unwrap_err().rule(), "iso_4217");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("currency must be a current ISO 4217 code of three letters, such as EUR")]
pub struct CurrencyCodeError;

impl Rule for CurrencyCodeError {
    fn rule(&self) -> &'static str {
        "iso_4217"
    }
}

/// Codes in the library's table that are withdrawn by an amendment of ISO 4217 (Bulgaria, Cuba, Croatia, Sierra Leone,
/// Zimbabwe), reserved for testing (`XTS`), or not a currency (`XXX`).
const NOT_CURRENT: [&str; 7] = ["BGN", "CUC", "HRK", "SLL", "XTS", "XXX", "ZWL"];

/// The current codes: for each pair of first letters, one bit per third letter. The library's own look-up is a linear
/// search.
static CURRENT: LazyLock<[[u32; 26]; 26]> = LazyLock::new(|| {
    let mut current = [[0; 26]; 26];
    let codes = (0..1_000).filter_map(Currency::from_numeric).map(|currency| currency.code());
    for code in codes.filter(|code| !NOT_CURRENT.contains(code)).filter_map(|code| CurrencyCode::from_stored(code).ok())
    {
        let [first, second, third] = code.places();
        current[first][second] |= 1 << third;
    }
    current
});

impl CurrencyCode {
    /// Checks a code against the current ones.
    ///
    /// # Errors
    /// For withdrawn and unknown codes, `XXX` (no currency) and `XTS` (testing).
    pub fn new(code: impl AsRef<str>) -> Result<Self, CurrencyCodeError> {
        let code = Self::from_stored(code)?;
        let [first, second, third] = code.key().places();
        if CURRENT[first][second] >> third & 1 == 1 { Ok(code) } else { Err(CurrencyCodeError) }
    }

    /// Restores a stored code. Only the form is checked, so rows stay readable when a currency is withdrawn.
    ///
    /// # Errors
    /// When the code is not three ASCII letters.
    pub fn from_stored(code: impl AsRef<str>) -> Result<Self, CurrencyCodeError> {
        match code.as_ref().as_bytes() {
            &[a, b, c] if [a, b, c].iter().all(u8::is_ascii_alphabetic) => Ok(Self([a, b, c])),
            _ => Err(CurrencyCodeError),
        }
    }

    /// The code as given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // All bytes are ASCII letters by this type's invariant.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The code in upper case, for comparisons and unique indexes.
    #[must_use]
    pub fn key(&self) -> Self {
        Self(self.0.map(|letter| letter.to_ascii_uppercase()))
    }

    /// The code in lower case.
    #[must_use]
    pub(crate) fn lower(&self) -> Self {
        Self(self.0.map(|letter| letter.to_ascii_lowercase()))
    }

    /// The places in the alphabet, from 0, of the letters of an upper-case code.
    fn places(self) -> [usize; 3] {
        self.0.map(|letter| usize::from(letter - b'A'))
    }
}

impl PartialEq for CurrencyCode {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}
impl Eq for CurrencyCode {}
impl hash::Hash for CurrencyCode {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.key().0.hash(state);
    }
}

serde_as_text!(CurrencyCode);

#[cfg(test)]
mod tests {
    use iso_currency::Currency;

    use super::{CurrencyCode, NOT_CURRENT};

    #[test]
    fn case_is_kept_and_ignored_in_comparisons() {
        let lower = CurrencyCode::new("eur").unwrap();
        assert_eq!(lower.as_str(), "eur");
        assert_eq!(lower, CurrencyCode::new("EUR").unwrap());
        assert_eq!(lower.key().as_str(), "EUR");
    }

    #[test]
    fn only_current_codes_are_currencies() {
        for good in ["USD", "usd", "XCG", "ZWG", "JPY", "CHF"] {
            assert!(CurrencyCode::new(good).is_ok(), "{good}");
        }
        for bad in ["", "EU", "EURO", "XXX", "XTS", "HRK", "BGN", "CUC", "SLL", "ZWL", "DEM", "€€€", "E R"] {
            assert!(CurrencyCode::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_table_is_the_library_s_without_the_codes_that_are_not_current() {
        let letters = || (b'A'..=b'Z').map(char::from);
        let codes =
            letters().flat_map(|a| letters().flat_map(move |b| letters().map(move |c| String::from_iter([a, b, c]))));
        for code in codes {
            let current = Currency::from_code(&code).is_some() && !NOT_CURRENT.contains(&code.as_str());
            assert_eq!(CurrencyCode::new(&code).is_ok(), current, "{code}");
        }
    }
}
