//! The values of custom fields.

use std::{collections::BTreeMap, fmt};

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{CustomFieldKey, SortKey};
use crate::{tax::parse_decimal, text::text_newtype, violation::Rule};

text_newtype! {
    /// A text in a custom field: 1–500 characters, not blank, no control characters.
    personal CustomText, CustomTextError, "the text", max 500, not_blank true
}

/// Why a value is not one of the field's type. It does not contain the value, which may be personal data.
///
/// ```
/// use patron_domain::custom_field::{CustomDate, CustomValueError};
///
/// assert_eq!(CustomDate::new("31.1.2026").err(), Some(CustomValueError::Date));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CustomValueError {
    /// The value has another JSON type.
    #[error("must be {0}")]
    Type(&'static str),
    /// The number is too large for most programs.
    #[error("must be between -9007199254740991 and 9007199254740991")]
    Range,
    /// The text is not a decimal number, or has too many digits.
    #[error("must be a decimal number of at most 28 digits, such as \"12.50\"")]
    Decimal,
    /// The text is not a date.
    #[error("must be a date of the calendar, such as 2026-01-31")]
    Date,
    /// The text breaks a rule of texts.
    #[error("{0}")]
    Text(crate::TextFault),
    /// The text is not one of the options.
    #[error("must be one of the options of this custom field")]
    Option,
    /// An option is repeated.
    #[error("names this option twice; send each once")]
    Twice,
}

impl Rule for CustomValueError {
    fn rule(&self) -> &'static str {
        match self {
            Self::Type(_) => "type",
            Self::Range => "range",
            Self::Decimal => "decimal",
            Self::Date => "date",
            Self::Text(fault) => fault.rule(),
            Self::Option => "one_of",
            Self::Twice => "unique",
        }
    }
}

/// A whole number that every program reads exactly (RFC 8259, 6).
///
/// ```
/// use patron_domain::custom_field::CustomInteger;
///
/// assert!(CustomInteger::new(CustomInteger::MAX).is_ok() && CustomInteger::new(CustomInteger::MAX + 1).is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CustomInteger(i64);

impl CustomInteger {
    /// The largest number; the smallest is its negative.
    pub const MAX: i64 = 9_007_199_254_740_991;

    /// Checks the range.
    ///
    /// # Errors
    /// [`CustomValueError::Range`] outside it.
    pub fn new(number: i64) -> Result<Self, CustomValueError> {
        if (-Self::MAX..=Self::MAX).contains(&number) { Ok(Self(number)) } else { Err(CustomValueError::Range) }
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> i64 {
        self.0
    }
}

/// An exact decimal number of at most 28 digits. Trailing zeros are dropped.
///
/// ```
/// use patron_domain::custom_field::CustomDecimal;
///
/// assert_eq!(CustomDecimal::new("12.50").unwrap().to_string(), "12.5");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CustomDecimal(Decimal);

impl CustomDecimal {
    /// Parses the text.
    ///
    /// # Errors
    /// [`CustomValueError::Decimal`] for other texts.
    pub fn new(text: &str) -> Result<Self, CustomValueError> {
        parse_decimal(text).map(Self).map_err(|_| CustomValueError::Decimal)
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> Decimal {
        self.0
    }
}

impl fmt::Display for CustomDecimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A date of the calendar, without a time zone, from year 1 to 9999.
///
/// ```
/// use patron_domain::custom_field::CustomDate;
///
/// assert_eq!(CustomDate::new("2024-02-29").unwrap().to_string(), "2024-02-29");
/// assert!(CustomDate::new("2026-02-29").is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CustomDate(NaiveDate);

impl CustomDate {
    /// Parses `YYYY-MM-DD`.
    ///
    /// # Errors
    /// [`CustomValueError::Date`] for other texts.
    pub fn new(text: &str) -> Result<Self, CustomValueError> {
        let is_plain = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        let date = text.parse::<NaiveDate>().ok().filter(|date| is_plain && date.to_string() == text);
        date.filter(|_| !text.starts_with("0000")).map(Self).ok_or(CustomValueError::Date)
    }
}

impl fmt::Display for CustomDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The value of a custom field. It may be personal data, so `Debug` shows only its type.
///
/// ```
/// use patron_domain::custom_field::CustomValue;
///
/// assert_eq!(format!("{:?}", CustomValue::Boolean(true)), "CustomValue(boolean)");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub enum CustomValue {
    /// Of a field of the type `string` or `select`.
    Text(CustomText),
    /// Of a field of the type `integer`.
    Integer(CustomInteger),
    /// Of a field of the type `decimal`.
    Decimal(CustomDecimal),
    /// Of a field of the type `boolean`.
    Boolean(bool),
    /// Of a field of the type `date`.
    Date(CustomDate),
    /// Of a field of the type `multi_select`: distinct texts, in the order given.
    Texts(Vec<CustomText>),
}

impl CustomValue {
    /// The sort key.
    pub(crate) fn sort_key(&self) -> String {
        SortKey::of(self)
    }

