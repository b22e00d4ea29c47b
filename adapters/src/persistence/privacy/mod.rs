//! Suppressing and erasing customers.
//!
//! A suppressed customer has no row in `customers`, no index entries and no onboarding run: they are in
//! `suppressed_customers`, which only this folder reads. So no query can show it, whether its author thought of it or
//! not. Events show a customer's state only beside its row: see `event/statements.rs`.

pub(crate) mod keys;
mod places;
mod port;
mod redaction;
pub(crate) mod row;
pub(crate) mod statements;
mod subject;

pub(crate) use subject::{Claimed, claimed};
