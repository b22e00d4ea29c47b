//! Liveness and readiness of the process.

use async_trait::async_trait;
use patron_domain::store::StoreError;
use rocket::{Route, get, routes};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    answer::Answer,
    error::ApiError,
    guard::Services,
    openapi::{Endpoint, Refusal},
};

/// A check whether requests can be served.
#[async_trait]
pub trait Readiness: Send + Sync {
    /// Checks everything that requests need.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if something does not respond.
    async fn check(&self) -> Result<(), StoreError>;
}

#[cfg(feature = "persistence")]
#[async_trait]
impl Readiness for crate::persistence::Database {
    async fn check(&self) -> Result<(), StoreError> {
        self.ping().await
    }
}

pub(super) fn all() -> Vec<Route> {
    routes![live, ready]
}

pub(super) fn documents() -> Vec<Endpoint> {
    vec![
        Endpoint::new(routes![live], "getLive", "Check liveness", "Succeeds while the process runs.")
            .answers::<Health>(200, "The process runs."),
        Endpoint::new(routes![ready], "getReady", "Check readiness", "Checks the database.")
            .answers::<Health>(200, "The database responds.")
            .refuses([Refusal::Unavailable]),
    ]
}

#[derive(Serialize, ToSchema)]
struct Health {
    status: &'static str,
}

/// Returns 200 while the process runs.
#[get("/live")]
fn live() -> Result<Answer, ApiError> {
    Answer::ok(&Health { status: "live" })
}

/// Returns 200 if the database responds, otherwise 503.
#[get("/ready")]
async fn ready(services: Services<'_>) -> Result<Answer, ApiError> {
    if let Some(readiness) = &services.readiness {
        readiness.check().await?;
    }
    Answer::ok(&Health { status: "ready" })
}
