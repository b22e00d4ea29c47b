//! From bytes to a request.

use std::fmt;

use patron_domain::violation::Violations;
use serde::{
    Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::error::Category;

use super::{
    field::{Field, FromJson},
    nul,
};
use crate::http::error::ApiError;

/// Reads a body as one JSON object, and turns it into what the domain takes.
///
/// `read` notes what is wrong with the fields; U+0000 anywhere in the body is noted beside it. Nothing of the body is
/// repeated in an error.
pub(crate) fn parse<'de, T, C>(
    body: &'de [u8],
    read: impl FnOnce(T, &mut Violations) -> Option<C>,
) -> Result<C, ApiError>
where
    T: FromJson<'de>,
{
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(ApiError::malformed("the body is empty; send a JSON object"));
    }
    let Ok(text) = std::str::from_utf8(body) else {
        return Err(ApiError::malformed("the body is no UTF-8; send JSON in UTF-8"));
    };
    let mut request = None;
    read_object(text, &mut request).map_err(|error| ApiError::malformed(complaint(&error)))?;
    let Some(request) = request else {
        return Err(ApiError::malformed("the body must be a JSON object, such as {\"external_id\": \"acme\"}"));
    };
    let mut broken = if nul::is_suspected(text) {
        nul::find(body).map_err(|error| ApiError::malformed(complaint(&error)))?
    } else {
        Violations::new()
    };
    let command = read(request, &mut broken);
    broken.into_result()?;
    // Without a violation there is a command; the error stands in where `read` would disagree.
    command.ok_or_else(ApiError::system_error)
}

/// Reads an object to where it is to be, and nothing when the text is JSON of another type.
fn read_object<'de, T: FromJson<'de>>(text: &'de str, place: &mut Option<T>) -> serde_json::Result<()> {
    if !text.trim_start_matches([' ', '\t', '\n', '\r']).starts_with('{') {
        return serde_json::from_str::<Field<T>>(text).map(drop);
    }
    let mut json = serde_json::Deserializer::from_str(text);
    json.deserialize_map(Members(place))?;
    json.end()
}

/// Takes the members of an object to their place at once. As a [`Field`] all of a large object would be copied from each
/// layer of the reader to the next.
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

/// What is wrong with the JSON and where, without the parser's own words: they can quote the body.
fn complaint(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        Category::Eof => "the JSON ends too early",
        Category::Data => "a member of an object is given twice",
        Category::Syntax | Category::Io => {
            "the body is no JSON, or holds what cannot be kept (more than 127 levels, a number beyond 1e308, half a \
             surrogate pair)"
        }
    };
    format!("{what}: look at line {}, column {}", error.line(), error.column())
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, de::MapAccess};

    use super::{
        super::{Field, FromJson, found_map},
        complaint, read_object,
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
    fn an_object_is_read_to_its_place_as_it_is_by_a_field() {
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
}
