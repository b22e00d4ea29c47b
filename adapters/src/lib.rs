//! Adapters of the Patron customer registry: each implements a port of `patron-domain`, or drives its services.
//!
//! # Features
//! - `sqlite`, `postgres`: persistence.
//! - `http`: the HTTP API as routes for Rocket.
//! - `webhooks`: webhook delivery, and the calls of onboarding.

pub mod housekeeping;
#[cfg(feature = "http")]
pub mod http;
pub mod key_cache;
pub mod key_uses;
pub mod metrics;
#[cfg(feature = "webhooks")]
pub mod onboarding;
// Rows and queries are written once for both databases. With only one of them, some are unused.
#[cfg_attr(not(all(feature = "sqlite", feature = "postgres")), allow(dead_code, unused_imports))]
#[cfg(feature = "persistence")]
pub mod persistence;
#[cfg(any(feature = "persistence", feature = "webhooks"))]
mod share;
pub mod system;
#[cfg(feature = "webhooks")]
pub mod webhooks;
