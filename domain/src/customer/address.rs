//! Postal addresses.

use std::fmt;

use crate::{
    text::{serde_as_text, text_newtype},
    violation::Rule,
};

text_newtype! {
    /// One line of an address: 1–255 characters. Tabs and line breaks are the only control characters allowed, because
    /// pasted addresses contain them.
    personal AddressLine, AddressLineError, "address line", max 255, lines true
}

text_newtype! {
    /// A city: 1–100 characters, no control characters.
    personal City, CityError, "city", max 100
}

text_newtype! {
    /// A state, province or region: 1–100 characters, no control characters.
    personal State, StateError, "state", max 100
}

text_newtype! {
    /// A ZIP or postal code: 1–20 characters, no control characters. The format is not checked, because it differs by
    /// country.
    personal PostalCode, PostalCodeError, "postal code", max 20
}

/// An ISO 3166-1 alpha-2 country code in upper case, such as `DE`. Valid are the assigned codes and `XK` for Kosovo:
/// the standard reserves `XK` for its users, and the EU, SWIFT and payment providers use it for Kosovo.
///
/// ```
/// use patron_domain::customer::CountryCode;
///
/// assert_eq!(CountryCode::new("DE").unwrap().as_str(), "DE");
/// assert!(CountryCode::new("de").is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CountryCode([u8; 2]);

/// Why a text is not a valid [`CountryCode`].
///
/// ```
/// use patron_domain::{customer::{CountryCode, CountryCodeError}, violation::Rule};
///
/// assert_eq!(CountryCode::new("XX").unwrap_err().rule(), "iso_3166_1_alpha_2");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("country must be an assigned ISO 3166-1 alpha-2 code in upper case, such as DE, or XK for Kosovo")]
pub struct CountryCodeError;

impl Rule for CountryCodeError {
    fn rule(&self) -> &'static str {
        "iso_3166_1_alpha_2"
    }
}

/// Kosovo: a user-assigned code (`XA` to `XZ`) in general use.
const KOSOVO: [u8; 2] = *b"XK";

/// The accepted codes: for each first letter, one bit per second letter. The library's own look-up hashes and is
/// slower.
static ASSIGNED: [u32; 26] = {
    let mut assigned = [0; 26];
    assigned[(KOSOVO[0] - b'A') as usize] |= 1 << (KOSOVO[1] - b'A');
    let mut codes = rust_iso3166::ALL_ALPHA2;
    while let [code, rest @ ..] = codes {
        let letters = code.as_bytes();
        assigned[(letters[0] - b'A') as usize] |= 1 << (letters[1] - b'A');
        codes = rest;
    }
    assigned
};

impl CountryCode {
    /// Accepts an assigned code or `XK`.
    ///
    /// # Errors
    /// For lower case, and for reserved, withdrawn and unassigned codes.
    pub fn new(code: impl AsRef<str>) -> Result<Self, CountryCodeError> {
        let code = Self::from_stored(code)?;
        let [first, second] = code.0.map(|letter| letter - b'A');
        let assigned = ASSIGNED[usize::from(first)] >> second & 1 == 1;
        if assigned { Ok(code) } else { Err(CountryCodeError) }
    }

    /// Restores a stored code. Only the form is checked, so rows stay readable when a country ceases to exist.
    ///
    /// # Errors
    /// When the code is not two upper-case ASCII letters.
    pub fn from_stored(code: impl AsRef<str>) -> Result<Self, CountryCodeError> {
        match code.as_ref().as_bytes() {
            &[first, second] if first.is_ascii_uppercase() && second.is_ascii_uppercase() => Ok(Self([first, second])),
            _ => Err(CountryCodeError),
        }
    }

    /// The two letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Both bytes are ASCII letters by this type's invariant.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CountryCode(redacted)")
    }
}

serde_as_text!(CountryCode);

/// A customer's address. Every part is optional, and the parts are not checked against each other.
///
/// ```
/// use patron_domain::customer::{Address, CountryCode};
///
/// let address = Address { country: Some(CountryCode::new("DE").unwrap()), ..Address::default() };
/// assert_eq!(address.city, None);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Address {
    /// The first line.
    pub line1: Option<AddressLine>,
    /// The second line.
    pub line2: Option<AddressLine>,
    /// The city.
    pub city: Option<City>,
    /// The state, province or region.
    pub state: Option<State>,
    /// The postal code.
    pub postal_code: Option<PostalCode>,
    /// The country.
    pub country: Option<CountryCode>,
}

#[cfg(test)]
mod tests {
    use super::CountryCode;

    #[test]
    fn assigned_codes_and_kosovo_are_accepted() {
        let all = ('A'..='Z').flat_map(|a| ('A'..='Z').map(move |b| format!("{a}{b}")));
        let assigned = all.filter(|code| {
            let is_assigned = CountryCode::new(code).is_ok();
            assert_eq!(is_assigned, code == "XK" || rust_iso3166::from_alpha2(code).is_some(), "{code}");
            is_assigned
        });
        assert_eq!(assigned.count(), 250);
        for bad in ["de", "De", "xk", "XA", "UK", "EU", "ZZ", "DEU", "D", "", "Ä"] {
            assert!(CountryCode::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_stored_code_is_checked_for_form_only() {
        assert_eq!(CountryCode::from_stored("YU").unwrap().as_str(), "YU");
        assert!(CountryCode::from_stored("yu").is_err());
    }
}
