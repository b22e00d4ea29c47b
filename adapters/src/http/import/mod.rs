//! Imports over HTTP.

mod get_import;
mod list_imports;
mod options;
mod response;
mod rows;
mod stop_or_start;
mod stream;
mod upload;

use patron_domain::{
    ids::ImportId,
    import::{ImportError, ImportFormat, ImportMode, ImportPreset, ImportState},
};
use rocket::{Route, routes};

use super::{
    error::ApiError,
    openapi::{Endpoint, words},
};

pub(super) use response::ImportSummaryResponse;

/// The name of the route that takes a file.
pub(super) const UPLOAD: &str = "upload";

/// All routes.
pub(super) fn routes() -> Vec<Route> {
    routes![
        upload::upload,
        list_imports::list_imports,
        get_import::get_import,
        stop_or_start::start,
        stop_or_start::cancel,
        rows::errors,
        rows::errors_csv,
    ]
}

/// The documentation of all endpoints.
pub(super) fn documents() -> Vec<Endpoint> {
    let [start, cancel] = stop_or_start::documented();
    let [errors, errors_csv] = rows::documented();
    vec![upload::documented(), list_imports::documented(), get_import::documented(), start, cancel, errors, errors_csv]
}

/// The id in a path.
fn id_of(text: &str) -> Result<ImportId, ApiError> {
    ImportId::parse(text).map_err(|_| ImportError::Unknown.into())
}

impl From<ImportError> for ApiError {
    fn from(error: ImportError) -> Self {
        let message = error.to_string();
        match error {
            ImportError::Denied(error) => error.into(),
            ImportError::Unknown => Self::not_found(message),
            ImportError::Forbidden(_) | ImportError::Quota(_) => Self::invalid_operation(message),
            ImportError::AlreadyImported { existing } => Self::already_imported(message, existing.to_string()),
            ImportError::Store(error) => error.into(),
            other => Self::unforeseen(&other),
        }
    }
}

words! {
    ImportState: "The state of the import.";
    ImportFormat: "The format of the file.";
    ImportPreset: "The product whose columns and objects the file has.";
    ImportMode: "What a row does.";
}
