//! Tax ids: the numbers of a customer with tax authorities, checked offline by format and check digit.

use std::fmt;

use super::{ItemKind, TaxIdType, tax_id_type::Scheme};
use crate::{
    customer::CountryCode,
    event::CustomerField,
    ids::TaxIdKind,
    time::Timestamp,
    violation::{Rule, Violations},
};

/// A tax id.
///
/// ```
/// use patron_domain::customer::{TaxId, TaxIdType};
///
/// let eu_vat = TaxIdType::new("eu_vat").unwrap();
/// let vat = TaxId::new(eu_vat, "GR 094.259.216", false).unwrap();
/// assert_eq!((vat.value(), vat.country().unwrap().as_str()), ("EL094259216", "GR"));
/// assert!(TaxId::new(eu_vat, "EL094259217", false).is_err());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct TaxId {
    tax_id_type: TaxIdType,
    value: String,
    unchecked: bool,
}

/// Why a text is not a tax id of a type.
///
/// ```
/// use patron_domain::{customer::{TaxId, TaxIdError, TaxIdType}, violation::Rule};
///
/// let gst = TaxIdType::new("in_gst").unwrap();
/// assert_eq!(TaxId::new(gst, "27", false), Err(TaxIdError::Format { tax_id_type: gst }));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TaxIdError {
    /// It has the wrong form, or an impossible part.
    #[error(
        "value does not have the form of {tax_id_type:?}; correct it, or send \"unchecked\": true to keep it as it is"
    )]
    Format {
        /// The type.
        tax_id_type: TaxIdType,
    },
    /// Its check digit does not match the rest.
    #[error(
        "value is mistyped: the check digit of {tax_id_type:?} does not match; correct it, or send \
         \"unchecked\": true to keep it as it is"
    )]
    CheckDigit {
        /// The type.
        tax_id_type: TaxIdType,
    },
    /// It cannot be stored at all.
    #[error("value must have {MIN} to {MAX} letters and digits, not counting blanks, dots, hyphens and slashes")]
    Alphabet,
    /// It belongs to the United Kingdom, which has left the EU.
    #[error("value is a VAT number of the United Kingdom; send it as gb_vat")]
    NotOfTheEu,
}

impl Rule for TaxIdError {
    fn rule(&self) -> &'static str {
        match self {
            Self::CheckDigit { .. } => "tax_id_check_digit",
            Self::Format { .. } | Self::Alphabet | Self::NotOfTheEu => "tax_id_format",
        }
    }
}

/// The minimum number of characters.
const MIN: usize = 2;
/// The maximum number of characters.
const MAX: usize = 50;

impl TaxId {
    /// The maximum number of characters.
    pub const MAX_CHARS: usize = MAX;

    /// Checks a number of a type. It is stored in upper case without blanks, dots, hyphens and slashes, and a Greek VAT number
    /// begins with `EL`. Unchecked, any 2 to 50 letters and digits are accepted.
    ///
    /// # Errors
    /// If the number is invalid: see [`TaxIdError`].
    pub fn new(tax_id_type: TaxIdType, value: impl AsRef<str>, unchecked: bool) -> Result<Self, TaxIdError> {
        let value = normal(tax_id_type, value.as_ref()).ok_or(TaxIdError::Alphabet)?;
        if !unchecked {
            check(tax_id_type, &value)?;
        }
        Ok(Self { tax_id_type, value, unchecked })
    }

    /// Reads a stored tax id. It stays readable if a later version checks numbers of its type more strictly.
    ///
    /// # Errors
    /// If no version ever accepted it.
    pub fn from_stored(tax_id_type: TaxIdType, value: String, unchecked: bool) -> Result<Self, TaxIdError> {
        let value = normal(tax_id_type, &value).ok_or(TaxIdError::Alphabet)?;
        Ok(Self { tax_id_type, value, unchecked })
    }

    /// The type.
    #[must_use]
    pub fn tax_id_type(&self) -> TaxIdType {
        self.tax_id_type
    }

