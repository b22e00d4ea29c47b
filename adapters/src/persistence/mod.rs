//! Persistence: the ports over SQLite and PostgreSQL.
//!
//! Rows and queries are written once, per concept, for both databases; `sqlite` and `postgres` execute them.

mod column;
mod customer;
mod event;
mod integration;
mod schema;
mod tax;
mod tenancy;
