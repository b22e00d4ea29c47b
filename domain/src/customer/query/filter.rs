//! Filters as clients write them: a field, an operator and a value, and which combinations are valid.

use std::fmt;

use super::{
    Comparison, Condition, CustomComparison, DataType, FilterField, Folded, ListField, Operator, TextField, TimeField,
};
use crate::{
    custom_field::{CustomDate, CustomDecimal, CustomFieldKey, CustomValue, SortKey},
    time::Timestamp,
    violation::Rule,
};

/// The value of a filter. It may be personal data, so `Debug` shows only its type.
///
/// ```
/// use patron_domain::{customer::query::{DataType, Operand}, testkit::a_time};
///
/// assert_eq!(Operand::Date(a_time()).data_type(), DataType::Date);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub enum Operand {
    /// A text.
    Text(String),
    /// A number, in its JSON form. Only custom fields take one.
    Number(String),
    /// True or false. Only custom fields take one.
    Boolean(bool),
    /// A date and time.
    Date(Timestamp),
    /// A date. Only custom fields take one.
    Day(CustomDate),
    /// Texts.
    Array(Vec<String>),
}

impl Operand {
    /// Its type.
    #[must_use]
    pub fn data_type(&self) -> DataType {
        match self {
            Self::Text(_) => DataType::String,
            Self::Number(_) => DataType::Number,
            Self::Boolean(_) => DataType::Boolean,
            Self::Date(_) | Self::Day(_) => DataType::Date,
            Self::Array(_) => DataType::Array,
        }
    }
}

impl fmt::Debug for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Operand({})", self.data_type())
    }
}

/// Why a field, an operator and a value do not form a filter.
///
/// ```
/// use patron_domain::{
///     customer::query::{Condition, FilterError, FilterField, Operand, Operator, TimeField},
///     testkit::a_time,
/// };
///
/// let field = FilterField::Time(TimeField::CreatedAt);
/// let refused = Condition::filter(field, Operator::Contains, Operand::Date(a_time()));
/// assert!(matches!(refused, Err(FilterError::Operator { field: "created_at", .. })));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// The field does not take this operator.
    #[error("{field} takes the operators {allowed}")]
    Operator {
        /// The field's name.
        field: &'static str,
        /// The operators that it takes.
        allowed: &'static str,
    },
    /// The operator needs a value of another type for this field.
    #[error("the operator {operator} of {field} needs a value of type {expected}")]
    Operand {
        /// The field's name.
        field: &'static str,
        /// The operator's name.
        operator: &'static str,
        /// The type it needs.
        expected: DataType,
    },
    /// Every text holds the empty one, and every list all of none.
    #[error("value must not be empty: everybody would be found")]
    Empty,
    /// There are too many values.
    #[error("value must have at most {max} elements", max = Condition::MAX_VALUES)]
    TooMany,
}

impl Rule for FilterError {
    fn rule(&self) -> &'static str {
        match self {
            Self::Operator { .. } => "operator",
            Self::Operand { .. } => "type",
            Self::Empty => "required",
            Self::TooMany => "max_items",
        }
    }
}

impl Condition {
    /// Builds the condition of a filter.
    ///
    /// # Errors
    /// When the field does not take the operator, or the operator does not take the value.
    pub fn filter(field: FilterField, operator: Operator, operand: Operand) -> Result<Self, FilterError> {
        match field {
            FilterField::Text(field) => Self::text(field, operator, operand),
            FilterField::Time(field) => Self::time(field, operator, operand),
            FilterField::List(field) => Self::list(field, operator, operand),
            FilterField::Custom(key) => Self::custom(key, operator, operand),
        }
    }

