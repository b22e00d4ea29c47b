//! Persistence: the ports over SQLite and PostgreSQL.
//!
//! Each transaction is written once, in the folder of its concept, against a gateway with one method for each statement
//! (`unit`). Decisions are data (`writes`), which one function writes. `sqlite` and `postgres` contain the real
//! differences: connections, concurrency, and how the gateway's statements run.

mod audit;
mod author;
#[cfg(all(feature = "sqlite", feature = "postgres"))]
mod copy;
mod custom_field;
mod customer;
mod database;
mod engine;
mod error;
mod event;
mod idempotency;
mod import;
mod literal;
mod metrics;
mod migrate;
mod onboarding;
mod open;
mod owners;
mod page;
mod party;
#[cfg(feature = "postgres")]
mod postgres;
mod privacy;
mod report;
mod retention;
mod rows;
mod schema;
#[cfg(feature = "sqlite")]
mod sqlite;
mod statements;
mod store;
mod tax;
mod tenancy;
mod timeout;
mod unit;
mod url;
mod value;
mod webhook;
mod word;
mod writes;

#[cfg(all(feature = "sqlite", feature = "postgres"))]
pub use copy::{CopyError, copy};
pub use database::Database;
pub use open::{OpenError, OpenOptions};
#[cfg(feature = "postgres")]
pub use postgres::PostgresStore;
#[cfg(feature = "webhooks")]
pub(crate) use privacy::keys::vault_place;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;
pub use url::{DatabaseUrl, DatabaseUrlError, PostgresUrl};
