//! Members of an update, where `null` and nothing at all can mean two things.

use patron_domain::{patch::Patch, violation::Rule};
use serde::{Deserialize, Deserializer};

use super::{
    field::{Field, FromJson},
    kinds::Text,
    reader::Reader,
};

/// A member of an object: not there, or there with a value or `null` (then [`Field::Absent`]).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stated<T>(Option<Field<T>>);

impl<T> Default for Stated<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: FromJson<'de>> Deserialize<'de> for Stated<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Field::deserialize(deserializer).map(|field| Self(Some(field)))
    }
}

/// What `null` means in an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Null {
    /// As if the member were not there.
    Keeps,
    /// That the value is to go (JSON merge patch: RFC 7396).
    Clears,
}

/// A member of an update, read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Statement<T> {
    /// Nothing is said.
    Nothing,
    /// The value is to go.
    Clear,
    /// This is the value.
    Value(T),
}

impl Reader<'_> {
    /// What a member says; nothing when it has the wrong type, which is noted.
    pub(crate) fn stated<T>(&mut self, name: &str, stated: Stated<T>, null: Null) -> Statement<T> {
        match (stated.0, null) {
            (None, _) | (Some(Field::Absent), Null::Keeps) => Statement::Nothing,
            (Some(Field::Absent), Null::Clears) => Statement::Clear,
            (Some(field), _) => self.take(name, field).map_or(Statement::Nothing, Statement::Value),
        }
    }

    /// What an update says about an optional text: an empty one clears it.
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

    /// What an update says about a text that cannot be cleared.
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
