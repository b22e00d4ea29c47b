//! The crates without HTTP: the port contract over every store, what the PostgreSQL store alone must do, and embedding.

mod contract;
mod distributed;
mod embedding;
mod event_log;
mod find;
mod own_transaction;
mod postgres_store;
mod postgres_tls;
mod retention;
mod schema;
mod statement_time;
mod surface;
mod totals;
