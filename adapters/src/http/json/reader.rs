//! The reading of a request's fields: every rule is checked, and everything that is broken noted.

use std::{borrow::Cow, fmt};

use patron_domain::{
    metadata::{Metadata, member_path},
    violation::{Rule, Violation, Violations},
};

use super::{
    field::{Field, FromJson},
    kinds::{List, Strings, Text},
};

/// Where an object stands in a request. Rendered only when something is wrong there, as what its fields' paths begin with:
/// nothing for the request itself, else such as `tax_rate_overrides[0].`.
#[derive(Debug, Clone, Copy)]
enum Place<'a> {
    Request,
    Member { of: &'a Place<'a>, name: &'a str },
    Element { of: &'a Place<'a>, name: &'a str, index: usize },
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request => Ok(()),
            Self::Member { of, name } => write!(f, "{of}{name}."),
            Self::Element { of, name, index } => write!(f, "{of}{name}[{index}]."),
        }
    }
}

/// Takes the fields of one request, or of one object within it, and collects what is wrong with them.
pub(crate) struct Reader<'a> {
    place: Place<'a>,
    broken: &'a mut Violations,
}

impl<'a> Reader<'a> {
    /// A reader of a request.
    pub(crate) fn new(broken: &'a mut Violations) -> Self {
        Self { place: Place::Request, broken }
    }

    /// Notes that something is wrong with a field.
    pub(crate) fn note(&mut self, name: &str, rule: &'static str, message: &str) {
        if !self.broken.is_full() {
            let path = self.path(name).into_owned();
            self.broken.push(Violation { message: format!("{path} {message}"), path, rule });
        }
    }

    /// Notes that a value at a place within this object has another JSON type than the place takes. The place is named only
    /// when that is still told.
    pub(crate) fn wrong_type(&mut self, place: impl FnOnce() -> String, expected: &str) {
        if !self.broken.is_full() {
            let path = self.path(&place()).into_owned();
            let message = format!("{path} must be {expected}");
            self.broken.push(Violation { path, rule: "type", message });
        }
    }

    fn path<'n>(&self, name: &'n str) -> Cow<'n, str> {
        match self.place {
            Place::Request => Cow::Borrowed(name),
            place => Cow::Owned(format!("{place}{name}")),
        }
    }

    /// A field's value; `None` when it is absent, or of the wrong type, which is noted.
    #[inline]
    pub(crate) fn take<T>(&mut self, name: &str, field: Field<T>) -> Option<T> {
        match field {
            Field::Absent => None,
            Field::Value(value) => Some(value),
            Field::Wrong(expected) => self.refuse_type(name, expected),
        }
    }

    /// An optional text; empty is absent.
    #[inline]
    pub(crate) fn optional<'t, T, E: Rule>(
        &mut self,
        name: &str,
        field: Field<Text<'t>>,
        check: impl FnOnce(Text<'t>) -> Result<T, E>,
    ) -> Option<T> {
        match field {
            Field::Value(text) if !text.is_empty() => self.check(name, check(text)),
            Field::Value(_) | Field::Absent => None,
            Field::Wrong(expected) => self.refuse_type(name, expected),
        }
    }

    /// A text that has to be there.
    #[inline]
    pub(crate) fn required<'t, T, E: Rule>(
        &mut self,
        name: &str,
        field: Field<Text<'t>>,
        check: impl FnOnce(Text<'t>) -> Result<T, E>,
    ) -> Option<T> {
        match field {
            Field::Value(text) => self.check(name, check(text)),
            Field::Absent => {
                if !self.broken.is_full() {
                    let message = format!("{name} is needed");
                    self.broken.push(Violation { path: self.path(name).into_owned(), rule: "required", message });
                }
                None
            }
            Field::Wrong(expected) => self.refuse_type(name, expected),
        }
    }

    #[cold]
    fn refuse_type<T>(&mut self, name: &str, expected: &str) -> Option<T> {
        self.wrong_type(|| name.to_owned(), expected);
        None
    }

    /// Metadata; none when absent.
    pub(crate) fn metadata(&mut self, field: Field<Strings>) -> Metadata {
        let Some(strings) = self.take("metadata", field) else { return Default::default() };
        for key in strings.wrong {
            self.wrong_type(|| member_path("metadata", &key), Text::EXPECTED);
        }
        Metadata::new(strings.pairs, "metadata").map_err(|broken| self.absorb_under_place(broken)).unwrap_or_default()
    }

    /// The value of a check, or a note of what it broke.
    #[inline]
    pub(crate) fn check<T, E: Rule>(&mut self, name: &str, checked: Result<T, E>) -> Option<T> {
        match checked {
            Ok(value) => Some(value),
            Err(broken) => {
                self.refuse(name, &broken);
                None
            }
        }
    }

    #[cold]
    fn refuse(&mut self, name: &str, broken: &dyn Rule) {
        if !self.broken.is_full() {
            self.broken.add(self.path(name), broken);
        }
    }

    /// A value made of several fields; `None` when it breaks rules, which are noted.
    pub(crate) fn group<T>(&mut self, checked: Result<T, Violations>) -> Option<T> {
        checked.map_err(|broken| self.absorb(broken)).ok()
    }

    /// Notes violations that carry whole paths already.
    fn absorb(&mut self, broken: Violations) {
        broken.into_iter().for_each(|violation| self.broken.push(violation));
    }

    /// Notes violations whose paths begin at this object.
    fn absorb_under_place(&mut self, broken: Violations) {
        for violation in broken {
            let path = self.path(&violation.path).into_owned();
            self.broken.push(Violation { path, ..violation });
        }
    }

    /// Each element of an array, read by itself under its place.
    pub(crate) fn each<T, U>(
        &mut self,
        name: &str,
        list: List<T>,
        mut read: impl FnMut(T, &mut Reader<'_>) -> Option<U>,
        expected: &'static str,
    ) -> Elements<U> {
        let elements = list.elements.into_iter().enumerate();
        let valid = elements.filter_map(|(index, element)| {
            let Field::Value(element) = element else {
                self.wrong_type(|| format!("{name}[{index}]"), expected);
                return None;
            };
            let place = Place::Element { of: &self.place, name, index };
            let value = read(element, &mut Reader { place, broken: self.broken })?;
            Some((index, value))
        });
        let valid = valid.collect();
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
        let place = Place::Member { of: &self.place, name };
        read(object, &mut Reader { place, broken: self.broken })
    }
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
