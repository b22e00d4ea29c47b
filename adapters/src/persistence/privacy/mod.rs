//! Suppressing and erasing customers.
//!
//! A suppressed customer has no row in `customers`, no index entries and no onboarding run: they are in
//! `suppressed_customers`, which only the statements of this folder and copies of the database read. So no other query
//! can show it. Events show a customer's state only beside its row: see `event/statements.rs`.

mod entries;
pub(crate) mod keys;
mod look_ups;
mod places;
mod port;
mod record;
mod redaction;
mod retention;
pub(crate) mod row;
pub(crate) mod statements;
mod subject;
mod subjects;
mod suppress;

use patron_domain::{privacy::PrivacyError, store::StoreError};

use super::error::Failure;

pub(crate) use subject::{Claimed, claimed};

/// The failure of a step that only the store refuses.
type Failed = Failure<StoreError>;

impl From<Failed> for Failure<PrivacyError> {
    fn from(failed: Failed) -> Self {
        failed.map(PrivacyError::from)
    }
}
