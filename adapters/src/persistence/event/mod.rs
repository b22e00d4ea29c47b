//! Events: rows and queries.

pub(crate) mod row;
