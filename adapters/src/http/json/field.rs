//! Fields that take any JSON, and remember when it was of the wrong type, instead of ending the parse.
//!
//! They read straight from the stream, without a tree of values in between: a request costs about what skipping over it
//! would.

use std::{borrow::Cow, collections::BTreeMap, marker::PhantomData};

use patron_domain::{
    metadata::{Metadata, member_path},
    violation::{Rule, Violation, Violations},
};
use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

/// What a request says at one place.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum Field<T> {
    /// Nothing, or `null`.
    #[default]
    Absent,
    /// A value of the right type.
    Value(T),
    /// A value of another type than the one named.
    Wrong(&'static str),
}

/// What a type takes from JSON. Each method answers `None` for what the type does not take.
pub(crate) trait FromJson<'de>: Sized {
    /// The type for a person, as in "must be a string".
    const EXPECTED: &'static str;

    fn from_text(_text: Cow<'de, str>) -> Option<Self> {
        None
    }

    fn from_bool(_value: bool) -> Option<Self> {
        None
    }

    fn from_integer(_value: i64) -> Option<Self> {
        None
    }

    fn from_float(_value: f64) -> Option<Self> {
        None
    }

    fn from_map<A: MapAccess<'de>>(mut map: A) -> Result<Option<Self>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn from_list<A: SeqAccess<'de>>(mut list: A) -> Result<Option<Self>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

impl<'de, T: FromJson<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FieldVisitor(PhantomData))
    }
}

struct FieldVisitor<T>(PhantomData<T>);

impl<T> FieldVisitor<T> {
    fn field<'de>(value: Option<T>) -> Field<T>
    where
        T: FromJson<'de>,
    {
        value.map_or(Field::Wrong(T::EXPECTED), Field::Value)
    }
}

impl<'de, T: FromJson<'de>> Visitor<'de> for FieldVisitor<T> {
    type Value = Field<T>;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(T::EXPECTED)
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Self::field(T::from_text(Cow::Borrowed(text))))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Self::field(T::from_text(Cow::Owned(text.to_owned()))))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Self::field(T::from_bool(value)))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Self::field(T::from_integer(value)))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        // What does not fit is beyond every range here, and so is the largest number that does.
        Ok(Self::field(T::from_integer(i64::try_from(value).unwrap_or(i64::MAX))))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Self::field(T::from_float(value)))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Field::Absent)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::from_map(map).map(Self::field)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        T::from_list(list).map(Self::field)
    }
}

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

/// Any number, where it matters only that it is one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Number;

impl FromJson<'_> for Number {
    const EXPECTED: &'static str = "a number";

    fn from_integer(_value: i64) -> Option<Self> {
        Some(Self)
    }

    fn from_float(_value: f64) -> Option<Self> {
        Some(Self)
    }
}

/// An array, each element with its own type. Of a very long one only the first [`List::KEPT`] elements are kept, so that
/// a small body cannot fill the memory.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct List<T> {
    pub(crate) elements: Vec<Field<T>>,
    /// How many there are, the ones that are not kept included.
    pub(crate) count: usize,
}

impl<T> List<T> {
    /// The most elements that are kept: more than any list here may have, so that one that is too long is seen to be so.
    pub(crate) const KEPT: usize = Violations::MAX + 1;
}

/// What became of the elements of an array.
pub(crate) struct Elements<T> {
    /// How many there are.
    pub(crate) count: usize,
    /// The valid ones, each with its place in the array.
    pub(crate) valid: Vec<(usize, T)>,
}

impl<T> Elements<T> {
    /// The valid ones.
    pub(crate) fn into_values(self) -> Vec<T> {
        self.valid.into_iter().map(|(_, value)| value).collect()
    }
}

impl<'de, T: FromJson<'de>> FromJson<'de> for List<T> {
    const EXPECTED: &'static str = "an array";

    fn from_list<A: SeqAccess<'de>>(mut list: A) -> Result<Option<Self>, A::Error> {
        let mut elements = Vec::new();
        while elements.len() < Self::KEPT
            && let Some(element) = list.next_element()?
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

