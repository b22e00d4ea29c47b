//! Whether the process lives, and whether it can work.

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

/// Tells whether requests can be served: the database answers.
#[async_trait]
pub trait Readiness: Send + Sync {
    /// Asks everything that requests need.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when something does not answer.
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
        Endpoint::new(routes![live], "getLive", "Whether it lives", "Answers as long as the process answers at all.")
            .answers::<Health>(200, "It lives."),
        Endpoint::new(routes![ready], "getReady", "Whether it can work", "Asks the database.")
            .answers::<Health>(200, "The database answers.")
            .refuses([Refusal::Unavailable]),
    ]
}

#[derive(Serialize, ToSchema)]
struct Health {
    status: &'static str,
}

/// 200 as long as the process answers at all.
#[get("/live")]
fn live() -> Result<Answer, ApiError> {
    Answer::ok(&Health { status: "live" })
}

/// 200 when the database answers, else 503.
#[get("/ready")]
async fn ready(services: Services<'_>) -> Result<Answer, ApiError> {
    services.readiness.check().await?;
    Answer::ok(&Health { status: "ready" })
}
