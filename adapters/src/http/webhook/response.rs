//! Webhook endpoints and deliveries in responses.

use patron_domain::{
    ids::{EnvironmentId, EventId, TenantId, WebhookDeliveryId, WebhookEndpointId},
    tenancy::Actor,
    time::Timestamp,
    webhook::{
        Delivery, DeliveryKind, DeliveryState, DeliveryStatus, DisabledReason, EndpointDescription, EndpointUrl,
        SendFailure, WebhookEndpoint, WebhookSecret, WebhookSender,
    },
};
use serde::Serialize;
use utoipa::ToSchema;

use super::shape::{Delivered, ShownSecret, Wanted};
use crate::http::{
    list::page_of,
    messages,
    openapi::{Limit, all, exactly, or_empty},
    warning::Warning,
};

/// One endpoint, without its secrets.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookEndpoint)]
pub(super) struct EndpointResponse<'a> {
    #[schema(schema_with = exactly::<WebhookEndpointId>)]
    id: WebhookEndpointId,
    #[schema(schema_with = exactly::<EndpointUrl>)]
    url: &'a EndpointUrl,
    #[schema(schema_with = all::<Wanted>)]
    event_types: &'a [String],
    #[schema(schema_with = or_empty::<EndpointDescription>)]
    description: &'a str,
    enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<DisabledReason>)]
    disabled_reason: Option<DisabledReason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<Timestamp>)]
    disabled_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<Timestamp>)]
    failing_since: Option<Timestamp>,
    /// The time until which deliveries are also signed with the previous secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<Timestamp>)]
    previous_secret_until: Option<Timestamp>,
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
    /// Present only if it is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<ShownSecret>)]
    secret: Option<String>,
    /// Present if this server would not call the URL.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    warnings: Vec<Warning>,
}

impl<'a> EndpointResponse<'a> {
    /// An endpoint, with a warning if the sender would not call it.
    pub(super) fn new(endpoint: &'a WebhookEndpoint, sender: &dyn WebhookSender) -> Self {
        let not_called = sender.not_called(&endpoint.url);
        let warning = |reason| Warning::new("url", reason, messages::not_called(*reason));
        Self { warnings: not_called.iter().map(warning).collect(), ..Self::bare(endpoint) }
    }

    /// An endpoint without warnings.
    pub(super) fn bare(endpoint: &'a WebhookEndpoint) -> Self {
        Self {
            id: endpoint.id,
            url: &endpoint.url,
            event_types: endpoint.event_types.as_slice(),
            description: endpoint.description.as_ref().map_or("", EndpointDescription::as_str),
            enabled: endpoint.disabled.is_none(),
            disabled_reason: endpoint.disabled.map(|disabled| disabled.reason),
            disabled_at: endpoint.disabled.map(|disabled| disabled.at),
            failing_since: endpoint.health.failing_since,
            previous_secret_until: endpoint.secrets.previous.as_ref().map(|(_, until)| *until),
            tenant_id: endpoint.owner.tenant_id,
            environment_id: endpoint.owner.environment_id,
            created_at: endpoint.audit.created_at,
            created_by: &endpoint.audit.created_by,
            updated_at: endpoint.audit.updated_at,
            updated_by: &endpoint.audit.updated_by,
            secret: None,
            warnings: Vec::new(),
        }
    }

    /// Adds a new secret.
    pub(super) fn with_secret(self, secret: Option<&WebhookSecret>) -> Self {
        Self { secret: secret.map(WebhookSecret::expose), ..self }
    }
}

/// One delivery.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookDelivery)]
pub(super) struct DeliveryResponse<'a> {
    #[schema(schema_with = exactly::<WebhookDeliveryId>)]
    id: WebhookDeliveryId,
    #[schema(schema_with = exactly::<WebhookEndpointId>)]
    endpoint_id: WebhookEndpointId,
    #[schema(schema_with = exactly::<DeliveryKind>)]
    kind: DeliveryKind,
    #[schema(schema_with = exactly::<EventId>)]
    event_id: EventId,
    #[schema(schema_with = exactly::<Delivered>)]
    event_type: &'a str,
    entity_id: &'a str,
    #[schema(schema_with = exactly::<DeliveryStatus>)]
    status: DeliveryStatus,
    attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<Timestamp>)]
    next_attempt_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_attempt: Option<AttemptResponse<'a>>,
    #[schema(schema_with = exactly::<Timestamp>)]
    created_at: Timestamp,
    #[schema(schema_with = exactly::<Timestamp>)]
    updated_at: Timestamp,
}

#[derive(Serialize, ToSchema)]
#[schema(as = WebhookAttempt)]
struct AttemptResponse<'a> {
    #[schema(schema_with = exactly::<Timestamp>)]
    at: Timestamp,
    duration_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    http_status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<SendFailure>)]
    error: Option<SendFailure>,
    /// The reason and advice, if there was no response.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    message: Option<String>,
    answer: &'a str,
}

impl<'a> DeliveryResponse<'a> {
    pub(super) fn new(delivery: &'a Delivery) -> Self {
        let next_attempt_at = match delivery.state {
            DeliveryState::Waiting { next_attempt_at } => next_attempt_at,
            DeliveryState::Delivered | DeliveryState::Failed => None,
        };
        let failure = delivery.last.as_ref().and_then(|last| last.outcome.err()).map(SendFailure::shown);
        let last_attempt = delivery.last.as_ref().map(|last| AttemptResponse {
            at: last.at,
            // An attempt takes seconds at most, so the number fits.
            duration_ms: u64::try_from(last.took.as_millis()).unwrap_or(u64::MAX),
            http_status: last.outcome.ok(),
            error: failure,
            message: failure.map(messages::send_failure),
            answer: &last.answer,
        });
        Self {
            id: delivery.id,
            endpoint_id: delivery.endpoint_id,
            kind: delivery.kind,
            event_id: delivery.event_id,
            event_type: &delivery.event_type,
            entity_id: &delivery.entity_id,
            status: delivery.state.status(),
            attempts: delivery.attempts,
            next_attempt_at,
            last_attempt,
            created_at: delivery.created_at,
            updated_at: delivery.updated_at,
        }
    }
}

/// `{"items": […], "pagination": {"limit", "next_cursor"?}}`: deliveries are not counted and are paged by cursor.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookDeliveryList)]
pub(super) struct DeliveryList<'a> {
    items: Vec<DeliveryResponse<'a>>,
    pagination: Pagination,
}

#[derive(Serialize, ToSchema)]
#[schema(as = WebhookDeliveryPage)]
struct Pagination {
    #[schema(schema_with = exactly::<Limit>)]
    limit: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<WebhookDeliveryId>)]
    next_cursor: Option<WebhookDeliveryId>,
}

impl<'a> DeliveryList<'a> {
    /// Builds a page from the deliveries found. One more than the limit was requested.
    pub(super) fn new(found: &'a [Delivery], limit: u16) -> Self {
        let (shown, last) = page_of(found, limit);
        let next_cursor = last.map(|delivery| delivery.id);
        Self { items: shown.iter().map(DeliveryResponse::new).collect(), pagination: Pagination { limit, next_cursor } }
    }
}

/// The number of events that are sent again.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookReplay)]
pub(super) struct ReplayResponse {
    pub(super) replayed: u64,
}
