//! Parsing of a body into a request.

use std::fmt;

use patron_domain::violation::Violations;
use serde::{
    Deserializer,
    de::{MapAccess, Visitor},
};

use super::{
    field::{Field, FromJson},
    nul,
    reason::complaint,
    unknown::{self, Unknown},
};
use crate::http::error::ApiError;

/// The byte order mark that some editors and exports put before the text.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The content of a body.
pub(crate) struct Examined<C> {
    /// The command. `None` if there are faults.
    pub(crate) command: Option<C>,
    /// The faults of its fields.
    pub(crate) broken: Violations,
    /// Its unknown members.
    pub(crate) unknown: Vec<Unknown>,
}

/// Reads a body as one JSON object, and converts it to a command of the domain.
///
/// `read` collects the faults of the fields, and U+0000 anywhere in the body is added. Errors never repeat values of
/// the body.
///
/// # Errors
/// If the body as a whole is not a JSON object.
pub(crate) fn examine<'de, T, C>(
    body: &'de [u8],
    read: impl FnOnce(T, &mut Violations) -> Option<C>,
) -> Result<Examined<C>, ApiError>
where
    T: FromJson<'de>,
{
    examine_object(body, true, read)
}

/// The same for an object whose parts are examined by themselves, each with its own U+0000.
///
/// # Errors
/// If the body as a whole is not a JSON object.
pub(crate) fn examine_parts<'de, T, C>(
    body: &'de [u8],
    read: impl FnOnce(T, &mut Violations) -> Option<C>,
) -> Result<Examined<C>, ApiError>
where
    T: FromJson<'de>,
{
    examine_object(body, false, read)
}

fn examine_object<'de, T, C>(
    body: &'de [u8],
    with_nul: bool,
    read: impl FnOnce(T, &mut Violations) -> Option<C>,
) -> Result<Examined<C>, ApiError>
where
    T: FromJson<'de>,
{
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(ApiError::malformed("the body is empty; send a JSON object"));
    }
    let Ok(text) = std::str::from_utf8(body) else {
        return Err(ApiError::malformed("the body is not UTF-8; send JSON in UTF-8"));
    };
    let mut request = None;
    let (outcome, unknown) = unknown::named_while(|| read_object(text, &mut request));
    outcome.map_err(|error| ApiError::malformed(complaint(&error)))?;
    let Some(request) = request else {
        return Err(ApiError::malformed("the body must be a JSON object, for example {\"external_id\": \"acme\"}"));
    };
    let mut broken = if with_nul && nul::is_suspected(text) {
        nul::find(text).map_err(|error| ApiError::malformed(complaint(&error)))?
    } else {
        Violations::new()
    };
    let command = read(request, &mut broken);
    Ok(Examined { command: command.filter(|_| broken.is_empty()), broken, unknown })
}

/// The same, with any fault as an error.
pub(crate) fn parse<'de, T, C>(
    body: &'de [u8],
    read: impl FnOnce(T, &mut Violations) -> Option<C>,
) -> Result<C, ApiError>
where
    T: FromJson<'de>,
{
    examine(body, read)?.into_command()
}

impl<C> Examined<C> {
    /// The command of the body.
    ///
    /// # Errors
    /// If its fields have faults.
    pub(crate) fn into_command(self) -> Result<C, ApiError> {
        self.broken.into_result()?;
        // Without violations there is a command. The error satisfies the signature of `read`.
        self.command.ok_or_else(ApiError::system_error)
    }
}

/// Reads an object into its place. If the text is JSON of another type, the place stays empty.
fn read_object<'de, T: FromJson<'de>>(text: &'de str, place: &mut Option<T>) -> serde_json::Result<()> {
    if !text.trim_start_matches([' ', '\t', '\n', '\r']).starts_with('{') {
        return serde_json::from_str::<Field<T>>(text).map(drop);
    }
    let mut json = serde_json::Deserializer::from_str(text);
    json.deserialize_map(Members(place))?;
    json.end()
}

/// Moves the members of an object to their place at once. As a [`Field`] a large object would be copied between all
/// layers of the reader.
struct Members<'p, T>(&'p mut Option<T>);

impl<'de, T: FromJson<'de>> Visitor<'de> for Members<'_, T> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(T::EXPECTED)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        *self.0 = T::from_map(map)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::{
        super::{Field, FromJson, Reader, found_map, reason::complaint},
        *,
    };

    #[derive(Debug, PartialEq, Deserialize)]
    struct Request {
        #[serde(default)]
        a: Field<i64>,
    }

    impl<'de> FromJson<'de> for Request {
        const EXPECTED: &'static str = "an object";

        fn from_map<A: MapAccess<'de>>(map: A) -> Result<Option<Self>, A::Error> {
            found_map(map)
        }
    }

    #[test]
    fn an_object_is_read_as_in_a_field() {
        for text in [
            "{}",
            " \t\r\n{\"a\":[1]} ",
            "{\"a\":2,\"b\":{}}",
            "{\"a\":1,\n\"a\":1}",
            "{} x",
            "{\"a\":1,}",
            "{\"a\"",
            "{\"a\":1e999}",
            "null",
            "true",
            "1",
            "1e999",
            "[1,2]",
            "[1,",
            "\"{}\"",
            "\"\\ud800\"",
            "\u{c}{}",
            "\u{a0}{}",
            "\u{feff}{}",
            "x",
        ] {
            let mut place = None;
            let placed = read_object::<Request>(text, &mut place).map(|()| place).map_err(|error| complaint(&error));
            let field = serde_json::from_str(text).map_err(|error| complaint(&error));
            let field = field.map(|field| if let Field::Value(object) = field { Some(object) } else { None });
            assert_eq!(placed, field, "{text:?}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_skipped() {
        let read = |request: Request, _: &mut Violations| Some(request);
        let parsed = |body: &str| parse(body.as_bytes(), read).map_err(|error| error.status().code);
        assert_eq!(parsed("\u{feff}{\"a\":1}"), Ok(Request { a: Field::Value(1) }));
        for bad in ["\u{feff}", "\u{feff}\u{feff}{}", " \u{feff}{}"] {
            assert_eq!(parsed(bad), Err(400), "{bad:?}");
        }
    }

    #[test]
    fn unknown_members_and_faults_are_both_reported() {
        let read = |_: Request, broken: &mut Violations| {
            Reader::new(broken).note("a", "rule", "is invalid");
            Some(())
        };
        let Ok(Examined { command, broken, unknown }) = examine(br#"{"b":1,"c":"\u0000"}"#, read) else { panic!() };
        let paths: Vec<_> = broken.iter().map(|one| one.path.as_str()).collect();
        let unknown: Vec<_> = unknown.iter().map(|one| one.path.as_str()).collect();
        assert_eq!((command, paths, unknown), (None, vec!["c", "a"], vec!["b", "c"]));
    }
}
