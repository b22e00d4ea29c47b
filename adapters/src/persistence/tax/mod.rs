//! Tax rates, and the tax associations of environments and customers.

mod associations;
mod basis;
mod begin;
mod port;
pub(crate) mod row;
pub(crate) mod statements;
