//! Adapters of the Patron customer registry: each implements a port of `patron-domain`, or drives its services.
//!
//! # Features
//! - `sqlite`, `postgres`: persistence.
//! - `http`: the HTTP API as routes for Rocket.

pub mod housekeeping;
#[cfg(feature = "http")]
pub mod http;
pub mod key_cache;
pub mod key_uses;
pub mod metrics;
#[cfg(feature = "persistence")]
pub mod persistence;
pub mod system;
