//! `POST /imports`

use patron_domain::{
    import::{ImportFormat, ImportMode, ImportPreset},
    violation::Violations,
};
use rocket::{http::Status, post, routes};

use super::{options::options, response::ImportResponse, stream::Upload};
use crate::{
    http::{
        answer::Answer,
        error::ApiError,
        guard::{CanWrite, Services},
        openapi::{Endpoint, Refusal},
        query::Query,
        version::Conditions,
    },
    imports::{UploadError, upload as receive},
};

/// Stores a file of customers, and begins to check its rows.
#[post("/imports", data = "<upload>")]
pub(super) async fn upload(
    caller: CanWrite,
    services: Services<'_>,
    conditions: Conditions<'_>,
    query: Query<'_>,
    mut upload: Upload<'_>,
) -> Result<Answer, ApiError> {
    let mut broken = query.faults();
    let wanted = options(&query, &mut broken);
    broken.into_result()?;
    conditions.refuse_unminded()?;
    let (options, again) = wanted.ok_or_else(ApiError::system_error)?;
    let import = receive(services.imports()?, &caller, options, again, &mut upload).await?;
    let id = import.id;
    Ok(Answer::json(Status::Accepted, &ImportResponse::new(&import))?.at(format!("/imports/{id}")))
}

impl From<UploadError<ApiError>> for ApiError {
    fn from(error: UploadError<ApiError>) -> Self {
        match error {
            UploadError::Source(error) => error,
            UploadError::File(violation) => {
                let mut broken = Violations::new();
                broken.push(violation);
                broken.into()
            }
            UploadError::Import(error) => error.into(),
        }
    }
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "The body is the file, as it is or compressed with gzip, of at most 1 GiB. Faults of the file as a whole are refused \
                at once. Then every row is checked, and the rows are written in chunks, each row exactly once. With `dry_run=true` nothing is written, and with `confirm=true` not before `…/start`.";
    Endpoint::new(routes![upload], "importCustomers", "Import customers from a file", says)
        .with_key()
        .query::<ImportFormat>("format", "The format of the file. Required.")
        .query::<ImportPreset>("preset", "The product whose columns the file has. Default: patron.")
        .query::<ImportMode>("mode", "What a row does. Default: create.")
        .query::<bool>("dry_run", "Whether the rows are only checked.")
        .query::<bool>("confirm", "Whether the import waits for `…/start` after the check.")
        .query::<str>("columns", "The fields of columns, as a JSON object. They override the preset.")
        .query::<str>("unmapped", "What happens to unknown columns: metadata, ignore or fail. Default: fail.")
        .query::<str>("blank", "Whether a blank cell keeps or clears a value: keep or clear. Default: keep.")
        .query::<str>("delimiter", "The separator of cells. By default it is guessed.")
        .query::<str>("encoding", "utf-8 (also for UTF-16 with a byte order mark) or windows-1252. Default: utf-8.")
        .query::<bool>("skip_onboarding", "Whether new customers are not onboarded. Default: true.")
        .query::<str>("external_id_from", "Stripe: the key of metadata with the external id, such as metadata.crm_id.")
        .query::<bool>("lift_metadata", "Flexprice: whether metadata.gstin also becomes a tax id.")
        .query::<str>("tax_ids", "Whether tax ids are checked or unchecked. Default: checked.")
        .query::<bool>("again", "Whether a file that was imported before is accepted.")
        .takes_file()
        .answers::<ImportResponse<'_>>(202, "The import, whose rows are checked now.")
        .refuses([Refusal::InvalidOperation, Refusal::Taken])
}
