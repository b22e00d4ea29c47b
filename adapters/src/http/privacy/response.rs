//! Requests for deletion in responses.

use data_encoding::BASE64;
use patron_domain::{
    ids::{CustomerId, DeletionRequestId, EnvironmentId, InstallationKeyId, TenantId},
    privacy::{
        Category, CategoryCount, Cooldown, DeletionReason, DeletionRequest, DeletionState, Due, DueReason, ReceiptKey,
        RequestChannel, SignedReceipt,
    },
    tenancy::Actor,
    time::Timestamp,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::{
    list::page_of,
    openapi::{Limit, exactly, or_null},
};

/// A request for deletion.
#[derive(Serialize, ToSchema)]
#[schema(as = DeletionRequest)]
pub(crate) struct DeletionResponse<'a> {
    #[schema(schema_with = exactly::<DeletionRequestId>)]
    id: DeletionRequestId,
    #[schema(schema_with = exactly::<CustomerId>)]
    customer_id: CustomerId,
    #[schema(schema_with = exactly::<RequestChannel>)]
    request_channel: RequestChannel,
    /// The reason; `null` if there is none, or once it is erased.
    #[schema(required = true, schema_with = or_null::<DeletionReason>)]
    reason: Option<&'a str>,
    #[schema(schema_with = exactly::<DeletionState>)]
    state: DeletionState,
    #[schema(schema_with = exactly::<Cooldown>)]
    cooldown_days: u8,
    /// When the redaction begins. Until then the request can be cancelled.
    #[schema(schema_with = exactly::<Timestamp>)]
    due_at: Timestamp,
    /// When the redaction began.
    #[schema(required = true, schema_with = or_null::<Timestamp>)]
    redacting_since: Option<Timestamp>,
    /// When counting found nothing left.
    #[schema(required = true, schema_with = or_null::<Timestamp>)]
    verified_at: Option<Timestamp>,
    /// When it was completed or cancelled, or failed last.
    #[schema(required = true, schema_with = or_null::<Timestamp>)]
    ended_at: Option<Timestamp>,
    /// How many records of each category were redacted, and how many were left when they were counted. Empty before the
    /// redaction.
    counts: Vec<CountResponse>,
    #[schema(schema_with = exactly::<TenantId>)]
    tenant_id: TenantId,
    #[schema(schema_with = exactly::<EnvironmentId>)]
    environment_id: EnvironmentId,
    #[schema(schema_with = exactly::<Timestamp>)]
    created_at: Timestamp,
    #[schema(schema_with = exactly::<Actor>)]
    created_by: &'a Actor,
    #[schema(schema_with = exactly::<Timestamp>)]
    updated_at: Timestamp,
    #[schema(schema_with = exactly::<Actor>)]
    updated_by: &'a Actor,
}

/// The count of a category.
#[derive(Serialize, ToSchema)]
#[schema(as = ErasureCount)]
pub(super) struct CountResponse {
    #[schema(schema_with = exactly::<Category>)]
    category: Category,
    redacted: u64,
    /// How many are left; `null` before they were counted.
    #[schema(required = true)]
    left: Option<u64>,
}

/// `{"items": […], "pagination": {"limit", "next_cursor"?}}`: requests are not counted and are paged by cursor.
#[derive(Serialize, ToSchema)]
#[schema(as = DeletionRequestList)]
pub(super) struct DeletionList<'a> {
    items: Vec<DeletionResponse<'a>>,
    pagination: Pagination,
}

#[derive(Serialize, ToSchema)]
#[schema(as = DeletionRequestPage)]
struct Pagination {
    #[schema(schema_with = exactly::<Limit>)]
    limit: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<DeletionRequestId>)]
    next_cursor: Option<DeletionRequestId>,
}

/// A signed receipt.
#[derive(Serialize, ToSchema)]
#[schema(as = ErasureReceipt)]
pub(super) struct ReceiptResponse<'a> {
    /// The receipt as JSON text: who requested the erasure and when, the subject as an HMAC, what was redacted, and
    /// when counting found nothing left. These bytes are signed.
    payload: &'a str,
    /// `Ed25519` (RFC 8032).
    algorithm: &'a str,
    /// The id of the key, among those of `GET /privacy/receipt-key`.
    key_id: &'a str,
    /// The signature in base64.
    signature: &'a str,
}

