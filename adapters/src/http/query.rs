//! The query of a request: names and values, percent-decoded, and checked all together.

use patron_domain::{
    page::{PageError, PageRequest},
    violation::{Rule, Violation, Violations},
};
use rocket::{
    Request,
    request::{FromRequest, Outcome},
};

use super::{error::ApiError, wrap::fail};

/// The parameters of a request. An empty one is as if absent, of a repeated one the first counts.
pub(crate) struct Query(Vec<(String, String)>);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Query {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        let raw = request.uri().query().map_or("", |query| query.as_str());
        match parse(raw) {
            Ok(parameters) => Outcome::Success(Self(parameters)),
            Err(broken) => Outcome::Error((fail(request, ApiError::from(broken)), ())),
        }
    }
}

fn parse(raw: &str) -> Result<Vec<(String, String)>, Violations> {
    let mut broken = Violations::new();
    let mut parameters = Vec::new();
    for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decode = |text: &str| rocket::http::RawStr::new(text).url_decode().map(std::borrow::Cow::into_owned);
        // A name that is no text is an unknown one, which is ignored.
        let Ok(name) = decode(name) else { continue };
        match decode(value) {
            Ok(value) if value.contains('\0') => {
                broken.push(refusal(&name, "no_nul", "must not hold the character U+0000"))
            }
            Ok(value) if value.is_empty() => {}
            Ok(value) => parameters.push((name, value)),
            Err(_) => broken.push(refusal(&name, "utf_8", "must be percent-encoded UTF-8")),
        }
    }
    broken.into_result()?;
    Ok(parameters)
}

fn refusal(name: &str, rule: &'static str, message: &str) -> Violation {
    Violation { path: name.to_owned(), rule, message: format!("{name} {message}") }
}

impl Query {
    /// The value of a parameter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All values of a parameter, in their order; `None` when there is none.
    pub(crate) fn all(&self, name: &str) -> Option<Vec<String>> {
        let values: Vec<_> = self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.clone()).collect();
        (!values.is_empty()).then_some(values)
    }

    /// Each value of a parameter that may be repeated, and whose values may be joined by commas; `None` when it is absent.
    pub(crate) fn joined(&self, name: &str) -> Option<Vec<&str>> {
        let mut given = self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).peekable();
        given.peek()?;
        Some(given.flat_map(|value| value.split(',')).filter(|value| !value.is_empty()).collect())
    }

    /// The value of a parameter that has to be there.
    pub(crate) fn required(&self, name: &str, broken: &mut Violations) -> Option<&str> {
        let value = self.get(name);
        if value.is_none() {
            broken.push(refusal(name, "required", "is needed"));
        }
        value
    }

    /// The checked value of a parameter; `None` when it is absent or wrong, which is noted.
    pub(crate) fn checked<T, E: Rule>(
        &self,
        name: &str,
        broken: &mut Violations,
        check: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let value = self.get(name)?;
        broken.check(|| name.to_owned(), check(value))
    }

    /// Whether a parameter says `true` or `false`; `None` when it is absent or says something else, which is noted.
    pub(crate) fn flag(&self, name: &str, broken: &mut Violations) -> Option<bool> {
        match self.get(name)? {
            "true" => Some(true),
            "false" => Some(false),
            _ => {
                broken.push(refusal(name, "one_of", "must be true or false"));
                None
            }
        }
    }

    /// The `limit` alone, where a cursor and no offset says where to go on.
    pub(crate) fn limit(&self, broken: &mut Violations) -> u16 {
        let check = |text: &str| {
            let limit = text.parse::<u64>().map_err(|_| PageError::Limit)?;
            PageRequest::new(limit, 0).map(|page| page.limit())
        };
        self.checked("limit", broken, check).unwrap_or(PageRequest::DEFAULT_LIMIT)
    }

    /// The page that `limit` and `offset` name.
    pub(crate) fn page(&self, broken: &mut Violations) -> PageRequest {
        let number = |error: PageError| move |text: &str| text.parse::<u64>().map_err(|_| error);
        let limit = self.checked("limit", broken, number(PageError::Limit));
        let offset = self.checked("offset", broken, number(PageError::Offset));
        let page = PageRequest::new(limit.unwrap_or(PageRequest::DEFAULT_LIMIT.into()), offset.unwrap_or(0));
        page.unwrap_or_else(|error| {
            let name = if error == PageError::Limit { "limit" } else { "offset" };
            broken.add(name, &error);
            PageRequest::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn names_and_values_are_decoded_and_empty_ones_absent() {
        let parameters = parse("a=1&b=%C3%A4+x%2B&c=&d&&a=2").unwrap();
        let expected = [("a", "1"), ("b", "ä x+"), ("a", "2")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(parameters, expected);
    }

    #[test]
    fn what_no_text_can_be_is_refused_by_name() {
        let broken = parse("a=%00&b=%FF&c=fine").unwrap_err();
        let found: Vec<_> = broken.iter().map(|violation| (violation.path.as_str(), violation.rule)).collect();
        assert_eq!(found, [("a", "no_nul"), ("b", "utf_8")]);
    }
}
