//! Patron, its database and the network between them fail under load, and no acknowledged write is lost. Each test runs
//! a few rounds; `tests/crash` runs more and selects tests by the names of these modules.

mod database;
mod durability;
mod imports;
mod privacy;
mod server;
mod webhooks;
