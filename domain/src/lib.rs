//! The rules of a billing customer registry: who a company's customers are, where they live, which tax rates apply to
//! them, and under which ids other systems know them.
//!
//! This crate is pure. It holds values that cannot be invalid, decisions as functions from facts to changes, services
//! that callers with permissions ask, and *ports*: traits for what the rules need of the world (stores, the clock, ids).
//! It knows no SQL, no HTTP, no async runtime, no global clock and no global randomness.
//!
//! # From nothing to a customer
//!
//! ```toml
//! [dependencies]
//! patron-domain = { version = "0.1", features = ["testkit"] }
//! futures = "0.3" # or any other runtime
//! ```
//!
//! ```
//! use std::sync::Arc;
//!
//! use patron_domain::{
//!     customer::{CustomerName, CustomerService, DEFAULT_IDEMPOTENCY_TTL, Email, ExternalId, NewCustomer},
//!     testkit::{CountingIds, FixedClock, MemoryStore, a_caller},
//!     violation::Violations,
//! };
//!
//! // A service over four ports: here the test kit's, in production your own store, clock and ids.
//! let service = CustomerService {
//!     customers: Arc::new(MemoryStore::default()),
//!     clock: Arc::new(FixedClock::default()),
//!     ids: Arc::new(CountingIds::default()),
//!     idempotency_ttl: DEFAULT_IDEMPOTENCY_TTL,
//! };
//!
//! // All that is wrong with a request is found at once, each under the name of its field.
//! let mut broken = Violations::new();
//! let external_id = broken.check(|| "external_id".into(), ExternalId::new("acme"));
//! let email = broken.check(|| "email".into(), Email::new("billing@acme.example"));
//! broken.into_result().unwrap();
//!
//! let mut new = NewCustomer::new(external_id.unwrap());
//! new.profile.name = CustomerName::new("Acme Ltd").ok();
//! new.profile.email = email;
//!
//! let created = futures::executor::block_on(service.create(&a_caller(), new, None)).unwrap();
//! let customer = created.event.state.customer;
//! assert!(customer.id.to_string().starts_with("cust_"));
//! assert_eq!(created.event.kind.event_type().as_str(), "customer.created");
//! ```
//!
//! # Where to go on
//! - [`customer`]: the fields, the decisions about a customer, [`CustomerService`](customer::CustomerService), and the port
//!   [`CustomerRepository`](customer::CustomerRepository).
//! - [`tax`]: rates, associations, and [which taxes apply and why others do not](tax::TaxBasis::effective).
//! - [`tenancy`]: tenants, environments, keys, and [`Caller`](tenancy::Caller), the only way to a scope.
//! - [`event`]: the log of everything that happened, which somebody can follow without missing anything.
//! - [`retention`]: how long what nobody needs any more is kept.
//! - [`stored`]: each aggregate as a compact JSON document, for stores that keep documents.
//! - `webhook` (feature `webhooks`): who is told of events, how deliveries are signed, ordered and repeated, and when an endpoint is left alone.
//! - [`onboarding`] (most of it with the feature `webhooks`): what is done elsewhere for every new customer, step by step.
//! - `testkit` (a feature): what tests need, and the contract suite for a store of your own.
//! - The guide for those who embed: [`docs/embedding.md`](https://github.com/patron-billing/patron/blob/main/docs/embedding.md).
//!
//! # Features
//! - `serde`: `Serialize` and `Deserialize` on the newtypes; deserialising goes through the checked constructors.
//! - `mock`: a mockall mock of every port, such as `customer::MockCustomerRepository`, with ready-made ones for the common
//!   cases: `empty()`, `with(…)`, `always_unavailable()`. What a ready-made one answers cannot be replaced; expectations of
//!   your own go on `new()`.
//! - `webhooks`: the modules `webhook` and `onboarding`; brings HMAC, SHA-256 and base 64.
//! - `testkit`: in-memory ports, a fixed clock, counting ids, and the contract suite that every adapter has to pass.

mod clock;
pub mod customer;
pub mod event;
pub mod idempotency;
pub mod ids;
pub mod integration;
pub mod lifecycle;
pub mod metadata;
pub mod onboarding;
pub mod page;
pub mod patch;
pub mod retention;
pub mod store;
pub mod stored;
pub mod tax;
pub mod tenancy;
#[cfg(feature = "testkit")]
pub mod testkit;
mod text;
pub mod time;
pub mod violation;
#[cfg(feature = "webhooks")]
pub mod webhook;
mod words;

pub use clock::Clock;
#[cfg(any(test, feature = "mock"))]
pub use clock::MockClock;
pub use text::TextFault;
pub use words::UnknownWord;
