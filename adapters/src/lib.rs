//! Adapters of the Patron customer registry: each implements a port of `patron-domain`, or drives its services.
//!
//! # Features
//! - `sqlite`, `postgres`: persistence.
//! - `http`: the HTTP API as routes for Rocket.
//! - `webhooks`: webhook delivery, and the calls of onboarding.
//! - `key-cache`: a cache of API keys.
//! - `metrics`: figures for Prometheus; on with `http` and `webhooks`.

#[cfg(any(feature = "persistence", feature = "http"))]
mod blocking;
pub mod commits;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "http")]
pub mod imports;
#[cfg(feature = "key-cache")]
pub mod key_cache;
pub mod key_uses;
#[cfg(feature = "metrics")]
pub mod metrics;
#[cfg(feature = "webhooks")]
pub mod onboarding;
// Rows and queries are written once for both databases. With only one of them, some are unused.
#[cfg_attr(not(all(feature = "sqlite", feature = "postgres")), allow(dead_code, unused_imports))]
#[cfg(feature = "persistence")]
pub mod persistence;
#[cfg(all(feature = "persistence", feature = "webhooks"))]
pub mod privacy;
pub mod rate_changes;
pub mod retention;
#[cfg(any(feature = "persistence", feature = "http"))]
mod slices;
#[cfg(any(feature = "persistence", feature = "webhooks"))]
mod turns;
#[cfg(feature = "webhooks")]
pub mod webhooks;

pub use patron_domain::system;

/// Foreign crates of the public surface.
#[cfg(feature = "persistence")]
pub use diesel;
#[cfg(feature = "postgres")]
pub use diesel_async;
#[cfg(feature = "http")]
pub use {rocket, utoipa};