    fn text(field: TextField, operator: Operator, operand: Operand) -> Result<Self, FilterError> {
        let mismatch = |expected| FilterError::Operand { field: field.as_str(), operator: operator.as_str(), expected };
        match (operator, operand) {
            (Operator::Eq, Operand::Text(text)) => Ok(Self::OneOf(field, [text].into_iter().collect())),
            (Operator::In | Operator::NotIn, Operand::Array(texts)) if texts.len() > Self::MAX_VALUES => {
                Err(FilterError::TooMany)
            }
            (Operator::In, Operand::Array(texts)) => Ok(Self::OneOf(field, texts.into_iter().collect())),
            (Operator::NotIn, Operand::Array(texts)) => Ok(Self::NoneOf(field, texts.into_iter().collect())),
            (Operator::Ieq | Operator::Contains | Operator::StartsWith | Operator::NotContains, _)
                if field == TextField::Id =>
            {
                Err(FilterError::Operator { field: field.as_str(), allowed: "eq, in, not_in" })
            }
            (Operator::Ieq, Operand::Text(text)) => Ok(Self::Same(field, Folded::new(&text))),
            (Operator::Contains | Operator::StartsWith | Operator::NotContains, Operand::Text(text)) => {
                let text = Folded::new(&text);
                match operator {
                    _ if text.as_str().is_empty() => Err(FilterError::Empty),
                    Operator::Contains => Ok(Self::Contains(field, text)),
                    Operator::StartsWith => Ok(Self::StartsWith(field, text)),
                    _ => Ok(Self::Lacks(field, text)),
                }
            }
            (Operator::Eq | Operator::Ieq | Operator::Contains | Operator::StartsWith | Operator::NotContains, _) => {
                Err(mismatch(DataType::String))
            }
            (Operator::In | Operator::NotIn, _) => Err(mismatch(DataType::Array)),
            _ => Err(FilterError::Operator {
                field: field.as_str(),
                allowed: "eq, ieq, in, not_in, contains, starts_with, not_contains; dates alone can be earlier or later",
            }),
        }
    }

    fn list(field: ListField, operator: Operator, operand: Operand) -> Result<Self, FilterError> {
        let mismatch = |expected| FilterError::Operand { field: field.as_str(), operator: operator.as_str(), expected };
        let has = |texts: Vec<String>, all| {
            let texts = texts.iter().map(|text| field.key(text)).collect();
            Ok(Self::Has { field, texts, all })
        };
        match (operator, operand) {
            (Operator::Eq, Operand::Text(text)) => has(vec![text], true),
            (Operator::Eq, _) => Err(mismatch(DataType::String)),
            (Operator::In | Operator::ContainsAny | Operator::ContainsAll, Operand::Array(texts)) => {
                if texts.len() > Self::MAX_VALUES {
                    return Err(FilterError::TooMany);
                }
                let all = operator == Operator::ContainsAll;
                if all && texts.is_empty() { Err(FilterError::Empty) } else { has(texts, all) }
            }
            (Operator::In | Operator::ContainsAny | Operator::ContainsAll, _) => Err(mismatch(DataType::Array)),
            _ => Err(FilterError::Operator { field: field.as_str(), allowed: "eq, in, contains_all, contains_any" }),
        }
    }