    /// The texts under which the value is looked up: one, or one for each element of a list. Equal values have equal texts.
    #[must_use]
    pub fn look_ups(&self) -> Vec<String> {
        let text = |text: &CustomText| Self::look_up_text(text.as_str());
        match self {
            Self::Text(one) => vec![text(one)],
            Self::Texts(all) => all.iter().map(text).collect(),
            Self::Integer(_) | Self::Decimal(_) | Self::Boolean(_) | Self::Date(_) => vec![self.sort_key()],
        }
    }

    /// The text under which a text is looked up: case-sensitive.
    pub(crate) fn look_up_text(text: &str) -> String {
        format!("{}{text}", SortKey::TEXT)
    }

    /// About the number of bytes in a document.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.as_str().len() * 2,
            Self::Texts(all) => all.iter().map(|text| text.as_str().len() + 3).sum(),
            Self::Integer(_) | Self::Decimal(_) | Self::Boolean(_) | Self::Date(_) => 100,
        }
    }

    /// Writes the value in its JSON form: decimals and dates are texts.
    pub(crate) fn write<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => to.serialize_str(text.as_str()),
            Self::Integer(number) => to.serialize_i64(number.get()),
            Self::Decimal(number) => to.collect_str(number),
            Self::Boolean(value) => to.serialize_bool(*value),
            Self::Date(date) => to.collect_str(date),
            Self::Texts(all) => to.collect_seq(all.iter().map(CustomText::as_str)),
        }
    }
}

impl fmt::Debug for CustomValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::Text(_) => "text",
            Self::Integer(_) => "integer",
            Self::Decimal(_) => "decimal",
            Self::Boolean(_) => "boolean",
            Self::Date(_) => "date",
            Self::Texts(_) => "texts",
        };
        write!(f, "CustomValue({kind})")
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for CustomValue {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.write(serializer)
    }
}

/// The custom fields of a customer, in the order of their keys. Only a checked change makes one: see
/// [`CustomFieldFacts`](super::CustomFieldFacts).
///
/// ```
/// use patron_domain::custom_field::CustomFields;
///
/// assert!(CustomFields::default().is_empty());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CustomFields(BTreeMap<CustomFieldKey, CustomValue>);

impl CustomFields {
    /// The value of a field.
    #[must_use]
    pub fn get(&self, key: CustomFieldKey) -> Option<&CustomValue> {
        self.0.get(&key)
    }

    /// The fields with a value.
    pub fn iter(&self) -> impl Iterator<Item = (CustomFieldKey, &CustomValue)> {
        self.0.iter().map(|(key, value)| (*key, value))
    }

    /// The number of fields with a value.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no field has a value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The sort key of a field; empty if it has no value.
    pub(crate) fn sort_key(&self, key: CustomFieldKey) -> String {
        self.get(key).map(CustomValue::sort_key).unwrap_or_default()
    }

    pub(crate) fn set(&mut self, key: CustomFieldKey, value: CustomValue) {
        self.0.insert(key, value);
    }

    /// Removes a value, and returns whether there was one.
    pub(crate) fn remove(&mut self, key: CustomFieldKey) -> bool {
        self.0.remove(&key).is_some()
    }
}

impl FromIterator<(CustomFieldKey, CustomValue)> for CustomFields {
    fn from_iter<I: IntoIterator<Item = (CustomFieldKey, CustomValue)>>(fields: I) -> Self {
        Self(fields.into_iter().collect())
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for CustomFields {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{CustomDate, CustomDecimal, CustomInteger, CustomText};

    #[test]
    fn dates_are_of_the_calendar_and_written_in_one_way() {
        for text in ["2024-02-29", "0001-01-01", "9999-12-31"] {
            assert_eq!(CustomDate::new(text).map(|date| date.to_string()).as_deref(), Ok(text));
        }
        for text in ["", "2026-02-29", "2026-1-1", "0000-01-01", "10000-01-01", "2026-01-31T00:00:00Z", " 2026-01-01"] {
            assert!(CustomDate::new(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn numbers_and_texts_are_taken_up_to_their_limits() {
        assert!(CustomInteger::new(-CustomInteger::MAX).is_ok());
        assert!(CustomInteger::new(-CustomInteger::MAX - 1).is_err());
        assert!(CustomDecimal::new(&"9".repeat(28)).is_ok());
        assert!(CustomDecimal::new(&"9".repeat(29)).is_err());
        assert!(CustomText::new("ä".repeat(500)).is_ok());
        assert!(CustomText::new("ä".repeat(501)).is_err());
        assert!(CustomText::new(" ").is_err() && CustomText::new("a\n").is_err());
    }
}
