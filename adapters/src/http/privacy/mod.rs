//! Erasing customers over HTTP: requests for deletion, receipts and legal holds.

mod bundle;
mod cancel;
mod due;
mod get_receipt;
mod get_request;
mod legal_hold;
mod list_requests;
mod receipt_keys;
mod request;
mod request_deletion;
mod response;
mod retention;

pub use bundle::bundle_json;
use patron_domain::{
    ids::DeletionRequestId,
    privacy::{PrivacyError, RetentionSetting},
};
use rocket::{Route, routes};
use serde_json::Value;

use super::{error::ApiError, openapi::Endpoint};

/// The retention of an environment in the form of its own responses.
pub(super) fn retention_value(setting: &RetentionSetting) -> serde_json::Result<Value> {
    serde_json::to_value(retention::RetentionResponse::new(setting))
}

/// All routes.
pub(super) fn routes() -> Vec<Route> {
    routes![
        bundle::bundle,
        cancel::cancel,
        due::due,
        get_receipt::get_receipt,
        get_request::get_request,
        legal_hold::place,
        legal_hold::remove,
        list_requests::list_requests,
        receipt_keys::receipt_keys,
        request_deletion::request_deletion,
        retention::delete_retention,
        retention::get_retention,
        retention::put_retention,
    ]
}

/// The documentation of all endpoints.
pub(super) fn documents() -> Vec<Endpoint> {
    let mut all = vec![
        request_deletion::documented(),
        list_requests::documented(),
        get_request::documented(),
        cancel::documented(),
        get_receipt::documented(),
        receipt_keys::documented(),
        due::documented(),
        bundle::documented(),
    ];
    all.extend(legal_hold::documented());
    all.extend(retention::documented());
    all
}

/// Parses the id of a request. An invalid one is reported as unknown.
fn request_id(id: &str) -> Result<DeletionRequestId, ApiError> {
    DeletionRequestId::parse(id).map_err(|_| PrivacyError::UnknownRequest.into())
}
