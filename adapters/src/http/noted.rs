//! What the guards of a request note for its answer: faults, which are told together with those of the body, and members
//! of the body that nothing here knows.

use std::sync::{Mutex, MutexGuard, PoisonError};

use patron_domain::violation::{Rule, Violation, Violations};
use rocket::{
    Request,
    http::{Header, uncased::Uncased},
};

/// The notes of one request.
#[derive(Default)]
pub(crate) struct Noted {
    faults: Mutex<Violations>,
    unknown: Mutex<Vec<String>>,
}

/// The header that names the unknown members of a body.
pub(crate) const IGNORED: &str = "Patron-Ignored";

/// The most characters of one name in the header.
const MOST_CHARS: usize = 100;

impl Noted {
    /// Those of a request.
    pub(crate) fn of<'r>(request: &'r Request<'_>) -> &'r Self {
        request.local_cache(Self::default)
    }

    /// Notes what is wrong with a header.
    pub(crate) fn fault(&self, place: &str, broken: &dyn Rule) {
        lock(&self.faults).add(place, broken);
    }

    /// Notes what is wrong with the query.
    pub(crate) fn faults_of(&self, broken: impl IntoIterator<Item = Violation>) {
        let mut faults = lock(&self.faults);
        broken.into_iter().for_each(|violation| faults.push(violation));
    }

    /// What is wrong, so far as was noted.
    pub(crate) fn faults(&self) -> Violations {
        lock(&self.faults).clone()
    }

    /// Notes the members of the body that nothing here knows.
    pub(crate) fn unknown(&self, names: Vec<String>) {
        *lock(&self.unknown) = names;
    }

    /// The header that names the members of the body that were ignored, if there were any.
    pub(super) fn header(&self) -> Option<Header<'static>> {
        let names = std::mem::take(&mut *lock(&self.unknown));
        let names: Vec<_> = names.iter().map(|name| in_header(name)).collect();
        (!names.is_empty()).then(|| Header { name: Uncased::from(IGNORED), value: names.join(", ").into() })
    }
}

/// A name as a header can hold it: everything but visible ASCII is percent-encoded, and so is what separates names.
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

/// Nothing here can be left half done by a thread that panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::{Noted, in_header};

    #[test]
    fn names_are_told_in_visible_ascii() {
        assert_eq!(in_header("tax_rate_overrides[0].tax_behavior"), "tax_rate_overrides[0].tax_behavior");
        assert_eq!(in_header("a,b\r\n%ü"), "a%2Cb%0D%0A%25%C3%BC");
        assert_eq!(in_header(&"x".repeat(10_000)).len(), 104);
    }

    #[test]
    fn without_a_name_there_is_no_header() {
        let noted = Noted::default();
        assert!(noted.header().is_none());
        noted.unknown(vec!["a".to_owned(), "b c".to_owned()]);
        assert_eq!(noted.header().map(|header| header.value().to_owned()).as_deref(), Some("a, b%20c"));
    }
}
