//! What tests need: in-memory ports, a clock that stands still, ids that count, valid values to start from, and the
//! contract suite that every adapter has to pass.

pub mod contract;
mod fixtures;
mod memory;

pub use fixtures::{
    CountingIds, CustomerBuilder, FixedClock, FixedRandomness, a_customer, a_default, a_full_customer, a_tax_rate,
    an_api_key, an_environment, a_tenant,
};
pub use memory::MemoryStore;
