//! The vocabulary of a query: the fields to filter and sort by, and the operators.

use std::{borrow::Cow, fmt};

use crate::{UnknownWord, custom_field::CustomFieldKey, words::words};

macro_rules! text_fields {
    ($($wire:ident: $type:ident, $variant:ident, [$($place:tt)+], $unset:ident, $says:literal;)+) => {
        /// A field with a text. An absent text is the empty one, as answers show it.
        ///
        /// ```
        /// use patron_domain::{customer::ExternalId, customer::query::TextField};
        ///
        /// assert_eq!(TextField::parse("external_id"), Ok(TextField::ExternalId));
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum TextField {
            /// The customer's id.
            Id,
            /// The id in the client's own system.
            ExternalId,
            $(#[doc = $says] $variant,)+
        }

        words!(
            TextField,
            concat!("id, external_id", $(", ", stringify!($wire),)+),
            Id => "id",
            ExternalId => "external_id",
            $($variant => stringify!($wire),)+
        );

        /// The names of all fields.
        const FILTERED: &str = concat!(
            "id, external_id", $(", ", stringify!($wire),)+ ", created_at, updated_at, contact_persons.email, tags, tax_ids.value, custom_fields.<key>",
        );

        /// The names of all fields that have one value.
        const SORTED: &str = concat!(
            "created_at, updated_at, id, external_id", $(", ", stringify!($wire),)+ ", custom_fields.<key>",
        );
    };
}

crate::customer_texts!(text_fields);

/// A field with several texts.
///
/// ```
/// use patron_domain::customer::query::ListField;
///
/// assert_eq!(ListField::parse("tags"), Ok(ListField::Tags));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ListField {
    /// The e-mail addresses of the contact persons, without regard to case.
    ContactEmail,
    /// The tags, case-sensitive.
    Tags,
    /// The values of the tax ids, without separators.
    TaxIdValue,
}

words!(
    ListField,
    "contact_persons.email, tags, tax_ids.value",
    ContactEmail => "contact_persons.email",
    Tags => "tags",
    TaxIdValue => "tax_ids.value",
);

/// A field with a time.
///
/// ```
/// use patron_domain::customer::query::TimeField;
///
/// assert_eq!(TimeField::parse("created_at"), Ok(TimeField::CreatedAt));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeField {
    /// When the customer was created.
    CreatedAt,
    /// When it was last changed.
    UpdatedAt,
}

words!(TimeField, "created_at, updated_at", CreatedAt => "created_at", UpdatedAt => "updated_at");

/// A field that can be used in a filter.
///
/// ```
/// use patron_domain::customer::query::{FilterField, TimeField};
///
/// assert_eq!(FilterField::parse("created_at"), Ok(FilterField::Time(TimeField::CreatedAt)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FilterField {
    /// A text.
    Text(TextField),
    /// A time.
    Time(TimeField),
    /// Several texts.
    List(ListField),
    /// A custom field.
    Custom(CustomFieldKey),
}

/// Before the key of a custom field.
const CUSTOM: &str = "custom_fields.";

/// The custom field with a name.
fn custom(word: &str) -> Option<CustomFieldKey> {
    CustomFieldKey::new(word.strip_prefix(CUSTOM)?).ok()
}

impl FilterField {
    /// Every field, except custom fields.
    pub fn all() -> impl Iterator<Item = Self> {
        let texts = TextField::ALL.iter().copied().map(Self::Text);
        let times = TimeField::ALL.iter().copied().map(Self::Time);
        texts.chain(times).chain(ListField::ALL.iter().copied().map(Self::List))
    }

    /// The field with a name.
    ///
    /// # Errors
    /// For any other word; the error lists the allowed ones.
    pub fn parse(word: &str) -> Result<Self, UnknownWord> {
        let known = Self::all().find(|field| field.name() == word);
        known.or(custom(word).map(Self::Custom)).ok_or(UnknownWord { allowed: FILTERED })
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Text(field) => field.as_str(),
            Self::Time(field) => field.as_str(),
            Self::List(field) => field.as_str(),
            Self::Custom(key) => return Cow::Owned(format!("{CUSTOM}{key}")),
        })
    }
}

/// How a filter compares.
///
/// ```
/// use patron_domain::customer::query::Operator;
///
/// assert_eq!(Operator::parse("contains"), Ok(Operator::Contains));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// Equals this, case-sensitive.
    Eq,
    /// Equals this, without regard to case.
    Ieq,
    /// Contains this text, without regard to case.
    Contains,
    /// Begins with this text, without regard to case.
    StartsWith,
    /// Does not contain this text, in any case.
    NotContains,
    /// Is later than this.
    Gt,
    /// Is at this time or later.
    Gte,
    /// Is earlier than this.
    Lt,
    /// Is one of these, case-sensitive.
    In,
    /// Is none of these, case-sensitive.
    NotIn,
    /// Is earlier than this.
    Before,
    /// Is later than this.
    After,
    /// Has all of these.
    ContainsAll,
    /// Has one of these.
    ContainsAny,
}

