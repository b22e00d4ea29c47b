//! The results of a batch.

use patron_domain::{customer::CustomerChanged, event::CustomerEventKind, ids::CustomerId, lifecycle::Status};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::{
    error::ApiError,
    openapi::{any_object, exactly},
};

/// The results of all changes, in their order.
#[derive(Serialize, ToSchema)]
#[schema(as = CustomerBatch)]
pub(super) struct BatchResponse {
    items: Vec<ItemResponse>,
    /// The number of changes that were made.
    succeeded: usize,
    /// The number of changes that were refused.
    failed: usize,
}

/// The result of one change.
#[derive(Serialize, ToSchema)]
#[schema(as = CustomerBatchItem)]
pub(super) struct ItemResponse {
    /// The number of the change, from 0.
    index: usize,
    /// The operation as it was sent; empty if it is not a text.
    op: String,
    /// The HTTP status of the single request.
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<CustomerId>)]
    id: Option<CustomerId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    external_id: Option<String>,
    /// The customer's version, as in its entity tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    version: Option<u64>,
    /// The error, with paths within the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = any_object)]
    error: Option<ApiError>,
}

/// The most bytes of one error, so that the whole response has at most 8 MiB.
const ERROR_BYTES: usize = 8_192;

impl BatchResponse {
    pub(super) fn new(items: Vec<ItemResponse>) -> Self {
        let failed = items.iter().filter(|item| item.error.is_some()).count();
        Self { succeeded: items.len() - failed, failed, items }
    }
}

impl ItemResponse {
    /// A change that was made.
    pub(super) fn done(index: usize, op: String, changed: &CustomerChanged) -> Self {
        let customer = &changed.event.state.customer;
        let status = match (&changed.event.kind, customer.status) {
            (CustomerEventKind::Created { .. }, _) => 201,
            (_, Status::Archived) if op == "archive" => 204,
            _ => 200,
        };
        Self {
            index,
            op,
            status,
            id: Some(customer.id),
            external_id: Some(customer.external_id.as_str().to_owned()),
            version: Some(customer.version.get()),
            error: None,
        }
    }

    /// A change that was refused.
    pub(super) fn refused(index: usize, op: String, error: ApiError) -> Self {
        let (status, error) = (error.status().code, Some(error.of_part().fitted_into(ERROR_BYTES)));
        Self { index, op, status, id: None, external_id: None, version: None, error }
    }
}
