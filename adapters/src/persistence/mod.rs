//! Persistence: the ports over SQLite and PostgreSQL.
//!
//! Rows and queries are written once, per concept, for both databases (`customer`, `tax`, `integration`, `tenancy`,
//! `event`); `sqlite` and `postgres` hold what truly differs: connections, transactions, and who waits for whom.

mod column;
mod customer;
mod database;
mod error;
mod event;
mod idempotency;
mod integration;
mod literal;
mod metrics;
mod migrate;
mod onboarding;
mod open;
mod page;
mod patience;
#[cfg(feature = "postgres")]
mod postgres;
mod schema;
#[cfg(feature = "sqlite")]
mod sqlite;
mod tax;
mod tenancy;
mod url;
mod webhook;
mod written;

pub use database::Database;
pub use open::{OpenError, OpenOptions};
#[cfg(feature = "postgres")]
pub use postgres::PostgresStore;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;
pub use url::{DatabaseUrl, DatabaseUrlError, PostgresUrl};
pub use written::Written;
