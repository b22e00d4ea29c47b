//! Rejects U+0000, which no database here can store, anywhere in a body.

use std::fmt;

use patron_domain::{
    TextFault,
    metadata::member_path,
    violation::{Rule, Violations},
};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

struct Nul;

impl fmt::Display for Nul {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&TextFault::Nul, f)
    }
}

impl Rule for Nul {
    fn rule(&self) -> &'static str {
        TextFault::Nul.rule()
    }
}

/// Whether a body may contain U+0000. JSON can only write it as this escape. A doubled backslash before it is a false
/// alarm, which only costs a closer look.
pub(super) fn is_suspected(body: &str) -> bool {
    // Most bodies contain no backslash. This compares many bytes at once, because it does not stop early.
    let any_escape = body.bytes().fold(false, |any, byte| any | (byte == b'\\'));
    any_escape && body.contains(r"\u0000")
}

/// All places in a body where a key or a string contains U+0000, up to the most that are reported.
///
/// Nothing of the body is kept, and a path is built only for a fault. So the cost grows with the body, and not with the
/// lengths of the keys around each place.
///
/// # Errors
/// If the body cannot be searched. An ignored field may contain values that no reader accepts, such as 1e999 or very
/// deep nesting; such a body is rejected only if it may contain U+0000 too.
pub(super) fn find(body: &str) -> Result<Violations, serde_json::Error> {
    let mut search = Search { broken: Violations::new(), paths: 0 };
    let mut json = serde_json::Deserializer::from_str(body);
    Look { place: &Place::Body, search: &mut search }.deserialize(&mut json)?;
    json.end()?;
    Ok(search.broken)
}

struct Search {
    broken: Violations,
    /// The number of paths that were built. Several may be equal after shortening.
    paths: usize,
}

impl Search {
    fn note(&mut self, place: &Place<'_>) {
        if self.paths < Violations::MAX {
            self.paths += 1;
            self.broken.add(place.path(), &Nul);
        }
    }
}

/// The reader's position: links back to the beginning, which cost nothing until they are read.
enum Place<'p> {
    Body,
    Member { of: &'p Place<'p>, key: &'p str },
    Element { of: &'p Place<'p>, index: usize },
}

impl Place<'_> {
    /// The path, or the beginning of it that is reported. A reader descends at most 127 levels, and each step is
    /// shortened like the whole path.
    fn path(&self) -> String {
        let mut path = String::new();
        self.write(&mut path);
        path
    }

    fn write(&self, path: &mut String) {
        match self {
            Self::Body => {}
            Self::Member { of, key } => {
                of.write(path);
                if has_room(path) {
                    let step = member_path("", key);
                    path.push_str(if path.is_empty() { step.trim_start_matches('.') } else { &step });
                }
            }
            Self::Element { of, index } => {
                of.write(path);
                if has_room(path) {
                    path.push_str(&format!("[{index}]"));
                }
            }
        }
    }
}

/// Whether more of a path would be reported. Compares bytes, because a shortened path has at most as many characters.
fn has_room(path: &str) -> bool {
    path.len() <= Violations::MAX_PATH_CHARS
}

struct Look<'p, 's> {
    place: &'p Place<'p>,
    search: &'s mut Search,
}

impl<'de> DeserializeSeed<'de> for Look<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Look<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        if text.contains('\0') {
            self.search.note(self.place);
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { place, search } = self;
        while let Some(key) = map.next_key::<String>()? {
            let place = Place::Member { of: place, key: &key };
            if key.contains('\0') {
                search.note(&place);
            }
            map.next_value_seed(Look { place: &place, search })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self { place, search } = self;
        let mut index = 0;
        while list.next_element_seed(Look { place: &Place::Element { of: place, index }, search })?.is_some() {
            index += 1;
        }
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{find, is_suspected};

    #[test]
    fn every_place_is_reported() {
        let body = r#"{"a":"\u0000","b":[{"c d":"x\u0000"}],"k\u0000":1,"fine":"\\u0000"}"#;
        assert!(is_suspected(body));
        let found = find(body).unwrap();
        let mut paths: Vec<_> = found.iter().map(|violation| violation.path.as_str()).collect();
        paths.sort_unstable();
        assert_eq!(paths, ["[\"k\\u0000\"]", "a", "b[0][\"c d\"]"]);
    }

    #[test]
    fn a_body_that_cannot_be_searched_is_an_error() {
        assert!(find(r#"{"ignored":1e999,"other":"\u0000"}"#).is_err());
        assert!(find(r#"{"other":"\u0000"} x"#).is_err());
    }

    #[test]
    fn a_body_without_the_escape_is_not_searched() {
        assert!(!is_suspected(r#"{"a":"\u0001 \\u000"}"#));
    }

    /// Bodies of a megabyte that once cost gigabytes and minutes.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "a budget of time")]
    fn the_cost_of_a_search_does_not_grow_with_the_keys_around_a_place() {
        let long = "k".repeat(500_000);
        let numbers = "1,".repeat(270_000);
        let nuls = r#""\u0000","#.repeat(60_000);
        let (in_deep, out) = (r#"{"kkkkkkkk":"#.repeat(120), "}".repeat(120));
        for (body, most) in [
            (format!(r#"{{"{long}":[{numbers}1],"a":"\u0000"}}"#), 1),
            (format!(r#"{{"{long}":[{nuls}1]}}"#), 1),
            (format!(r#"{{"a":[{nuls}1]}}"#), 1_000),
            (format!(r#"{{"a":{in_deep}[{nuls}1]{out}}}"#), 1),
        ] {
            let started = Instant::now();
            let found = find(&body).map(|found| found.iter().count());
            assert_eq!(found.unwrap(), most);
            let took = started.elapsed();
            assert!(took < Duration::from_secs(5), "{took:?}");
        }
    }
}