    fn custom(key: CustomFieldKey, operator: Operator, operand: Operand) -> Result<Self, FilterError> {
        const FIELD: &str = "a custom field";
        let mismatch = |expected| FilterError::Operand { field: FIELD, operator: operator.as_str(), expected };
        let comparison = match operator {
            Operator::Eq => Comparison::At,
            Operator::Gt | Operator::After => Comparison::After,
            Operator::Gte => Comparison::From,
            Operator::Lt | Operator::Before => Comparison::Before,
            Operator::Ieq | Operator::Contains => {
                let Operand::Text(text) = operand else { return Err(mismatch(DataType::String)) };
                let folded = Folded::new(&text);
                return match operator {
                    _ if text.is_empty() => Err(FilterError::Empty),
                    Operator::Contains => Ok(Self::Custom(key, CustomComparison::Contains(folded))),
                    _ => {
                        let sort_key = SortKey::of_text(&folded);
                        let comparison = Comparison::At;
                        Ok(Self::Custom(key, CustomComparison::Ordered { comparison, sort_key }))
                    }
                };
            }
            Operator::In | Operator::ContainsAny | Operator::ContainsAll => {
                let Operand::Array(texts) = operand else { return Err(mismatch(DataType::Array)) };
                let all = operator == Operator::ContainsAll;
                if texts.len() > Self::MAX_VALUES {
                    return Err(FilterError::TooMany);
                }
                if all && texts.is_empty() {
                    return Err(FilterError::Empty);
                }
                // Each customer's value has one type. A list that must contain all of them is one of texts.
                let look_ups = texts
                    .iter()
                    .flat_map(|text| if all { vec![CustomValue::look_up_text(text)] } else { look_ups(text) });
                return Ok(Self::CustomHas { key, look_ups: look_ups.collect(), all });
            }
            Operator::StartsWith | Operator::NotContains | Operator::NotIn => {
                let allowed = "eq, ieq, in, contains, contains_all, contains_any, gt, gte, lt, before, after";
                return Err(FilterError::Operator { field: FIELD, allowed });
            }
        };
        let ordered = |sort_key| Ok(Self::Custom(key, CustomComparison::Ordered { comparison, sort_key }));
        let equals = operator == Operator::Eq;
        match operand {
            Operand::Text(text) if equals && text.is_empty() => Ok(Self::Custom(key, CustomComparison::Unset)),
            Operand::Text(text) if equals => {
                Ok(Self::CustomHas { key, look_ups: look_ups(&text).into_iter().collect(), all: false })
            }
            // Decimals and dates are answered as texts.
            Operand::Text(text) => match (CustomDate::new(&text), CustomDecimal::new(&text)) {
                (Ok(date), _) => ordered(SortKey::of_date(date)),
                (_, Ok(number)) => ordered(SortKey::of_number(number.get())),
                _ => Err(mismatch(DataType::Number)),
            },
            Operand::Number(number) => match CustomDecimal::new(&number) {
                Ok(number) => ordered(SortKey::of_number(number.get())),
                Err(_) => Err(mismatch(DataType::Number)),
            },
            Operand::Day(date) => ordered(SortKey::of_date(date)),
            Operand::Boolean(value) if equals => ordered(CustomValue::Boolean(value).sort_key()),
            Operand::Boolean(_) | Operand::Date(_) => Err(mismatch(DataType::Number)),
            Operand::Array(_) => Err(mismatch(DataType::String)),
        }
    }

    fn time(field: TimeField, operator: Operator, operand: Operand) -> Result<Self, FilterError> {
        let name = field.as_str();
        let comparison = match operator {
            Operator::Eq => Comparison::At,
            Operator::Gt | Operator::After => Comparison::After,
            Operator::Gte => Comparison::From,
            Operator::Lt | Operator::Before => Comparison::Before,
            _ => {
                return Err(FilterError::Operator { field: name, allowed: "eq, gt, gte, lt, before, after" });
            }
        };
        let Operand::Date(at) = operand else {
            let operator = operator.as_str();
            return Err(FilterError::Operand { field: name, operator, expected: DataType::Date });
        };
        Ok(Self::Time(field, comparison, at))
    }
}

