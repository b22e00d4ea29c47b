//! Members of an update, where absence and `null` can have different meanings.

use patron_domain::{patch::Patch, violation::Rule};
use serde::{Deserialize, Deserializer};

use super::{
    field::{Field, FromJson},
    kinds::Text,
    reader::Reader,
};

/// A member of an object: absent, a value, or `null` (as [`Field::Absent`]).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stated<T>(Option<Field<T>>);

impl<T> Default for Stated<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Stated<T> {
    /// The value.
    pub(crate) fn as_field(&self) -> Option<&Field<T>> {
        self.0.as_ref()
    }

    /// The same, with `null` as absent.
    pub(crate) fn into_field(self) -> Field<T> {
        self.0.unwrap_or_default()
    }
}

impl<'de, T: FromJson<'de>> Deserialize<'de> for Stated<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Field::deserialize(deserializer).map(|field| Self(Some(field)))
    }
}

/// The meaning of `null` in an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Null {
    /// The value stays, as if the member were absent.
    Keeps,
    /// The value is removed (JSON merge patch, RFC 7396).
    Clears,
}

/// The meaning of a member of an update.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Statement<T> {
    /// The value stays.
    Nothing,
    /// The value is removed.
    Clear,
    /// The new value.
    Value(T),
}

impl Reader<'_> {
    /// Reads a member. A wrong type is reported.
    pub(crate) fn stated<T>(&mut self, name: &str, stated: Stated<T>, null: Null) -> Statement<T> {
        match (stated.0, null) {
            (None, _) | (Some(Field::Absent), Null::Keeps) => Statement::Nothing,
            (Some(Field::Absent), Null::Clears) => Statement::Clear,
            (Some(field), _) => self.take(name, field).map_or(Statement::Nothing, Statement::Value),
        }
    }

    /// Reads an optional text of an update. An empty one clears it.
    pub(crate) fn patch<'t, T, E: Rule>(
        &mut self,
        name: &str,
        stated: Stated<Text<'t>>,
        null: Null,
        check: impl FnOnce(Text<'t>) -> Result<T, E>,
    ) -> Patch<T> {
        match self.stated(name, stated, null) {
            Statement::Nothing => Patch::Keep,
            Statement::Clear => Patch::Clear,
            Statement::Value(text) if text.is_empty() => Patch::Clear,
            Statement::Value(text) => self.check(name, check(text)).map_or(Patch::Keep, Patch::Set),
        }
    }

    /// Reads a text of an update that cannot be cleared.
    pub(crate) fn replacement<'t, T, E: Rule>(
        &mut self,
        name: &str,
        stated: Stated<Text<'t>>,
        null: Null,
        check: impl FnOnce(Text<'t>) -> Result<T, E>,
    ) -> Option<T> {
        match self.stated(name, stated, null) {
            Statement::Nothing => None,
            Statement::Clear => self.required(name, Field::Absent, check),
            Statement::Value(text) => self.check(name, check(text)),
        }
    }
}