    /// The number.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Whether it was accepted without a check.
    #[must_use]
    pub fn is_unchecked(&self) -> bool {
        self.unchecked
    }

    /// The country that issued it, if the type or the number shows it.
    #[must_use]
    pub fn country(&self) -> Option<CountryCode> {
        let country = match (self.tax_id_type.country(), self.tax_id_type.scheme()) {
            (Some(country), _) => country,
            (None, Scheme::EuVat) => match self.value.get(..2)? {
                "EL" => "GR",
                // Northern Ireland has no code of its own.
                "XI" => "GB",
                country => country,
            },
            (None, _) => return None,
        };
        CountryCode::new(country).ok()
    }

    /// The form in which numbers of all types are searched.
    #[must_use]
    pub fn sought(value: &str) -> String {
        value.chars().filter(|one| !is_separator(*one)).flat_map(char::to_uppercase).collect()
    }
}

impl fmt::Debug for TaxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaxId({:?}, redacted)", self.tax_id_type)
    }
}

fn is_separator(character: char) -> bool {
    character.is_whitespace() || matches!(character, '.' | '-' | '/')
}

/// The stored form of a number; `None` if it cannot be one.
fn normal(tax_id_type: TaxIdType, value: &str) -> Option<String> {
    // No number is so long, whatever stands between its characters.
    if value.len() > 4 * MAX {
        return None;
    }
    let mut value = TaxId::sought(value);
    if tax_id_type.scheme() == Scheme::EuVat && value.starts_with("GR") {
        value.replace_range(..2, "EL");
    }
    // The last two stand in Mexico's numbers.
    let known = |one: char| one.is_ascii_alphanumeric() || matches!(one, '&' | 'Ñ');
    ((MIN..=MAX).contains(&value.chars().count()) && value.chars().all(known)).then_some(value)
}

fn check(tax_id_type: TaxIdType, value: &str) -> Result<(), TaxIdError> {
    let format = TaxIdError::Format { tax_id_type };
    match tax_id_type.scheme() {
        Scheme::Form => {
            // Mexico's numbers have two more characters.
            let is_mexican = tax_id_type.country() == Some("MX");
            let fits = value.chars().all(|one| one.is_ascii_alphanumeric() || is_mexican);
            if fits { Ok(()) } else { Err(format) }
        }
        Scheme::EuVat if value.starts_with("GB") => Err(TaxIdError::NotOfTheEu),
        Scheme::EuVat => match eu_vat::Vat::parse(value) {
            Ok(_) => Ok(()),
            Err(eu_vat::Error::BadChecksum) => Err(TaxIdError::CheckDigit { tax_id_type }),
            Err(_) => Err(format),
        },
        Scheme::Stdnum(name) => match stdnum::find(name).map(|scheme| scheme.validate(value)) {
            Some(Err(error)) if error.kind() == stdnum::ErrorKind::InvalidChecksum => {
                Err(TaxIdError::CheckDigit { tax_id_type })
            }
            Some(Err(_)) => Err(format),
            Some(Ok(_)) | None => Ok(()),
        },
    }
}

/// An update of a tax id. The number is checked again as a whole.
///
/// ```
/// use patron_domain::customer::TaxIdUpdate;
///
/// assert_eq!(TaxIdUpdate::default().value, None);
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct TaxIdUpdate {
    /// Another type.
    pub tax_id_type: Option<TaxIdType>,
    /// Another number.
    pub value: Option<String>,
    /// Whether to accept it without a check.
    pub unchecked: Option<bool>,
}

impl fmt::Debug for TaxIdUpdate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TaxIdUpdate(redacted)")
    }
}

impl ItemKind for TaxId {
    type Id = TaxIdKind;
    type Update = TaxIdUpdate;

    const NAME: &'static str = "tax_ids";
    const FIELD: CustomerField = CustomerField::TaxIds;

