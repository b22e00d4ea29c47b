//! The bodies of requests about webhooks, and their conversion to the domain.

use std::time::Duration;

use patron_domain::{
    ids::EventId,
    time::Timestamp,
    violation::Violations,
    webhook::{
        DEFAULT_OVERLAP, EndpointDescription, EndpointUpdate, EndpointUrl, EventFilter, NewEndpoint, Replay,
        check_overlap,
    },
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::shape::{Overlap, Wanted};
use crate::http::{
    json::{Field, List, Null, Reader, Stated, Text, object_from_json},
    openapi::{exactly, given_all, optional, or_null},
};

/// The body of `POST /webhooks/endpoints`. Unknown members are ignored.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct CreateEndpointRequest<'a> {
    #[schema(required = true, schema_with = exactly::<EndpointUrl>)]
    url: Field<Text<'a>>,
    #[schema(schema_with = given_all::<Wanted>)]
    event_types: Field<List<Text<'a>>>,
    #[schema(schema_with = optional::<EndpointDescription>)]
    description: Field<Text<'a>>,
}

/// The body of `PUT /webhooks/endpoints/{id}`. Absent members leave fields unchanged.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct UpdateEndpointRequest<'a> {
    #[schema(schema_with = or_null::<EndpointUrl>)]
    url: Stated<Text<'a>>,
    #[schema(schema_with = given_all::<Wanted>)]
    event_types: Field<List<Text<'a>>>,
    #[schema(schema_with = optional::<EndpointDescription>)]
    description: Stated<Text<'a>>,
    #[schema(schema_with = optional::<bool>)]
    enabled: Field<bool>,
}

/// The body of `POST …/rotate-secret`.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct RotateSecretRequest {
    #[schema(schema_with = optional::<Overlap>)]
    overlap_seconds: Field<i64>,
}

/// The body of `POST …/replay`: exactly one of the three alternatives.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct ReplayRequest<'a> {
    #[schema(schema_with = optional::<EventId>)]
    event_id: Field<Text<'a>>,
    #[schema(schema_with = optional::<Timestamp>)]
    from: Field<Text<'a>>,
    #[schema(schema_with = optional::<Timestamp>)]
    to: Field<Text<'a>>,
    #[schema(schema_with = optional::<bool>)]
    failed: Field<bool>,
}

object_from_json!(CreateEndpointRequest<'a>, UpdateEndpointRequest<'a>, ReplayRequest<'a>, RotateSecretRequest);

impl CreateEndpointRequest<'_> {
    /// Converts the request. Checks every field and collects all faults.
    pub(super) fn into_domain(self, broken: &mut Violations) -> Option<NewEndpoint> {
        let fields = &mut Reader::new(broken);
        let url = fields.required("url", self.url, EndpointUrl::new);
        let description = fields.optional("description", self.description, EndpointDescription::new);
        let types = fields.texts("event_types", self.event_types).unwrap_or_default();
        let event_types = fields.group(EventFilter::new(types));
        Some(NewEndpoint { url: url?, event_types: event_types?, description })
    }
}

impl UpdateEndpointRequest<'_> {
    /// Converts the request. Checks every field and collects all faults.
    pub(super) fn into_domain(self, broken: &mut Violations) -> Option<EndpointUpdate> {
        let fields = &mut Reader::new(broken);
        let url = fields.replacement("url", self.url, Null::Keeps, EndpointUrl::new);
        let description = fields.patch("description", self.description, Null::Keeps, EndpointDescription::new);
        let types = fields.texts("event_types", self.event_types);
        let event_types = types.and_then(|types| fields.group(EventFilter::new(types)));
        let enabled = fields.take("enabled", self.enabled);
        Some(EndpointUpdate { url, event_types, description, enabled })
    }
}

impl RotateSecretRequest {
    /// Converts the request to the time for which deliveries are also signed with the old secret.
    pub(super) fn into_domain(self, broken: &mut Violations) -> Option<Duration> {
        let fields = &mut Reader::new(broken);
        match fields.take("overlap_seconds", self.overlap_seconds) {
            None => Some(DEFAULT_OVERLAP),
            Some(seconds) => fields.check("overlap_seconds", check_overlap(seconds)),
        }
    }
}

impl ReplayRequest<'_> {
    /// Converts the request, which must have exactly one of the three alternatives.
    pub(super) fn into_domain(self, broken: &mut Violations) -> Option<Replay> {
        let fields = &mut Reader::new(broken);
        let event = fields.optional("event_id", self.event_id, |id| EventId::parse(&id));
        let failed = fields.take("failed", self.failed).filter(|failed| *failed);
        let time = |text: Text<'_>| Timestamp::parse(&text);
        let (from, to) = (fields.optional("from", self.from, time), fields.optional("to", self.to, time));
        match (event, from, to, failed) {
            (Some(event), None, None, None) => Some(Replay::Event(event)),
            (None, Some(from), Some(to), None) => {
                let between = Replay::between(from, to);
                if between.is_none() {
                    fields.note("to", "range", "must not be before from");
                }
                between
            }
            (None, None, None, Some(_)) => Some(Replay::Failed),
            _ => {
                fields.note(
                    "event_id",
                    "exclusive",
                    "or from with to, or failed: true: exactly one of them is required",
                );
                None
            }
        }
    }
}
