//! Custom fields as clients send them, before they are checked against the definitions.

use std::{collections::BTreeMap, fmt};

use super::CustomValue;

/// A value as a client sends it. It may be personal data, so `Debug` shows only its type.
///
/// ```
/// use patron_domain::custom_field::GivenValue;
///
/// assert_eq!(GivenValue::from(serde_json::json!(5)), GivenValue::Number("5".to_owned()));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub enum GivenValue {
    /// `null`.
    Null,
    /// A text.
    Text(String),
    /// A number, in its JSON form.
    Number(String),
    /// True or false.
    Boolean(bool),
    /// A list. An element that is not a text is `None`.
    List(Vec<Option<String>>),
    /// An object.
    Object,
}

impl GivenValue {
    /// Whether it clears a field: `null`, the empty text, or the empty list.
    pub(super) fn is_unset(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => text.is_empty(),
            Self::List(list) => list.is_empty(),
            Self::Number(_) | Self::Boolean(_) | Self::Object => false,
        }
    }

    /// Whether it is the JSON form of this value.
    pub(super) fn repeats(&self, value: &CustomValue) -> bool {
        match (self, value) {
            (Self::Text(given), CustomValue::Text(text)) => given == text.as_str(),
            (Self::Text(given), CustomValue::Decimal(number)) => *given == number.to_string(),
            (Self::Text(given), CustomValue::Date(date)) => *given == date.to_string(),
            (Self::Number(given), CustomValue::Integer(number)) => *given == number.get().to_string(),
            (Self::Boolean(given), CustomValue::Boolean(value)) => given == value,
            (Self::List(given), CustomValue::Texts(all)) => {
                given.iter().map(Option::as_deref).eq(all.iter().map(|text| Some(text.as_str())))
            }
            _ => false,
        }
    }
}

impl From<serde_json::Value> for GivenValue {
    fn from(value: serde_json::Value) -> Self {
        use serde_json::Value;
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Boolean(value),
            Value::Number(number) => Self::Number(number.to_string()),
            Value::String(text) => Self::Text(text),
            Value::Array(list) => Self::List(list.into_iter().map(|one| one.as_str().map(str::to_owned)).collect()),
            Value::Object(_) => Self::Object,
        }
    }
}

impl fmt::Debug for GivenValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "GivenValue(null)",
            Self::Text(_) => "GivenValue(text)",
            Self::Number(_) => "GivenValue(number)",
            Self::Boolean(_) => "GivenValue(boolean)",
            Self::List(_) => "GivenValue(list)",
            Self::Object => "GivenValue(object)",
        })
    }
}

/// Custom fields as a client sends them, by their keys. `Debug` shows only their number.
///
/// ```
/// use patron_domain::custom_field::{GivenFields, GivenValue};
///
/// let given: GivenFields = [("seats".to_owned(), GivenValue::Number("5".to_owned()))].into_iter().collect();
/// assert_eq!(format!("{given:?}"), "GivenFields(1)");
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct GivenFields(BTreeMap<String, GivenValue>);

impl GivenFields {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fields.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &GivenValue)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }
}

impl FromIterator<(String, GivenValue)> for GivenFields {
    fn from_iter<I: IntoIterator<Item = (String, GivenValue)>>(fields: I) -> Self {
        Self(fields.into_iter().collect())
    }
}

impl From<serde_json::Map<String, serde_json::Value>> for GivenFields {
    fn from(object: serde_json::Map<String, serde_json::Value>) -> Self {
        object.into_iter().map(|(key, value)| (key, value.into())).collect()
    }
}

impl fmt::Debug for GivenFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GivenFields({})", self.0.len())
    }
}

/// The custom fields in an update of a customer.
///
/// ```
/// use patron_domain::custom_field::{CustomFieldsChange, GivenFields};
///
/// assert_ne!(CustomFieldsChange::default(), CustomFieldsChange::Replace(GivenFields::default()));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum CustomFieldsChange {
    /// They stay as they are.
    #[default]
    Keep,
    /// These replace all of them.
    Replace(GivenFields),
    /// A merge key by key; unset values remove theirs (JSON merge patch: RFC 7396).
    Merge(GivenFields),
}
