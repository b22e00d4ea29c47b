//! Customers: rows and queries.

pub(crate) mod changes;
pub(crate) mod counts;
pub(crate) mod queries;
pub(crate) mod row;
