//! From bytes to a request.

use patron_domain::violation::Violations;
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
    let request = match serde_json::from_str::<Field<T>>(text) {
        Ok(Field::Value(request)) => request,
        Ok(Field::Absent | Field::Wrong(_)) => {
            return Err(ApiError::malformed("the body must be a JSON object, such as {\"external_id\": \"acme\"}"));
        }
        Err(error) => return Err(ApiError::malformed(complaint(&error))),
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