/// An object of strings. A member that is `null` is as if absent; of a key that is given twice the last value counts.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Strings {
    pub(crate) pairs: BTreeMap<String, String>,
    /// The keys whose values are `null`.
    pub(crate) nulls: Vec<String>,
    /// The keys whose values are neither.
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

/// Any object.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Object(pub(crate) serde_json::Map<String, serde_json::Value>);

impl<'de> FromJson<'de> for Object {
    const EXPECTED: &'static str = "an object";

    fn from_map<A: MapAccess<'de>>(mut map: A) -> Result<Option<Self>, A::Error> {
        let mut members = serde_json::Map::new();
        while let Some((key, value)) = map.next_entry()? {
            members.insert(key, value);
        }
        Ok(Some(Self(members)))
    }
}

/// The members of an object as a struct that derives `Deserialize`: for `FromJson::from_map` of requests.
pub(crate) fn found_map<'de, T: Deserialize<'de>, A: MapAccess<'de>>(map: A) -> Result<Option<T>, A::Error> {
    T::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(Some)
}

/// A decimal number, as a string or as a JSON number, to the letter: no floating point comes in between.
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

/// Takes the fields of one request, or of one object within it, and collects what is wrong with them.
pub(crate) struct Reader<'a> {
    prefix: &'a str,
    broken: &'a mut Violations,
}

impl<'a> Reader<'a> {
    /// A reader of an object at a path: empty for the request itself, else such as `tax_rate_overrides[0].`.
    pub(crate) fn new(prefix: &'a str, broken: &'a mut Violations) -> Self {
        Self { prefix, broken }
    }

    /// Notes that something is wrong with a field.
    pub(crate) fn note(&mut self, name: &str, rule: &'static str, message: &str) {
        let path = Self::path(self.prefix, name);
        self.broken.push(Violation { message: format!("{path} {message}"), path, rule });
    }

    /// Notes that a value has another JSON type than its place takes.
    pub(crate) fn wrong_type(&mut self, path: String, expected: &str) {
        let message = format!("{path} must be {expected}");
        self.broken.push(Violation { path, rule: "type", message });
    }

    fn path(prefix: &str, name: &str) -> String {
        format!("{prefix}{name}")
    }

    /// A field's value; `None` when it is absent, or of the wrong type, which is noted.
    pub(crate) fn take<T>(&mut self, name: &str, field: Field<T>) -> Option<T> {
        match field {
            Field::Absent => None,
            Field::Value(value) => Some(value),
            Field::Wrong(expected) => {
                self.wrong_type(Self::path(self.prefix, name), expected);
                None
            }
        }
    }

    /// An optional text; empty is absent.
    pub(crate) fn optional<T, E: Rule>(
        &mut self,
        name: &str,
        field: Field<Text<'_>>,
        check: impl FnOnce(String) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.take(name, field).filter(|text| !text.is_empty())?;
        self.check(name, check(text.into_owned()))
    }

    /// A text that has to be there.
    pub(crate) fn required<T, E: Rule>(
        &mut self,
        name: &str,
        field: Field<Text<'_>>,
        check: impl FnOnce(String) -> Result<T, E>,
    ) -> Option<T> {
        match field {
            Field::Absent => {
                let message = format!("{name} is needed");
                self.broken.push(Violation { path: Self::path(self.prefix, name), rule: "required", message });
                None
            }
            field => {
                let text = self.take(name, field)?;
                self.check(name, check(text.into_owned()))
            }
        }
    }

    /// Metadata; none when absent.
    pub(crate) fn metadata(&mut self, field: Field<Strings>) -> Metadata {
        let Some(strings) = self.take("metadata", field) else { return Default::default() };
        let path = Self::path(self.prefix, "metadata");
        for key in strings.wrong {
            self.wrong_type(member_path(&path, &key), Text::EXPECTED);
        }
        self.group(Metadata::new(strings.pairs, &path)).unwrap_or_default()
    }

    /// The value of a check, or a note of what it broke.
    pub(crate) fn check<T, E: Rule>(&mut self, name: &str, checked: Result<T, E>) -> Option<T> {
        let prefix = self.prefix;
        self.broken.check(|| Self::path(prefix, name), checked)
    }

    /// A value made of several fields; `None` when it breaks rules, which are noted.
    pub(crate) fn group<T>(&mut self, checked: Result<T, Violations>) -> Option<T> {
        checked.map_err(|broken| self.absorb(broken)).ok()
    }

