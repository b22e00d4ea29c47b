//! The conditions of a search.

use std::{borrow::Cow, fmt};

use super::{Folded, ListField, TextField, TimeField};
use crate::{custom_field::CustomFieldKey, time::Timestamp};

/// One condition. All conditions of a query must hold.
///
/// Texts may be personal data, so `Debug` shows only the field and the comparison.
///
/// ```
/// use patron_domain::{customer::query::{Condition, Folded, TextField}, testkit::a_customer};
///
/// let acme = a_customer("acme").named("Acme Ltd").existing().customer;
/// let named = Condition::Contains(TextField::Name, Folded::new("ACME"));
/// assert!(named.holds(&acme));
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Condition {
    /// The text is one of these, case-sensitive; an empty list never matches. The empty text matches an absent one.
    OneOf(TextField, Texts),
    /// The text is none of these, case-sensitive; an empty list always matches.
    NoneOf(TextField, Texts),
    /// A text equals this, without regard to case.
    Same(TextField, Folded),
    /// A text contains this, without regard to case.
    Contains(TextField, Folded),
    /// A text begins with this, without regard to case.
    StartsWith(TextField, Folded),
    /// A text does not contain this, without regard to case.
    Lacks(TextField, Folded),
    /// A list contains one of these texts, or all of them. For an empty set, "one of" never matches and "all of" always does.
    Has {
        /// The list.
        field: ListField,
        /// The texts, as [`ListField::key`] makes them.
        texts: Texts,
        /// Whether it must contain all of them.
        all: bool,
    },
    /// A comparison of two times.
    Time(TimeField, Comparison, Timestamp),
    /// A custom field has one of these values, or all of them. For an empty set, "one of" never matches and "all of" always does.
    CustomHas {
        /// The field.
        key: CustomFieldKey,
        /// The values: see [`CustomValue::look_ups`](crate::custom_field::CustomValue::look_ups).
        look_ups: Texts,
        /// Whether it must have all of them.
        all: bool,
    },
    /// A comparison of a custom field with a value of the same type.
    Custom(CustomFieldKey, CustomComparison),
    /// The metadata has this value under this key, case-sensitive.
    Pair {
        /// The key.
        key: String,
        /// The value.
        value: String,
    },
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneOf(field, texts) => write!(f, "{field} is one of {} texts", texts.len()),
            Self::NoneOf(field, texts) => write!(f, "{field} is none of {} texts", texts.len()),
            Self::Same(field, _) => write!(f, "{field} is a text, in any case"),
            Self::Has { field, texts, all } => {
                write!(f, "{field} has {} of {} texts", if *all { "all" } else { "any" }, texts.len())
            }
            Self::Contains(field, _) => write!(f, "{field} contains a text"),
            Self::StartsWith(field, _) => write!(f, "{field} begins with a text"),
            Self::Lacks(field, _) => write!(f, "{field} lacks a text"),
            Self::Time(field, comparison, at) => write!(f, "{field} is {comparison:?} {at}"),
            Self::CustomHas { key, look_ups, all } => {
                let which = if *all { "all" } else { "any" };
                write!(f, "custom_fields.{key} has {which} of {} values", look_ups.len())
            }
            Self::Custom(key, _) => write!(f, "custom_fields.{key} is compared with a value"),
            Self::Pair { .. } => f.write_str("metadata has a pair"),
        }
    }
}

/// Distinct texts in order. They may be personal data, so `Debug` shows only their number.
///
/// ```
/// use patron_domain::{
///     customer::ExternalId,
///     customer::query::{Condition, FilterField, Operand, Operator, TextField, Texts},
/// };
///
/// let field = FilterField::Text(TextField::ExternalId);
/// let any_of = Operand::Array(vec!["acme".to_owned(), "umbrella".to_owned()]);
/// let Ok(Condition::OneOf(_, texts)) = Condition::filter(field, Operator::In, any_of) else { panic!() };
/// assert!(texts.contain("acme"));
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Texts(Vec<String>);

impl Texts {
    /// The texts.
    #[must_use]
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }

    /// Whether a text is one of these.
    #[must_use]
    pub fn contain(&self, text: &str) -> bool {
        self.0.binary_search_by(|known| known.as_str().cmp(text)).is_ok()
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

impl FromIterator<String> for Texts {
    fn from_iter<I: IntoIterator<Item = String>>(texts: I) -> Self {
        let mut texts: Vec<_> = texts.into_iter().collect();
        texts.sort_unstable();
        texts.dedup();
        Self(texts)
    }
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Texts({})", self.0.len())
    }
}

