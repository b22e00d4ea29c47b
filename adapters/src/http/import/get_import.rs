//! `GET /imports/{id}`

use patron_domain::ids::ImportId;
use rocket::{get, routes};

use super::{id_of, response::ImportResponse};
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanRead, Services},
    openapi::Endpoint,
};

/// Looks up an import, with its progress.
#[get("/imports/<id>")]
pub(super) async fn get_import(caller: CanRead, services: Services<'_>, id: &str) -> Result<Answer, ApiError> {
    let import = services.imports()?.import(&caller, id_of(id)?).await?;
    Answer::ok(&ImportResponse::new(&import))
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    Endpoint::new(routes![get_import], "getImport", "Look up an import", "With its progress and counts.")
        .with_key()
        .path::<ImportId>("id", "The import.")
        .answers::<ImportResponse<'_>>(200, "The import.")
}
