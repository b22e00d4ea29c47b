//! Notes of the request guards for the response: faults, which are reported together with those of the body, and
//! unknown members of the body.

use std::sync::{Mutex, MutexGuard, PoisonError};

use patron_domain::violation::{Rule, Violation, Violations};
use rocket::{
    Request,
    http::{Header, uncased::Uncased},
};

use super::json::Unknown;

/// The notes of one request.
#[derive(Default)]
pub(crate) struct Noted {
    faults: Mutex<Violations>,
    unknown: Mutex<Vec<Unknown>>,
}

/// The header that names the unknown members of a body.
pub(crate) const IGNORED: &str = "Patron-Ignored";

/// The most names in the header.
pub(super) const MOST_UNKNOWN: usize = 20;

/// The most characters of one name in the header.
const MOST_CHARS: usize = 100;

impl Noted {
    /// The notes of a request.
    pub(crate) fn of<'r>(request: &'r Request<'_>) -> &'r Self {
        request.local_cache(Self::default)
    }

    /// Adds a fault of a header.
    pub(crate) fn fault(&self, place: &str, broken: &dyn Rule) {
        lock(&self.faults).add(place, broken);
    }

    /// Adds faults of the query.
    pub(crate) fn faults_of(&self, broken: impl IntoIterator<Item = Violation>) {
        let mut faults = lock(&self.faults);
        broken.into_iter().for_each(|violation| faults.push(violation));
    }

    /// The faults so far.
    pub(crate) fn faults(&self) -> Violations {
        lock(&self.faults).clone()
    }

    /// Adds unknown members of the body.
    pub(crate) fn unknown(&self, members: Vec<Unknown>) {
        let mut unknown = lock(&self.unknown);
        unknown.extend(members);
        unknown.truncate(MOST_UNKNOWN);
    }

    /// The unknown members of the body.
    pub(super) fn unknown_members(&self) -> Vec<Unknown> {
        lock(&self.unknown).clone()
    }

    /// The header with the ignored members of the body, if there are any.
    pub(super) fn header(&self) -> Option<Header<'static>> {
        let members = std::mem::take(&mut *lock(&self.unknown));
        let names: Vec<_> = members.iter().map(|member| in_header(&member.path)).collect();
        (!names.is_empty()).then(|| Header { name: Uncased::from(IGNORED), value: names.join(", ").into() })
    }
}

/// A name in a form for headers: visible ASCII, with the separators and all other characters percent-encoded.
fn in_header(name: &str) -> String {
    let mut text = String::new();
    for byte in name.bytes() {
        match byte {
            b'!'..=b'~' if !matches!(byte, b',' | b'%') => text.push(char::from(byte)),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
        if text.len() > MOST_CHARS {
            text.push_str("...");
            break;
        }
    }
    text
}

/// Every operation here leaves the value consistent, even if its thread panics.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::{Noted, Unknown, in_header};

    #[test]
    fn names_are_encoded_in_visible_ascii() {
        assert_eq!(in_header("tax_rate_overrides[0].tax_behavior"), "tax_rate_overrides[0].tax_behavior");
        assert_eq!(in_header("a,b\r\n%ü"), "a%2Cb%0D%0A%25%C3%BC");
        assert_eq!(in_header(&"x".repeat(10_000)).len(), 104);
    }

    #[test]
    fn without_names_there_is_no_header() {
        let noted = Noted::default();
        assert!(noted.header().is_none());
        noted.unknown(["a", "b c"].map(|path| Unknown { path: path.to_owned(), nearest: None }).into());
        assert_eq!(noted.header().map(|header| header.value().to_owned()).as_deref(), Some("a, b%20c"));
    }
}
