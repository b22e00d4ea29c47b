//! Customers: rows and queries.

pub(crate) mod changes;
pub(crate) mod counts;
pub(crate) mod metadata_row;
pub(crate) mod page;
pub(crate) mod queries;
pub(crate) mod row;
pub(crate) mod search;
