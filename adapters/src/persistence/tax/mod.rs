//! Tax rates, and tax associations of environments and customers.

mod port;
pub(crate) mod row;
pub(crate) mod statements;
