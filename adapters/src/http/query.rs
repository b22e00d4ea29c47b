//! The query of a request: percent-decoded names and values, checked together.

use std::convert::Infallible;

use patron_domain::{
    page::{PageError, PageRequest},
    time::Timestamp,
    violation::{Rule, Violation, Violations},
};
use rocket::{
    Request,
    request::{FromRequest, Outcome},
};

use super::noted::Noted;

/// The parameters of a request. Empty ones count as absent, and of repeated ones the first counts. `name[]=a` equals
/// `name=a`, because some clients write lists like this.
pub(crate) struct Query<'r> {
    parameters: Vec<(String, String)>,
    noted: &'r Noted,
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Query<'r> {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Infallible> {
        let raw = request.uri().query().map_or("", |query| query.as_str());
        let (parameters, broken) = parse(raw);
        let noted = Noted::of(request);
        noted.faults_of(broken);
        Outcome::Success(Self { parameters, noted })
    }
}

/// The value of a parameter, for code that runs before the route. Faults are reported with the others by [`Query`].
pub(super) fn first(request: &Request<'_>, name: &str) -> Option<String> {
    let raw = request.uri().query().map_or("", |query| query.as_str());
    // Most requests have no query.
    if !raw.contains(name) {
        return None;
    }
    parse(raw).0.into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
}

fn parse(raw: &str) -> (Vec<(String, String)>, Violations) {
    let mut broken = Violations::new();
    let mut parameters = Vec::new();
    for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decode = |text: &str| rocket::http::RawStr::new(text).url_decode().map(std::borrow::Cow::into_owned);
        // A name that is not text is unknown, and so ignored.
        let Ok(name) = decode(name) else { continue };
        let name = name.strip_suffix("[]").map(str::to_owned).unwrap_or(name);
        match decode(value) {
            Ok(value) if value.contains('\0') => {
                broken.push(refusal(&name, "no_control", "must not contain the character U+0000"))
            }
            Ok(value) if value.is_empty() => {}
            Ok(value) => parameters.push((name, value)),
            Err(_) => broken.push(refusal(&name, "utf_8", "must be percent-encoded UTF-8")),
        }
    }
    (parameters, broken)
}

fn refusal(name: &str, rule: &'static str, message: &str) -> Violation {
    Violation { path: name.to_owned(), rule, message: format!("{name} {message}") }
}

impl Query<'_> {
    /// The faults so far: of the headers, and of the encoding of the query.
    pub(crate) fn faults(&self) -> Violations {
        self.noted.faults()
    }

    /// Reports parameters with other names. For routes where ignoring one could do harm, such as a misspelt `dry_run`.
    pub(crate) fn only(&self, known: &[&str], broken: &mut Violations) {
        for (name, _) in &self.parameters {
            if name != "pretty" && !known.contains(&name.as_str()) {
                broken.push(refusal(name, "known_parameter", "is not a parameter of this route; remove it"));
            }
        }
    }

    /// Checks a request without parameters. The error lists all faults so far.
    pub(crate) fn none(&self) -> Result<(), Violations> {
        self.nothing_but(&[])
    }

    /// Checks a request of a route that reads no parameter itself, such as one with `dry_run`. The error lists all faults
    /// so far.
    pub(crate) fn nothing_but(&self, known: &[&str]) -> Result<(), Violations> {
        let mut broken = self.faults();
        self.only(known, &mut broken);
        broken.into_result()
    }

    /// The value of a parameter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All values of a parameter, in order. `None` if it is absent.
    pub(crate) fn all(&self, name: &str) -> Option<Vec<String>> {
        let values: Vec<_> =
            self.parameters.iter().filter(|(known, _)| known == name).map(|(_, value)| value.clone()).collect();
        (!values.is_empty()).then_some(values)
    }

    /// Each value of a parameter that may be repeated or contain several values separated by commas. `None` if it is
    /// absent.
    pub(crate) fn joined(&self, name: &str) -> Option<Vec<&str>> {
        let mut given =
            self.parameters.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).peekable();
        given.peek()?;
        Some(given.flat_map(|value| value.split(',')).filter(|value| !value.is_empty()).collect())
    }

    /// The value of a parameter that is required.
    pub(crate) fn required(&self, name: &str, broken: &mut Violations) -> Option<&str> {
        let value = self.get(name);
        if value.is_none() {
            broken.push(refusal(name, "required", "is required"));
        }
        value
    }

    /// The checked value of a parameter; `None` if it is absent or invalid, which is reported.
    pub(crate) fn checked<T, E: Rule>(
        &self,
        name: &str,
        broken: &mut Violations,
        check: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let value = self.get(name)?;
        broken.check(|| name.to_owned(), check(value))
    }

    /// The time in a parameter. `None` if it is absent or invalid, which is reported. A space in place of the `+` of
    /// its offset counts as `+`, because clients forget to encode it.
    pub(crate) fn time(&self, name: &str, broken: &mut Violations) -> Option<Timestamp> {
        let text = self.get(name)?;
        let restored = match text.len().checked_sub("+01:00".len()).and_then(|at| text.split_at_checked(at)) {
            Some((time, offset)) if offset.starts_with(' ') => format!("{time}+{}", &offset[1..]),
            _ => text.to_owned(),
        };
        let checked = Timestamp::parse(&restored);
        broken.check(|| name.to_owned(), checked)
    }

    /// The boolean in a parameter. `None` if it is absent or invalid, which is reported.
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

    /// The page at `limit` and `offset`.
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
    use super::*;

    #[test]
    fn names_and_values_are_decoded_and_empty_ones_absent() {
        let (parameters, broken) = parse("a=1&b=%C3%A4+x%2B&c=&d&&a=2&a[]=3&a%5B%5D=4&e[]=");
        let expected = [("a", "1"), ("b", "ä x+"), ("a", "2"), ("a", "3"), ("a", "4")];
        assert_eq!(parameters, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert!(broken.is_empty());
    }

    #[test]
    fn invalid_texts_are_reported_by_name() {
        let (_, broken) = parse("a=%00&b=%FF&c=fine");
        let found: Vec<_> = broken.iter().map(|violation| (violation.path.as_str(), violation.rule)).collect();
        assert_eq!(found, [("a", "no_control"), ("b", "utf_8")]);
    }

    #[test]
    fn a_space_in_place_of_a_plus_is_accepted_in_a_time() {
        let time = |raw: &str| {
            let noted = Noted::default();
            let query = Query { parameters: parse(raw).0, noted: &noted };
            let mut broken = Violations::new();
            (query.time("at", &mut broken).map(|at| at.to_string()), broken.is_empty())
        };
        let eight = (Some("2026-01-31T08:00:00.000000Z".to_owned()), true);
        for raw in ["2026-01-31T09:00:00+01:00", "2026-01-31T09:00:00%2B01:00", "2026-01-31T08:00:00Z"] {
            assert_eq!(time(&format!("at={raw}")), eight, "{raw}");
        }
        assert_eq!(time("b=1"), (None, true));
        for bad in ["tomorrow", "2026-01-31", "2026-01-31T09:00:00+", "+01:00", "ü+01:00"] {
            assert_eq!(time(&format!("at={bad}")), (None, false), "{bad}");
        }
    }
}