words!(
    Operator,
    "eq, ieq, contains, starts_with, not_contains, gt, gte, lt, in, not_in, before, after, contains_all, contains_any",
    Eq => "eq",
    Ieq => "ieq",
    Contains => "contains",
    StartsWith => "starts_with",
    NotContains => "not_contains",
    Gt => "gt",
    Gte => "gte",
    Lt => "lt",
    In => "in",
    NotIn => "not_in",
    Before => "before",
    After => "after",
    ContainsAll => "contains_all",
    ContainsAny => "contains_any",
);

/// The declared type of a filter's value.
///
/// ```
/// use patron_domain::customer::query::{DataType, Operand};
///
/// assert_eq!(Operand::Text("acme".to_owned()).data_type(), DataType::String);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DataType {
    /// A text.
    String,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A date and time.
    Date,
    /// A list of texts.
    Array,
}

words!(
    DataType,
    "string, number, boolean, date, array",
    String => "string",
    Number => "number",
    Boolean => "boolean",
    Date => "date",
    Array => "array",
);

/// A field that lists can be sorted by: any with one value. Texts are sorted by their bytes without regard to case
/// ([`Folded`](super::Folded)), ids and external ids with it.
///
/// ```
/// use patron_domain::customer::query::{SortField, TimeField};
///
/// assert_eq!(SortField::parse("created_at"), Ok(SortField::Time(TimeField::CreatedAt)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SortField {
    /// A time.
    Time(TimeField),
    /// A text.
    Text(TextField),
    /// A custom field: texts as other texts, numbers and dates by their values. Without a value it comes first. Lists of texts have
    /// no order.
    Custom(CustomFieldKey),
}

impl SortField {
    /// Every field, except custom fields.
    pub fn all() -> impl Iterator<Item = Self> {
        let times = TimeField::ALL.iter().copied().map(Self::Time);
        times.chain(TextField::ALL.iter().copied().map(Self::Text))
    }

    /// The field with a name.
    ///
    /// # Errors
    /// For any other word; the error names those allowed.
    pub fn parse(word: &str) -> Result<Self, UnknownWord> {
        let known = Self::all().find(|field| field.name() == word);
        known.or(custom(word).map(Self::Custom)).ok_or(UnknownWord { allowed: SORTED })
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Time(field) => field.as_str(),
            Self::Text(field) => field.as_str(),
            Self::Custom(key) => return Cow::Owned(format!("{CUSTOM}{key}")),
        })
    }

    /// Whether stores are expected to have an index in this order.
    #[must_use]
    pub fn is_indexed(self) -> bool {
        matches!(
            self,
            Self::Time(TimeField::CreatedAt)
                | Self::Text(TextField::Id | TextField::ExternalId | TextField::Name | TextField::Email)
        )
    }

    /// The direction of a sort without one: newest first for times, ascending for texts.
    #[must_use]
    pub fn usual_direction(self) -> Direction {
        match self {
            Self::Time(_) => Direction::Desc,
            Self::Text(_) | Self::Custom(_) => Direction::Asc,
        }
    }
}

impl fmt::Display for SortField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

/// The direction of a sort.
///
/// ```
/// use patron_domain::customer::query::Direction;
///
/// assert_eq!(Direction::parse("asc"), Ok(Direction::Asc));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Direction {
    /// The smallest or earliest first.
    Asc,
    /// The largest or latest first.
    #[default]
    Desc,
}

words!(Direction, "asc, desc", Asc => "asc", Desc => "desc");

/// Related data that a response can include for each customer.
///
/// ```
/// use patron_domain::customer::query::Expansion;
///
/// assert_eq!(Expansion::parse("integrations"), Ok(Expansion::Integrations));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Expansion {
    /// Its published mappings.
    Integrations,
}

words!(Expansion, "integrations", Integrations => "integrations");

#[cfg(test)]
mod tests {
    use super::{FilterField, SortField};

    #[test]
    fn every_field_is_named_to_who_names_none() {
        let named = |message: String| {
            let words = message.trim_start_matches("must be one of: ").to_owned();
            let words = words.strip_suffix(", custom_fields.<key>").unwrap();
            words.split(", ").map(str::to_owned).collect::<Vec<_>>()
        };
        let filtered = named(FilterField::parse("nickname").unwrap_err().to_string());
        assert_eq!(filtered, FilterField::all().map(FilterField::name).collect::<Vec<_>>());
        for field in FilterField::all() {
            assert_eq!(FilterField::parse(&field.name()), Ok(field));
        }
        let sorted = named(SortField::parse("tags").unwrap_err().to_string());
        assert_eq!(sorted, SortField::all().map(SortField::name).collect::<Vec<_>>());
        let seats = SortField::parse("custom_fields.seats").unwrap();
        assert_eq!(seats.name(), "custom_fields.seats");
        assert_eq!(FilterField::parse("custom_fields.seats").unwrap().name(), "custom_fields.seats");
        for other in ["custom_fields", "custom_fields.", "custom_fields.Seats", "custom_fields.a.b", "seats"] {
            assert!(SortField::parse(other).is_err() && FilterField::parse(other).is_err(), "{other}");
        }
    }
}
