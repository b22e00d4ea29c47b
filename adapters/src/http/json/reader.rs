//! Reads the fields of a request, checks all rules, and collects all faults.

use std::{borrow::Cow, fmt};

use patron_domain::{
    metadata::{Metadata, member_path},
    violation::{Rule, Violation, Violations},
};

use super::{
    field::{Field, FromJson},
    kinds::{List, Strings, Text},
};

/// The place of an object in a request. It is rendered only for a fault, as the beginning of the paths of its fields:
/// empty for the request itself, otherwise for example `tax_rate_overrides[0].`.
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

/// Reads the fields of a request, or of one object in it, and collects their faults.
pub(crate) struct Reader<'a> {
    place: Place<'a>,
    broken: &'a mut Violations,
}

impl<'a> Reader<'a> {
    /// A reader of a request.
    pub(crate) fn new(broken: &'a mut Violations) -> Self {
        Self { place: Place::Request, broken }
    }

    /// Adds a fault of a field.
    pub(crate) fn note(&mut self, name: &str, rule: &'static str, message: &str) {
        if !self.broken.is_full() {
            let path = self.path(name).into_owned();
            self.broken.push(Violation { message: format!("{path} {message}"), path, rule });
        }
    }

    /// Adds a fault for a value of the wrong JSON type at a place in this object. The place is rendered only if the
    /// fault is still reported.
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

    /// The value of a field. `None` if it is absent or of the wrong type, which is reported.
    #[inline]
    pub(crate) fn take<T>(&mut self, name: &str, field: Field<T>) -> Option<T> {
        match field {
            Field::Absent => None,
            Field::Value(value) => Some(value),
            Field::Wrong(expected) => self.refuse_type(name, expected),
        }
    }

    /// An optional text. An empty one counts as absent.
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

    /// A required text.
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
                    let message = format!("{name} is required");
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

    /// Metadata. Empty if absent.
    pub(crate) fn metadata(&mut self, field: Field<Strings>) -> Metadata {
        let Some(strings) = self.take("metadata", field) else { return Default::default() };
        for key in strings.wrong {
            self.wrong_type(|| member_path("metadata", &key), Text::EXPECTED);
        }
        Metadata::new(strings.pairs, "metadata").map_err(|broken| self.absorb_under_place(broken)).unwrap_or_default()
    }

    /// The value of a check. A broken rule is reported.
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

    /// A value of several fields. `None` if it breaks rules, which are reported.
    pub(crate) fn group<T>(&mut self, checked: Result<T, Violations>) -> Option<T> {
        checked.map_err(|broken| self.absorb(broken)).ok()
    }

    /// The same of a value whose violations carry paths that begin at this object.
    pub(crate) fn group_here<T>(&mut self, checked: Result<T, Violations>) -> Option<T> {
        checked.map_err(|broken| self.absorb_under_place(broken)).ok()
    }

    /// Adds violations with complete paths.
    fn absorb(&mut self, broken: Violations) {
        broken.into_iter().for_each(|violation| self.broken.push(violation));
    }

    /// Adds violations whose paths are relative to this object.
    fn absorb_under_place(&mut self, broken: Violations) {
        for violation in broken {
            let path = self.path(&violation.path).into_owned();
            self.broken.push(Violation { path, ..violation });
        }
    }

    /// Reads each element of an array under its own place.
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

    /// An array of texts. Other elements are reported under their places.
    pub(crate) fn texts(&mut self, name: &str, field: Field<List<Text<'_>>>) -> Option<Vec<String>> {
        let list = self.take(name, field)?;
        Some(self.each(name, list, |text, _| Some(text.into_owned()), Text::EXPECTED).into_values())
    }

    /// An array of texts, each checked under its place.
    pub(crate) fn checked_texts<'t, T, E: Rule>(
        &mut self,
        name: &str,
        list: List<Text<'t>>,
        check: impl Fn(Text<'t>) -> Result<T, E>,
    ) -> Elements<T> {
        let count = list.count;
        let mut valid = Vec::with_capacity(list.elements.len());
        for (index, element) in list.elements.into_iter().enumerate() {
            match element {
                Field::Value(text) => match check(text) {
                    Ok(value) => valid.push((index, value)),
                    Err(broken) => self.refuse(&format!("{name}[{index}]"), &broken),
                },
                _ => self.wrong_type(|| format!("{name}[{index}]"), Text::EXPECTED),
            }
        }
        Elements { count, valid }
    }

    /// How much is wrong so far.
    pub(crate) fn faults(&self) -> usize {
        self.broken.iter().len()
    }

    /// Reads an object within this one under its name.
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

/// The elements of an array.
pub(crate) struct Elements<T> {
    /// The number of elements.
    pub(crate) count: usize,
    /// The valid elements, each with its index.
    pub(crate) valid: Vec<(usize, T)>,
}

impl<T> Elements<T> {
    /// The valid elements without their indexes.
    pub(crate) fn into_values(self) -> Vec<T> {
        self.valid.into_iter().map(|(_, value)| value).collect()
    }
}
