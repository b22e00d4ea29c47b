//! One figure a file.

pub(crate) mod create;
pub(crate) mod get;
pub(crate) mod idempotency;
pub(crate) mod mix;
pub(crate) mod overload;
pub(crate) mod parse;
pub(crate) mod start;
