//! The vocabulary of a query: the fields to filter and sort by, and the operators.

use crate::{UnknownWord, words::words};

/// A text field. An absent text counts as the empty one, as responses show it.
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

/// A text field that can be searched for a part, in any case.
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
    /// The same field for a search within its text, if that is possible.
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

/// A time field.
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
}

impl FilterField {
    /// The field with a name.
    ///
    /// # Errors
    /// For any other word; the error lists the allowed ones.
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
    /// Equals this, case-sensitive.
    Eq,
    /// Contains this text, in any case.
    Contains,
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

/// A field that lists can be sorted by. Text is sorted by its bytes; names and e-mail addresses in any case.
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
    /// The direction when none is given: the newest first for times, ascending for text.
    #[must_use]
    pub fn usual_direction(self) -> Direction {
        match self {
            Self::CreatedAt | Self::UpdatedAt => Direction::Desc,
            Self::ExternalId | Self::Name | Self::Email => Direction::Asc,
        }
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
    use super::{FilterField, TextField, TimeField};

    #[test]
    fn the_error_for_an_unknown_field_lists_every_filter_field() {
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
