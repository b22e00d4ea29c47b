//! The rules of a customer registry for billing: a company's customers, their addresses, the tax rates that apply to
//! them, and their ids in other systems.
//!
//! This crate is pure. It has values that are always valid, decisions as functions from facts to changes, services for
//! callers with permissions, and *ports*: traits for the outside world (stores, the clock, ids). It contains no SQL, no
//! HTTP, no async runtime, no global clock and no global randomness.
//!
//! # A first example
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
//! // A service over four ports: here those of the test kit, in production your own store, clock and ids.
//! let service = CustomerService {
//!     customers: Arc::new(MemoryStore::default()),
//!     clock: Arc::new(FixedClock::default()),
//!     ids: Arc::new(CountingIds::default()),
//!     idempotency_ttl: DEFAULT_IDEMPOTENCY_TTL,
//!     quotas: patron_domain::tenancy::Quotas::default(),
//! };
//!
//! // All faults of a request are reported together, each under the name of its field.
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
//! # Where to continue
//! - [`customer`]: the fields, the decisions about a customer, [`CustomerService`](customer::CustomerService), and the port
//!   [`CustomerRepository`](customer::CustomerRepository).
//! - [`custom_field`]: the fields that an environment defines for its customers.
//! - [`tax`]: rates, associations, and [which taxes apply and why others do not](tax::TaxBasis::effective).
//! - [`tenancy`]: tenants, environments, keys, and [`Caller`](tenancy::Caller), the only way to a scope.
//! - [`audit`]: who changed keys, environments and other settings, and from where.
//! - [`activity`]: the event log and the audit log together, newest first.
//! - [`event`]: the log of all changes, for readers that must not miss any, and earlier states from it.
//! - [`diff`]: the differences between two states; [`report`]: the effects of a write, and dry runs.
//! - [`advice`]: warnings about writes that are accepted.
//! - [`privacy`]: erasing a person, legal holds, and the proof.
//! - [`retention`]: removing data that is no longer needed.
//! - [`stored`]: each aggregate as a compact JSON document, for stores that keep documents.
//! - `webhook` (feature `webhooks`): endpoints, and how deliveries are signed, ordered and retried, and endpoints are
//!   paused and disabled.
//! - [`import`]: files of customers from other products.
//! - [`onboarding`] (most of it with the feature `webhooks`): the calls to other systems for every new customer.
//! - `testkit` (a feature): tools for tests, and the contract suite for your own store.
//! - The guide to embedding:
//!   [`docs/embedding.md`](https://github.com/patron-billing/patron/blob/main/docs/embedding.md).
//!
//! # Features
//! - `serde`: `Serialize` and `Deserialize` on the newtypes, through the checked constructors, and on whole values in their
//!   [stored form](stored); `Deserialize` on requests such as [`NewCustomerParts`](customer::NewCustomerParts).
//! - `mock`: a mockall mock of every port, such as `customer::MockCustomerRepository`, with ready-made ones for common
//!   cases: `empty()`, `with(…)`, `always_unavailable()`. The results of a ready-made mock cannot be replaced; set your
//!   own expectations on `new()`.
//! - `http-semantics`: the module `http_semantics` for adapters that speak HTTP: entity tags, preconditions and
//!   fingerprints of requests; adds a dependency for SHA-256.
//! - `chain`: the module [`event::chain`]: hashes that show whether the log was changed; adds a dependency for SHA-256.
//! - `system`: the module `system` with the operating system's clock, ids and secrets; adds the dependency getrandom.
//! - `webhooks`: the modules `webhook` and `onboarding`; adds dependencies for HMAC, SHA-256 and base64.
//! - `testkit`: in-memory ports, a fixed clock, counting ids, and the contract suite that every adapter must pass.

pub mod activity;
pub mod advice;
pub mod audit;
mod clock;
pub mod custom_field;
pub mod customer;
pub mod diff;
pub mod event;
#[cfg(feature = "http-semantics")]
pub mod http_semantics;
pub mod idempotency;
pub mod ids;
pub mod import;
pub mod integration;
mod kind;
pub mod lifecycle;
pub mod metadata;
pub mod network;
pub mod onboarding;
pub mod page;
pub mod patch;
pub mod privacy;
pub mod report;
pub mod retention;
pub mod shares;
pub mod store;
pub mod stored;
#[cfg(feature = "system")]
pub mod system;
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
pub use kind::{ErrorKind, OperationError};
pub use text::TextFault;
pub use words::UnknownWord;
/// Foreign items of the public surface. Ports are implemented with `async_trait`.
pub use {async_trait::async_trait, chrono, rust_decimal, serde_json, uuid};
