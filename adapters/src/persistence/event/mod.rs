//! Events: rows and queries.

mod detail;
pub(crate) mod queries;
pub(crate) mod row;
