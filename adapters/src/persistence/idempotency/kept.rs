//! The column `answer` of a record: what was answered, where no event holds it, under the word for its kind.

use std::borrow::Cow;

use patron_domain::idempotency::KeptAnswer;
use serde::{Deserialize, Serialize};

/// The column.
#[derive(Serialize, Deserialize)]
pub(super) struct KeptColumn<'a> {
    kind: Cow<'a, str>,
    json: Cow<'a, str>,
}

impl<'a> From<&'a KeptAnswer> for KeptColumn<'a> {
    fn from(kept: &'a KeptAnswer) -> Self {
        Self { kind: kept.kind().into(), json: kept.json().into() }
    }
}

impl From<KeptColumn<'_>> for KeptAnswer {
    fn from(column: KeptColumn<'_>) -> Self {
        Self::new(column.kind.into_owned(), column.json.into_owned())
    }
}