    fn update(&mut self, update: TaxIdUpdate, _at: Timestamp) -> Result<(), Violations> {
        let tax_id_type = update.tax_id_type.unwrap_or(self.tax_id_type);
        let value = update.value.unwrap_or_else(|| self.value.clone());
        let unchecked = update.unchecked.unwrap_or(self.unchecked);
        let mut broken = Violations::new();
        if let Some(new) = broken.check(|| "value".to_owned(), Self::new(tax_id_type, value, unchecked)) {
            *self = new;
        }
        broken.into_result()
    }

    fn is_same(&self, other: &Self) -> bool {
        (self.tax_id_type, &self.value) == (other.tax_id_type, &other.value)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn tax_id(name: &str, value: &str) -> Result<TaxId, TaxIdError> {
        TaxId::new(TaxIdType::new(name).unwrap(), value, false)
    }

    /// The vectors come from another implementation: `tests/tax_ids/vectors.py`.
    #[test]
    fn right_numbers_are_taken_and_wrong_ones_refused_as_python_stdnum_does() {
        let (mut right, mut wrong) = (BTreeMap::<_, usize>::new(), BTreeMap::<_, usize>::new());
        let mut faults = Vec::new();
        for line in include_str!("tax_ids.tsv").lines() {
            let [name, number, said] = *line.split('\t').collect::<Vec<_>>() else { panic!("{line}") };
            let found = tax_id(name, number);
            if found.is_ok() != (said == "right") {
                faults.push(format!("{line}: {:?}", found.map(|_| ())));
            }
            *if said == "right" { &mut right } else { &mut wrong }.entry(name).or_default() += 1;
        }
        assert!(faults.is_empty(), "{faults:#?}");
        for one in TaxIdType::all().filter(|one| one.is_checked()) {
            let counts = [&right, &wrong].map(|counts| counts.get(one.as_str()).copied().unwrap_or_default());
            assert!(counts.iter().all(|count| *count >= 5), "{one:?}: {counts:?}");
        }
    }

    #[test]
    fn numbers_are_kept_in_one_form() {
        for (name, given, kept, country) in [
            ("eu_vat", " de 136.695-976 ", "DE136695976", Some("DE")),
            ("eu_vat", "gr094259216", "EL094259216", Some("GR")),
            ("br_cnpj", "00.000.000/0001-91", "00000000000191", Some("BR")),
            ("ch_vat", "CHE-107.787.577 IVA", "CHE107787577IVA", Some("CH")),
            ("unknown", "ab-1", "AB1", None),
            ("sa_vat", "123456789012345", "123456789012345", Some("SA")),
            ("mx_rfc", "ñ&o 640115 7b9", "Ñ&O6401157B9", Some("MX")),
        ] {
            let found = tax_id(name, given).unwrap();
            assert_eq!((found.value(), found.country().map(|one| one.as_str().to_owned()).as_deref()), (kept, country));
        }
    }

    #[test]
    fn what_is_wrong_is_told_by_its_rule() {
        for (name, given, rule) in [
            ("eu_vat", "DE136695977", "tax_id_check_digit"),
            ("eu_vat", "DE1366959", "tax_id_format"),
            ("eu_vat", "GB980780684", "tax_id_format"),
            ("eu_vat", "US123456789", "tax_id_format"),
            ("gb_vat", "980780685", "tax_id_check_digit"),
            ("unknown", "a", "tax_id_format"),
            ("unknown", "", "tax_id_format"),
            ("unknown", "a_b", "tax_id_format"),
            ("sa_vat", "Ñ1", "tax_id_format"),
        ] {
            assert_eq!(tax_id(name, given).map_err(|error| error.rule()).map(|_| ()), Err(rule), "{name} {given}");
        }
        assert!(tax_id("unknown", &"x".repeat(50)).is_ok());
        assert!(tax_id("unknown", &"x".repeat(51)).is_err());
        let unchecked = TaxId::new(TaxIdType::new("eu_vat").unwrap(), "DE136695977", true).unwrap();
        assert!(unchecked.is_unchecked());
    }
}
