//! The rules of a billing customer registry: who a company's customers are, where they live, which tax rates apply to
//! them, and under which ids other systems know them.
//!
//! This crate is pure. It holds values that cannot be invalid, decisions as functions from facts to changes, services
//! that callers with permissions ask, and *ports*: traits for what the rules need of the world (stores, the clock, ids).
//! It knows no SQL, no HTTP, no async runtime, no global clock and no global randomness.
//!
//! # Features
//! - `serde`: `Serialize` and `Deserialize` on the newtypes; deserialising goes through the checked constructors.
//! - `mock`: a mockall mock of every port, such as `customer::MockCustomerRepository`, with ready-made ones for the common
//!   cases: `empty()`, `with(…)`, `always_unavailable()`. What a ready-made one answers cannot be replaced; expectations of
//!   your own go on `new()`.
//! - `testkit`: in-memory ports, a fixed clock, counting ids, and the contract suite that every adapter has to pass.

mod clock;
pub mod customer;
pub mod event;
pub mod idempotency;
pub mod ids;
pub mod integration;
pub mod lifecycle;
pub mod metadata;
pub mod store;
pub mod tax;
pub mod tenancy;
#[cfg(feature = "testkit")]
pub mod testkit;
mod text;
pub mod time;
pub mod violation;

pub use clock::Clock;
#[cfg(any(test, feature = "mock"))]
pub use clock::MockClock;
pub use text::TextFault;
