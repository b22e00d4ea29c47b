//! Tenants, environments and API keys.

mod keys;
mod port;
pub(crate) mod row;
pub(crate) mod statements;
