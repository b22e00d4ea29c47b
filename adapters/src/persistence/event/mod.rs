//! Events: rows and queries.

mod detail;
mod frozen;
pub(crate) mod log;
pub(crate) mod queries;
pub(crate) mod record;
pub(crate) mod row;
pub(crate) mod tax_rate;
