//! Tools for tests of this crate's users: an in-memory store with every repository port, a clock and ids that tests
//! control, valid values, [`Faults`] to put before a port, and the [`contract`] suite that every adapter must pass.
//!
//! Not for production: [`MemoryStore`] does not persist anything, and the fixtures panic on invalid literals.

pub mod contract;
mod faults;
mod fixed;
mod fixtures;
mod memory;

pub use faults::{Faults, Faulty};
pub use fixed::{CountingIds, FixedClock, FixedRandomness};
#[cfg(any(test, feature = "mock"))]
pub use fixtures::a_webhook_service;
pub use fixtures::{
    CustomerBuilder, a_call, a_caller, a_custom_field, a_customer, a_deletion_of, a_deletion_request, a_delivery,
    a_full_customer, a_link, a_metadata, a_reader, a_scope, a_tax_default, a_tax_rate, a_tenant, a_time,
    a_webhook_endpoint, a_workflow, an_api_key, an_environment, an_id, an_owner, full_tax_rates,
};
pub use memory::MemoryStore;