/// The texts under which values are looked up that have this JSON text: a text, a decimal number or a date.
fn look_ups(text: &str) -> Vec<String> {
    let number = CustomDecimal::new(text).ok().map(|number| SortKey::of_number(number.get()));
    let date = CustomDate::new(text).ok().map(SortKey::of_date);
    [Some(CustomValue::look_up_text(text)), number, date].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::{Comparison, Condition, FilterError, Operand};
    use crate::{
        customer::query::{FilterField, Folded, ListField, Operator, TextField, Texts, TimeField},
        time::Timestamp,
    };

    fn filter(field: &str, operator: &str, operand: Operand) -> Result<Condition, FilterError> {
        Condition::filter(FilterField::parse(field).unwrap(), Operator::parse(operator).unwrap(), operand)
    }

    fn text(text: &str) -> Operand {
        Operand::Text(text.to_owned())
    }

    fn texts(all: &[&str]) -> Texts {
        all.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn texts_are_compared_with_case_and_searched_without() {
        assert_eq!(filter("name", "eq", text("Ada")), Ok(Condition::OneOf(TextField::Name, texts(&["Ada"]))));
        assert_eq!(
            filter("name", "contains", text("ADA")),
            Ok(Condition::Contains(TextField::Name, Folded::new("ada")))
        );
        assert_eq!(
            filter("name", "starts_with", text("ADA")),
            Ok(Condition::StartsWith(TextField::Name, Folded::new("ada")))
        );
        assert_eq!(
            filter("email", "not_contains", text("X")),
            Ok(Condition::Lacks(TextField::Email, Folded::new("x")))
        );
        let two = Operand::Array(vec!["b".to_owned(), "a".to_owned(), "b".to_owned()]);
        assert_eq!(filter("id", "in", two), Ok(Condition::OneOf(TextField::Id, texts(&["a", "b"]))));
        assert_eq!(
            filter("contact", "not_in", Operand::Array(vec![])),
            Ok(Condition::NoneOf(TextField::Contact, texts(&[])))
        );
    }

    #[test]
    fn lists_have_one_or_all_of_some_texts() {
        let both = || Operand::Array(vec!["b".to_owned(), "a".to_owned()]);
        let has = |all| Ok(Condition::Has { field: ListField::Tags, texts: texts(&["a", "b"]), all });
        assert_eq!(filter("tags", "contains_all", both()), has(true));
        assert_eq!(filter("tags", "contains_any", both()), has(false));
        assert_eq!(filter("tags", "in", both()), has(false));
    }

    #[test]
    fn times_are_earlier_or_later() {
        let at = Timestamp::UNIX_EPOCH;
        for (operator, comparison) in [
            ("eq", Comparison::At),
            ("gt", Comparison::After),
            ("after", Comparison::After),
            ("gte", Comparison::From),
            ("lt", Comparison::Before),
            ("before", Comparison::Before),
        ] {
            let found = filter("updated_at", operator, Operand::Date(at));
            assert_eq!(found, Ok(Condition::Time(TimeField::UpdatedAt, comparison, at)));
        }
    }

    #[test]
    fn each_field_takes_its_own_operators() {
        for (field, operators) in [
            ("name", &["gt", "gte", "lt", "before", "after"][..]),
            ("timezone", &["gt", "lt", "before", "contains_all", "contains_any"]),
            ("created_at", &["ieq", "contains", "starts_with", "not_contains", "in", "not_in", "contains_any"]),
            ("id", &["ieq", "contains", "starts_with", "not_contains"]),
            ("tags", &["ieq", "contains", "starts_with", "not_contains", "gt", "not_in", "before"]),
        ] {
            for operator in operators {
                for operand in [text("a"), Operand::Array(vec![]), Operand::Date(Timestamp::UNIX_EPOCH)] {
                    let refused = filter(field, operator, operand);
                    assert!(matches!(refused, Err(FilterError::Operator { .. })), "{field} {operator}: {refused:?}");
                }
            }
        }
    }

    #[test]
    fn each_operator_takes_its_own_type() {
        let date = Operand::Date(Timestamp::UNIX_EPOCH);
        for (field, operator, operand) in [
            ("name", "eq", Operand::Array(vec![])),
            ("name", "eq", Operand::Number("1".to_owned())),
            ("name", "eq", Operand::Boolean(true)),
            ("name", "eq", date.clone()),
            ("name", "in", text("a")),
            ("name", "not_in", text("a")),
            ("name", "contains", Operand::Array(vec![])),
            ("name", "ieq", Operand::Array(vec![])),
            ("tags", "eq", Operand::Array(vec![])),
            ("tags", "contains_all", text("a")),
            ("created_at", "eq", text("2026-01-01T00:00:00Z")),
            ("created_at", "gt", Operand::Number("1".to_owned())),
        ] {
            let refused = filter(field, operator, operand);
            assert!(matches!(refused, Err(FilterError::Operand { .. })), "{field} {operator}: {refused:?}");
        }
    }

    #[test]
    fn no_filter_matches_everything_by_mistake() {
        assert_eq!(filter("name", "contains", text("")), Err(FilterError::Empty));
        assert_eq!(filter("name", "starts_with", text("")), Err(FilterError::Empty));
        assert_eq!(filter("name", "not_contains", text("")), Err(FilterError::Empty));
        assert_eq!(filter("tags", "contains_all", Operand::Array(vec![])), Err(FilterError::Empty));
        let many = |count| Operand::Array((0..count).map(|n| n.to_string()).collect());
        assert!(filter("name", "in", many(1_000)).is_ok());
        assert_eq!(filter("name", "in", many(1_001)), Err(FilterError::TooMany));
    }

    #[test]
    fn debug_shows_no_search_texts() {
        let condition = filter("email", "eq", text("ada@example.com")).unwrap();
        assert_eq!(format!("{condition:?} {:?}", text("ada")), "email is one of 1 texts Operand(string)");
    }
}
