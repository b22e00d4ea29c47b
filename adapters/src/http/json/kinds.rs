//! The types of fields.

use std::{borrow::Cow, collections::BTreeMap};

use patron_domain::violation::Violations;
use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess},
};
use serde_json::value::RawValue;

use super::{
    field::{Field, FromJson},
    unknown::within_element,
};

/// A string.
pub(crate) type Text<'de> = Cow<'de, str>;

impl<'de: 'a, 'a> FromJson<'de> for Text<'a> {
    const EXPECTED: &'static str = "a string";

    fn from_text(text: Cow<'de, str>) -> Option<Self> {
        Some(text)
    }
}

impl FromJson<'_> for bool {
    const EXPECTED: &'static str = "true or false";

    fn from_bool(value: bool) -> Option<Self> {
        Some(value)
    }
}

impl FromJson<'_> for i64 {
    const EXPECTED: &'static str = "a whole number";

    fn from_integer(value: i64) -> Option<Self> {
        Some(value)
    }
}

/// Any number, in its JSON form.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Number(pub(crate) String);

impl FromJson<'_> for Number {
    const EXPECTED: &'static str = "a number";

    fn from_integer(value: i64) -> Option<Self> {
        Some(Self(value.to_string()))
    }

    fn from_float(value: f64) -> Option<Self> {
        Some(Self(value.to_string()))
    }
}

/// An array whose elements have types of their own. Only the first [`List::KEPT`] elements are kept, so that a small
/// body cannot fill the memory.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct List<T> {
    pub(crate) elements: Vec<Field<T>>,
    /// The number of elements, including those that are not kept.
    pub(crate) count: usize,
}

impl<T> List<T> {
    /// The most elements that are kept: more than any list here may have, so that its rule still rejects a longer one.
    pub(crate) const KEPT: usize = Violations::MAX + 1;
}

impl<'de, T: FromJson<'de>> FromJson<'de> for List<T> {
    const EXPECTED: &'static str = "an array";

    fn from_list<A: SeqAccess<'de>>(mut list: A) -> Result<Option<Self>, A::Error> {
        // Most lists have one element, and a growing vector starts with room for four.
        let mut elements = Vec::with_capacity(1);
        while elements.len() < Self::KEPT
            && let Some(element) = within_element(elements.len(), || list.next_element())?
        {
            elements.push(element);
        }
        let mut count = elements.len();
        while list.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(Some(Self { elements, count }))
    }
}

/// An object of strings. `null` members count as absent, and the last value of a repeated key counts.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Strings {
    pub(crate) pairs: BTreeMap<String, String>,
    /// The keys with `null` values.
    pub(crate) nulls: Vec<String>,
    /// The keys with values of another type.
    pub(crate) wrong: Vec<String>,
}

impl<'de> FromJson<'de> for Strings {
    const EXPECTED: &'static str = "an object of strings";

    fn from_map<A: MapAccess<'de>>(mut map: A) -> Result<Option<Self>, A::Error> {
        let mut strings = Self::default();
        while let Some((key, value)) = map.next_entry::<String, Field<Text<'de>>>()? {
            match value {
                Field::Absent => {
                    strings.pairs.remove(&key);
                    strings.nulls.push(key);
                }
                Field::Value(text) => drop(strings.pairs.insert(key, text.into_owned())),
                Field::Wrong(_) => strings.wrong.push(key),
            }
        }
        Ok(Some(strings))
    }
}

/// A decimal number, as a string or as a JSON number, kept exactly, without floating point.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Decimal<'de>(pub(crate) Field<Text<'de>>);

impl<'de: 'a, 'a> Deserialize<'de> for Decimal<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const WRONG: &str = "a decimal number, as a string or a number";
        let raw = <&'de RawValue>::deserialize(deserializer)?.get();
        Ok(Self(match raw.as_bytes().first() {
            Some(b'"') => Field::Value(serde_json::from_str(raw).map_err(D::Error::custom)?),
            Some(b'-' | b'0'..=b'9') => Field::Value(Cow::Borrowed(raw)),
            Some(b'n') => Field::Absent,
            _ => Field::Wrong(WRONG),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'de, T: FromJson<'de>>(json: &'de str) -> Field<T> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn each_type_accepts_its_own_values_and_null_is_absent() {
        assert_eq!(read::<Text<'_>>(r#""a\u00e4""#), Field::Value("aä".into()));
        assert_eq!(read::<bool>("true"), Field::Value(true));
        assert_eq!(read::<i64>("-3"), Field::Value(-3));
        assert_eq!(read::<i64>("18446744073709551615"), Field::Value(i64::MAX));
        assert_eq!(
            read::<List<bool>>("[true, 1, null]"),
            Field::Value(List {
                elements: vec![Field::Value(true), Field::Wrong("true or false"), Field::Absent],
                count: 3
            })
        );
        assert_eq!(read::<Text<'_>>("null"), Field::Absent);
    }

    #[test]
    fn values_of_other_types_are_recorded_and_skipped() {
        for json in ["1", "1.5", "true", "[1,[2]]", r#"{"a":{}}"#] {
            assert_eq!(read::<Text<'_>>(json), Field::Wrong("a string"), "{json}");
        }
        for json in ["1.0", "\"1\"", "false", "[]"] {
            assert_eq!(read::<i64>(json), Field::Wrong("a whole number"), "{json}");
        }
    }

    #[test]
    fn a_very_long_array_is_counted_but_only_partly_kept() {
        let json = format!("[{}1]", "1,".repeat(5_000));
        let Field::Value(list) = read::<List<i64>>(&json) else { panic!() };
        assert_eq!((list.elements.len(), list.count), (List::<i64>::KEPT, 5_001));
    }

    #[test]
    fn strings_skip_nulls_and_record_other_types() {
        let Field::Value(strings) = read::<Strings>(r#"{"a":"1","b":null,"c":2,"a":"3"}"#) else { panic!() };
        assert_eq!(strings.pairs, BTreeMap::from([("a".to_owned(), "3".to_owned())]));
        assert_eq!(strings.wrong, ["c"]);
    }

    #[test]
    fn decimals_keep_all_digits() {
        let decimal = |json| serde_json::from_str::<Decimal<'_>>(json).unwrap().0;
        assert_eq!(decimal("0.1234567890123456789012345678"), Field::Value("0.1234567890123456789012345678".into()));
        assert_eq!(decimal(r#""1e1""#), Field::Value("1e1".into()));
        assert_eq!(decimal("-1E+2"), Field::Value("-1E+2".into()));
        assert_eq!(decimal("null"), Field::Absent);
        assert!(matches!(decimal("[1]"), Field::Wrong(_)));
        assert!(matches!(decimal("true"), Field::Wrong(_)));
    }
}