/// The public keys of receipts, the newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = ReceiptKeys)]
pub(super) struct KeysResponse {
    keys: Vec<KeyResponse>,
}

/// A public key.
#[derive(Serialize, ToSchema)]
#[schema(as = ReceiptKey)]
struct KeyResponse {
    #[schema(schema_with = exactly::<InstallationKeyId>)]
    id: InstallationKeyId,
    /// `Ed25519`.
    algorithm: &'static str,
    /// The 32 bytes of the key in base64.
    public_key: String,
    #[schema(schema_with = exactly::<Timestamp>)]
    created_at: Timestamp,
    /// When another key replaced it. It still verifies older receipts.
    #[schema(required = true, schema_with = or_null::<Timestamp>)]
    retired_at: Option<Timestamp>,
}

impl From<&CategoryCount> for CountResponse {
    fn from(count: &CategoryCount) -> Self {
        let CategoryCount { category, redacted, left } = *count;
        Self { category, redacted, left }
    }
}

impl<'a> DeletionResponse<'a> {
    pub(super) fn new(request: &'a DeletionRequest) -> Self {
        Self {
            id: request.id,
            customer_id: request.customer_id,
            request_channel: request.channel,
            reason: request.reason.as_ref().map(|reason| reason.as_str()),
            state: request.state,
            cooldown_days: request.cooldown.days(),
            due_at: request.due_at,
            redacting_since: request.redacting_since,
            verified_at: request.verified_at,
            ended_at: request.ended_at,
            counts: request.counts.iter().map(CountResponse::from).collect(),
            tenant_id: request.owner.tenant_id,
            environment_id: request.owner.environment_id,
            created_at: request.audit.created_at,
            created_by: &request.audit.created_by,
            updated_at: request.audit.updated_at,
            updated_by: &request.audit.updated_by,
        }
    }
}

impl<'a> DeletionList<'a> {
    /// Builds a page from the requests found. One more than the limit was requested.
    pub(super) fn new(found: &'a [DeletionRequest], limit: u16) -> Self {
        let (page, last) = page_of(found, limit);
        let next_cursor = last.map(|request| request.id);
        Self { items: page.iter().map(DeletionResponse::new).collect(), pagination: Pagination { limit, next_cursor } }
    }
}

impl<'a> From<&'a SignedReceipt> for ReceiptResponse<'a> {
    fn from(signed: &'a SignedReceipt) -> Self {
        let SignedReceipt { payload, algorithm, key_id, signature } = signed;
        Self { payload, algorithm, key_id, signature }
    }
}

impl KeysResponse {
    pub(super) fn new(keys: &[ReceiptKey]) -> Self {
        let key = |key: &ReceiptKey| KeyResponse {
            id: key.id,
            algorithm: "Ed25519",
            public_key: BASE64.encode(&key.public_key),
            created_at: key.created_at,
            retired_at: key.retired_at,
        };
        Self { keys: keys.iter().map(key).collect() }
    }
}

/// A customer whose data is about to be redacted.
#[derive(Serialize, ToSchema)]
#[schema(as = DueErasure)]
pub(super) struct DueResponse {
    #[schema(schema_with = exactly::<CustomerId>)]
    customer_id: CustomerId,
    #[schema(schema_with = exactly::<Timestamp>)]
    due_at: Timestamp,
    #[schema(schema_with = exactly::<DueReason>)]
    why: DueReason,
}

/// The customers whose data is about to be redacted, at most 1,000, in the order of their due times.
#[derive(Serialize, ToSchema)]
#[schema(as = DueErasures)]
pub(super) struct DueList {
    items: Vec<DueResponse>,
}

impl DueList {
    pub(super) fn new(due: &[Due]) -> Self {
        let one = |due: &Due| DueResponse { customer_id: due.customer_id, due_at: due.due_at, why: due.why };
        Self { items: due.iter().map(one).collect() }
    }
}
