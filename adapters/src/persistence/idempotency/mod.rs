//! Idempotency keys: rows and queries.

pub(crate) mod queries;
pub(crate) mod row;