/// How a time compares with another.
///
/// ```
/// use patron_domain::{customer::query::{Comparison, Condition, TimeField}, testkit::{a_customer, a_time}};
///
/// let since = Condition::Time(TimeField::CreatedAt, Comparison::From, a_time());
/// assert!(since.holds(&a_customer("acme").existing().customer));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// Earlier.
    Before,
    /// Earlier or the same.
    UpTo,
    /// The same, to the microsecond.
    At,
    /// Later or the same.
    From,
    /// Later.
    After,
}

/// A comparison of a custom field, by its sort key. Values may be personal data, so `Debug` shows none.
///
/// ```
/// use patron_domain::customer::query::{Comparison, Condition, CustomComparison, FilterField, Operand, Operator};
///
/// let field = FilterField::parse("custom_fields.seats").unwrap();
/// let more = Condition::filter(field, Operator::Gt, Operand::Number("5".to_owned()));
/// let Ok(Condition::Custom(_, CustomComparison::Ordered { comparison, .. })) = more else { panic!() };
/// assert_eq!(comparison, Comparison::After);
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum CustomComparison {
    /// The field has no value.
    Unset,
    /// It has a value of the same type that compares like this with a sort key.
    Ordered {
        /// How it compares.
        comparison: Comparison,
        /// The sort key. Its first letter is the type.
        sort_key: String,
    },
    /// It is a text that contains this, without regard to case.
    Contains(Folded),
}

impl fmt::Debug for CustomComparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unset => f.write_str("Unset"),
            Self::Ordered { comparison, .. } => write!(f, "Ordered({comparison:?})"),
            Self::Contains(_) => f.write_str("Contains"),
        }
    }
}

impl Condition {
    /// The custom field that it is about, if any.
    #[must_use]
    pub fn custom_field(&self) -> Option<CustomFieldKey> {
        match self {
            Self::CustomHas { key, .. } | Self::Custom(key, _) => Some(*key),
            _ => None,
        }
    }

    /// The maximum number of texts in one condition.
    pub const MAX_VALUES: usize = 1_000;

    /// The number of values that it compares with.
    pub(super) fn values(&self) -> usize {
        match self {
            Self::OneOf(_, texts)
            | Self::NoneOf(_, texts)
            | Self::Has { texts, .. }
            | Self::CustomHas { look_ups: texts, .. } => texts.len(),
            Self::Custom(..) | Self::Same(..) | Self::Contains(..) | Self::StartsWith(..) | Self::Lacks(..) => 1,
            Self::Time(..) | Self::Pair { .. } => 1,
        }
    }

    /// The length of its texts in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::OneOf(_, texts)
            | Self::NoneOf(_, texts)
            | Self::Has { texts, .. }
            | Self::CustomHas { look_ups: texts, .. } => texts.as_slice().iter().map(String::len).sum(),
            Self::Same(_, text) | Self::Contains(_, text) | Self::StartsWith(_, text) | Self::Lacks(_, text) => {
                text.as_str().len()
            }
            Self::Custom(_, CustomComparison::Contains(text)) => text.as_str().len(),
            Self::Custom(_, CustomComparison::Ordered { sort_key, .. }) => sort_key.len(),
            Self::Custom(_, CustomComparison::Unset) | Self::Time(..) => 0,
            Self::Pair { key, value } => key.len() + value.len(),
        }
    }

    /// The name of the field that it compares.
    #[must_use]
    pub fn field(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::OneOf(field, _) | Self::NoneOf(field, _) | Self::Same(field, _) => field.as_str(),
            Self::Contains(field, _) | Self::StartsWith(field, _) | Self::Lacks(field, _) => field.as_str(),
            Self::Has { field, .. } => field.as_str(),
            Self::Time(field, ..) => field.as_str(),
            Self::Pair { .. } => "metadata",
            Self::CustomHas { key, .. } | Self::Custom(key, _) => return Cow::Owned(key.path()),
        })
    }

    /// Whether stores are expected to have an index for it, at least for values that few customers have.
    #[must_use]
    pub fn is_indexed(&self) -> bool {
        match self {
            Self::OneOf(TextField::Id | TextField::ExternalId | TextField::Name | TextField::Email, _) => true,
            Self::Same(TextField::Email, _) | Self::Has { .. } | Self::CustomHas { .. } | Self::Pair { .. } => true,
            Self::Time(field, ..) => *field == TimeField::CreatedAt,
            Self::OneOf(..) | Self::Same(..) | Self::Contains(..) | Self::StartsWith(..) => self.has_tokens(),
            Self::NoneOf(..) | Self::Lacks(..) | Self::Custom(..) => false,
        }
    }
}
