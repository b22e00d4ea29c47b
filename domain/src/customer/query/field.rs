//! The words of a query: which fields can be filtered and sorted by, and how.

use crate::{UnknownWord, words::words};

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
    /// The name.
    Name,
    /// The e-mail address.
    Email,
    /// The contact number.
    Contact,
    /// The first line of the address.
    AddressLine1,
    /// The second line of the address.
    AddressLine2,
    /// The city.
    AddressCity,
    /// The state.
    AddressState,
    /// The postal code.
    AddressPostalCode,
    /// The country.
    AddressCountry,
    /// The time zone.
    Timezone,
}

words!(
    TextField,
    "id, external_id, name, email, contact, address_line1, address_line2, address_city, address_state, \
     address_postal_code, address_country, timezone",
    Id => "id",
    ExternalId => "external_id",
    Name => "name",
    Email => "email",
    Contact => "contact",
    AddressLine1 => "address_line1",
    AddressLine2 => "address_line2",
    AddressCity => "address_city",
    AddressState => "address_state",
    AddressPostalCode => "address_postal_code",
    AddressCountry => "address_country",
    Timezone => "timezone",
);

/// A text field that can be searched without regard to case, within the text.
///
/// ```
/// use patron_domain::customer::query::FoldedField;
///
/// assert_eq!(FoldedField::parse("name"), Ok(FoldedField::Name));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FoldedField {
    /// The id in the client's own system.
    ExternalId,
    /// The name.
    Name,
    /// The e-mail address.
    Email,
}

words!(FoldedField, "external_id, name, email", ExternalId => "external_id", Name => "name", Email => "email");

impl TextField {
    /// The same field as one that can be searched within.
    #[must_use]
    pub fn folded(self) -> Option<FoldedField> {
        match self {
            Self::ExternalId => Some(FoldedField::ExternalId),
            Self::Name => Some(FoldedField::Name),
            Self::Email => Some(FoldedField::Email),
            _ => None,
        }
    }
}

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

/// A field that can be filtered by.
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
}

impl FilterField {
    /// The field with a name.
    ///
    /// # Errors
    /// For any other word; the error names those allowed.
    pub fn parse(word: &str) -> Result<Self, UnknownWord> {
        let text = TextField::parse(word).map(Self::Text);
        text.or_else(|_| TimeField::parse(word).map(Self::Time)).map_err(|_| UnknownWord {
            allowed: "id, external_id, name, email, contact, address_line1, address_line2, address_city, \
                      address_state, address_postal_code, address_country, timezone, created_at, updated_at",
        })
    }

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text(field) => field.as_str(),
            Self::Time(field) => field.as_str(),
        }
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
    /// Is this, with its case.
    Eq,
    /// Holds this text, in any case.
    Contains,
    /// Does not hold this text, in any case.
    NotContains,
    /// Is later than this.
    Gt,
    /// Is this time or later.
    Gte,
    /// Is earlier than this.
    Lt,
    /// Is one of these, with their case.
    In,
    /// Is none of these, with their case.
    NotIn,
    /// Is earlier than this.
    Before,
    /// Is later than this.
    After,
}

words!(
    Operator,
    "eq, contains, not_contains, gt, gte, lt, in, not_in, before, after",
    Eq => "eq",
    Contains => "contains",
    NotContains => "not_contains",
    Gt => "gt",
    Gte => "gte",
    Lt => "lt",
    In => "in",
    NotIn => "not_in",
    Before => "before",
    After => "after",
);

/// What a filter's value is said to be.
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

/// A field that lists can be sorted by. Text is sorted by its bytes: names and e-mail addresses without regard to case.
///
/// ```
/// use patron_domain::customer::query::SortField;
///
/// assert_eq!(SortField::parse("created_at"), Ok(SortField::CreatedAt));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SortField {
    /// When the customer was created.
    CreatedAt,
    /// When it was last changed.
    UpdatedAt,
    /// The id in the client's own system.
    ExternalId,
    /// The name.
    Name,
    /// The e-mail address.
    Email,
}

words!(
    SortField,
    "created_at, updated_at, external_id, name, email",
    CreatedAt => "created_at",
    UpdatedAt => "updated_at",
    ExternalId => "external_id",
    Name => "name",
    Email => "email",
);

impl SortField {
    /// The direction of a sort that names none: what is newest first, text from its beginning.
    #[must_use]
    pub fn usual_direction(self) -> Direction {
        match self {
            Self::CreatedAt | Self::UpdatedAt => Direction::Desc,
            Self::ExternalId | Self::Name | Self::Email => Direction::Asc,
        }
    }
}

/// Which end of a list comes first.
///
/// ```
/// use patron_domain::customer::query::Direction;
///
/// assert_eq!(Direction::parse("asc"), Ok(Direction::Asc));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Direction {
    /// The smallest or earliest.
    Asc,
    /// The largest or latest.
    #[default]
    Desc,
}

words!(Direction, "asc, desc", Asc => "asc", Desc => "desc");

/// What else an answer shows of each customer.
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
    use super::{FilterField, TextField, TimeField};

    #[test]
    fn every_field_that_can_be_filtered_by_is_named_to_who_names_none() {
        let message = FilterField::parse("nickname").unwrap_err().to_string();
        let words: Vec<_> = message.trim_start_matches("must be one of: ").split(", ").collect();
        let fields = TextField::ALL.iter().map(|field| field.as_str());
        let fields: Vec<_> = fields.chain(TimeField::ALL.iter().map(|field| field.as_str())).collect();
        assert_eq!(words, fields);
        for word in fields {
            assert_eq!(FilterField::parse(word).map(FilterField::as_str), Ok(word));
        }
    }
}