    /// Notes violations that carry whole paths already.
    fn absorb(&mut self, broken: Violations) {
        broken.into_iter().for_each(|violation| self.broken.push(violation));
    }

    /// Each element of an array, read by itself under its place.
    pub(crate) fn each<T, U>(
        &mut self,
        name: &str,
        list: List<T>,
        mut read: impl FnMut(T, &mut Reader<'_>) -> Option<U>,
        expected: &'static str,
    ) -> Elements<U> {
        let mut valid = Vec::with_capacity(list.elements.len());
        for (index, element) in list.elements.into_iter().enumerate() {
            let place = format!("{}{name}[{index}]", self.prefix);
            let Field::Value(element) = element else {
                self.wrong_type(place, expected);
                continue;
            };
            let prefix = format!("{place}.");
            let value = read(element, &mut Reader::new(&prefix, self.broken));
            valid.extend(value.map(|value| (index, value)));
        }
        Elements { count: list.count, valid }
    }

    /// An array of texts; what is none is noted under its place.
    pub(crate) fn texts(&mut self, name: &str, field: Field<List<Text<'_>>>) -> Option<Vec<String>> {
        let list = self.take(name, field)?;
        Some(self.each(name, list, |text, _| Some(text.into_owned()), Text::EXPECTED).into_values())
    }

    /// An object within this one, read by itself under its name.
    pub(crate) fn within<T, U>(
        &mut self,
        name: &str,
        field: Field<T>,
        read: impl FnOnce(T, &mut Reader<'_>) -> Option<U>,
    ) -> Option<U> {
        let object = self.take(name, field)?;
        let prefix = format!("{}{name}.", self.prefix);
        read(object, &mut Reader::new(&prefix, self.broken))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Decimal, Field, FromJson, List, Object, Strings, Text};

    fn read<'de, T: FromJson<'de>>(json: &'de str) -> Field<T> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn each_type_takes_its_own_and_null_is_absent() {
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
        assert!(matches!(read::<Object>(r#"{"a":{"b":[1]}}"#), Field::Value(Object(map)) if map.len() == 1));
        assert_eq!(read::<Text<'_>>("null"), Field::Absent);
        assert_eq!(read::<Object>("null"), Field::Absent);
    }

    #[test]
    fn another_type_is_noted_and_read_over() {
        for json in ["1", "1.5", "true", "[1,[2]]", r#"{"a":{}}"#] {
            assert_eq!(read::<Text<'_>>(json), Field::Wrong("a string"), "{json}");
        }
        for json in ["1.0", "\"1\"", "false", "[]"] {
            assert_eq!(read::<i64>(json), Field::Wrong("a whole number"), "{json}");
        }
    }

    #[test]
    fn of_a_very_long_array_the_first_are_kept_and_all_counted() {
        let json = format!("[{}1]", "1,".repeat(5_000));
        let Field::Value(list) = read::<List<i64>>(&json) else { panic!() };
        assert_eq!((list.elements.len(), list.count), (List::<i64>::KEPT, 5_001));
    }

    #[test]
    fn strings_skip_nulls_and_note_the_rest() {
        let Field::Value(strings) = read::<Strings>(r#"{"a":"1","b":null,"c":2,"a":"3"}"#) else { panic!() };
        assert_eq!(strings.pairs, BTreeMap::from([("a".to_owned(), "3".to_owned())]));
        assert_eq!(strings.wrong, ["c"]);
    }

    #[test]
    fn decimals_keep_every_digit() {
        let decimal = |json| serde_json::from_str::<Decimal<'_>>(json).unwrap().0;
        assert_eq!(decimal("0.1234567890123456789012345678"), Field::Value("0.1234567890123456789012345678".into()));
        assert_eq!(decimal(r#""1e1""#), Field::Value("1e1".into()));
        assert_eq!(decimal("-1E+2"), Field::Value("-1E+2".into()));
        assert_eq!(decimal("null"), Field::Absent);
        assert!(matches!(decimal("[1]"), Field::Wrong(_)));
        assert!(matches!(decimal("true"), Field::Wrong(_)));
    }
}
