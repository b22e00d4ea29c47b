//! Tax rates and associations: rows and queries.

pub(crate) mod association_row;
pub(crate) mod queries;
pub(crate) mod rate_row;
