//! The unknown members of a body, by their paths. Without them a mistyped name would be lost silently.
//!
//! Structs of requests derive `Deserialize`, which passes no context to nested values. So the results are kept in a
//! thread-local variable while one body is read, which is never interrupted.

use std::{borrow::Cow, cell::RefCell, fmt};

use patron_domain::{advice::nearest, metadata::member_path};
use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeSeed, Error, IntoDeserializer, MapAccess, Visitor,
        value::{BorrowedStrDeserializer, StringDeserializer},
    },
    forward_to_deserialize_any,
};

use crate::http::noted::MOST_UNKNOWN;

/// An unknown member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unknown {
    pub(crate) path: String,
    /// The known member that may have been meant.
    pub(crate) nearest: Option<&'static str>,
}

#[derive(Default)]
struct Search {
    /// The reader's position.
    path: Vec<Step>,
    /// The unknown members so far. `None` if no body is being read.
    found: Option<Vec<Unknown>>,
}

/// One step of a path. Only known members are entered.
#[derive(Clone, Copy)]
enum Step {
    Member(&'static str),
    Element(usize),
}

thread_local! {
    static SEARCH: RefCell<Search> = RefCell::default();
}

/// Reads a value, and returns its unknown members: at most 20, each once.
pub(super) fn named_while<T>(read: impl FnOnce() -> T) -> (T, Vec<Unknown>) {
    // Discards what a reader that panicked may have left.
    SEARCH.set(Search { path: Vec::new(), found: Some(Vec::new()) });
    let read = read();
    (read, SEARCH.take().found.unwrap_or_default())
}

/// Reads an element of an array, so that its unknown members are found under its index.
pub(super) fn within_element<T>(index: usize, read: impl FnOnce() -> T) -> T {
    within(Step::Element(index), read)
}

fn within<T>(step: Step, read: impl FnOnce() -> T) -> T {
    SEARCH.with_borrow_mut(|search| search.path.push(step));
    let read = read();
    SEARCH.with_borrow_mut(|search| {
        search.path.pop();
    });
    read
}

fn note(name: &str, known: &[&'static str]) {
    SEARCH.with_borrow_mut(|search| {
        let Search { path, found: Some(found) } = search else { return };
        if found.len() >= MOST_UNKNOWN {
            return;
        }
        let mut place = String::new();
        for step in path {
            match step {
                Step::Member(name) => place = member_path(&place, name),
                Step::Element(index) => place = format!("{place}[{index}]"),
            }
        }
        let path = member_path(&place, name);
        let path = path.strip_prefix('.').unwrap_or(&path).to_owned();
        if found.iter().all(|other| other.path != path) {
            found.push(Unknown { path, nearest: nearest(name, known.iter().copied()) });
        }
    });
}

/// Reads an object as a struct that derives `Deserialize`: for `FromJson::from_map` of requests.
pub(crate) fn found_map<'de, T: Deserialize<'de>, A: MapAccess<'de>>(map: A) -> Result<Option<T>, A::Error> {
    T::deserialize(Members(map)).map(Some)
}

/// An object to be read as a struct.
struct Members<A>(A);

impl<'de, A: MapAccess<'de>> Deserializer<'de> for Members<A> {
    type Error = A::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        visitor.visit_map(Known { map: self.0, fields, member: None })
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, A::Error> {
        visitor.visit_map(self.0)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// The members of an object, with the names that the struct knows.
struct Known<A> {
    map: A,
    fields: &'static [&'static str],
    /// The known member whose value is next.
    member: Option<&'static str>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Known<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        let Some(Name(name)) = self.map.next_key()? else { return Ok(None) };
        self.member = self.fields.iter().copied().find(|known| *known == name);
        if self.member.is_none() {
            note(&name, self.fields);
        }
        match name {
            Cow::Borrowed(name) => seed.deserialize(BorrowedStrDeserializer::new(name)),
            Cow::Owned(name) => {
                let name: StringDeserializer<A::Error> = name.into_deserializer();
                seed.deserialize(name)
            }
        }
        .map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        match self.member.take() {
            Some(name) => within(Step::Member(name), || self.map.next_value_seed(seed)),
            None => self.map.next_value_seed(seed),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        self.map.size_hint()
    }
}

/// The name of a member, borrowed from the body unless it has escapes.
struct Name<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("the name of a member")
            }

            fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Field, FromJson, List, Text},
        *,
    };

    #[derive(Default, Deserialize)]
    #[serde(default, bound(deserialize = "'de: 'a"))]
    struct Request<'a> {
        name: Field<Text<'a>>,
        parts: Field<List<Request<'a>>>,
        part: Field<Box<Request<'a>>>,
    }

    impl<'de: 'a, 'a> FromJson<'de> for Request<'a> {
        const EXPECTED: &'static str = "an object";

        fn from_map<A: MapAccess<'de>>(map: A) -> Result<Option<Self>, A::Error> {
            found_map(map)
        }
    }

    impl<'de: 'a, 'a> FromJson<'de> for Box<Request<'a>> {
        const EXPECTED: &'static str = "an object";

        fn from_map<A: MapAccess<'de>>(map: A) -> Result<Option<Self>, A::Error> {
            found_map(map)
        }
    }

    fn unknown(json: &str) -> Vec<String> {
        let (read, unknown) = named_while(|| serde_json::from_str::<Field<Request<'_>>>(json));
        assert!(matches!(read, Ok(Field::Value(_))), "{json}");
        unknown.into_iter().map(|one| one.path).collect()
    }

    #[test]
    fn unknown_members_are_reported_once_with_their_paths() {
        assert_eq!(unknown(r#"{"name":"a","parts":[{}],"part":{}}"#), [""; 0]);
        assert_eq!(unknown(r#"{"nmae":{"name":1},"nmae":2,"\u006eame":"b c"}"#), ["nmae"]);
        let nested = r#"{"parts":[{},{"a b":1,"part":{"x":[{"y":1}]}}],"part":{"parts":[[{"z":1}],{"z":1}]}}"#;
        assert_eq!(unknown(nested), ["parts[1][\"a b\"]", "parts[1].part.x", "part.parts[1].z"]);
    }

    #[test]
    fn the_nearest_known_member_is_named() {
        let (_, unknown) =
            named_while(|| serde_json::from_str::<Field<Request<'_>>>(r#"{"parts":[{"nmae":1,"x":2}]}"#));
        let nearest: Vec<_> = unknown.into_iter().map(|one| one.nearest).collect();
        assert_eq!(nearest, [Some("name"), None]);
    }

    #[test]
    fn only_the_first_of_many_unknown_members_are_reported() {
        let members: Vec<_> = (0..10_000).map(|number| format!("\"{}{number}\":0", "x".repeat(300))).collect();
        // Only their beginnings are reported, which are equal.
        assert_eq!(unknown(&format!("{{{}}}", members.join(","))).len(), 1);
        let members: Vec<_> = (0..10_000).map(|number| format!("\"x{number}\":0")).collect();
        let named = unknown(&format!("{{{}}}", members.join(",")));
        assert_eq!((named.len(), named[19].as_str()), (20, "x19"));
    }

    #[test]
    fn nothing_is_kept_outside_of_a_search() {
        assert!(serde_json::from_str::<Field<Request<'_>>>(r#"{"x":1}"#).is_ok());
        assert!(SEARCH.with_borrow(|search| search.found.is_none()));
    }
}
