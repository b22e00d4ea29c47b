//! `POST /imports/{id}/start`, `POST /imports/{id}/cancel`

use patron_domain::{ids::ImportId, import::ImportAmendment};
use rocket::{post, routes};

use super::{id_of, response::ImportResponse};
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanWrite, Services},
    openapi::{Endpoint, Refusal},
    version::Conditions,
};

/// Writes the rows of an import that is ready.
#[post("/imports/<id>/start")]
pub(super) async fn start(
    caller: CanWrite,
    services: Services<'_>,
    conditions: Conditions<'_>,
    id: &str,
) -> Result<Answer, ApiError> {
    conditions.refuse_unminded()?;
    let import = services.imports()?.amend(&caller, id_of(id)?, ImportAmendment::Start).await?;
    Answer::ok(&ImportResponse::new(&import))
}

/// Ends an import. Rows that were written stay.
#[post("/imports/<id>/cancel")]
pub(super) async fn cancel(
    caller: CanWrite,
    services: Services<'_>,
    conditions: Conditions<'_>,
    id: &str,
) -> Result<Answer, ApiError> {
    conditions.refuse_unminded()?;
    let import = services.imports()?.amend(&caller, id_of(id)?, ImportAmendment::Cancel).await?;
    Answer::ok(&ImportResponse::new(&import))
}

/// The documentation of these endpoints.
pub(super) fn documented() -> [Endpoint; 2] {
    [
        Endpoint::new(routes![start], "startImport", "Start an import", "Writes the rows of an import that is ready."),
        Endpoint::new(routes![cancel], "cancelImport", "Cancel an import", "Rows that were written stay."),
    ]
    .map(|endpoint| {
        endpoint
            .with_key()
            .path::<ImportId>("id", "The import.")
            .answers::<ImportResponse<'_>>(200, "The import.")
            .refuses([Refusal::InvalidOperation])
    })
}
