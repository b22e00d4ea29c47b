//! The bodies of requests about erasures, and their conversion to the domain.

use patron_domain::{
    customer::{ExternalId, HoldReason, NewLegalHold},
    ids::CustomerId,
    privacy::{Cooldown, DeletionReason, NamedSubject, RequestChannel},
    time::Timestamp,
    violation::{Violation, Violations},
};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::{
    json::{Field, Reader, Text, object_from_json},
    openapi::{ChannelOfPeople, exactly, optional},
};

/// The body of `POST /privacy/deletion-requests`: one of `customer_id` and `external_customer_id`.
#[derive(Deserialize, ToSchema)]
#[serde(bound(deserialize = "'de: 'a"))]
#[schema(as = RequestDeletion)]
pub(super) struct RequestDeletionRequest<'a> {
    #[serde(default)]
    #[schema(schema_with = optional::<CustomerId>)]
    customer_id: Field<Text<'a>>,
    #[serde(default)]
    #[schema(schema_with = optional::<ExternalId>)]
    external_customer_id: Field<Text<'a>>,
    #[serde(default)]
    #[schema(required = true, schema_with = exactly::<ChannelOfPeople>)]
    request_channel: Field<Text<'a>>,
    #[serde(default)]
    #[schema(schema_with = optional::<Cooldown>)]
    cooldown_days: Field<i64>,
    #[serde(default)]
    #[schema(schema_with = optional::<DeletionReason>)]
    reason: Field<Text<'a>>,
}

/// The body of `PUT /customers/{id}/legal-hold`.
#[derive(Deserialize, ToSchema)]
#[serde(bound(deserialize = "'de: 'a"))]
#[schema(as = PlaceLegalHold)]
pub(super) struct PlaceHoldRequest<'a> {
    #[serde(default)]
    #[schema(required = true, schema_with = exactly::<HoldReason>)]
    reason: Field<Text<'a>>,
    /// The end of the hold. Without it, the hold lasts until it is removed.
    #[serde(default)]
    #[schema(schema_with = optional::<Timestamp>)]
    until: Field<Text<'a>>,
}

object_from_json!(RequestDeletionRequest<'a>, PlaceHoldRequest<'a>);

/// A checked request for deletion.
pub(super) struct NewDeletion {
    pub(super) subject: NamedSubject,
    /// The external id, if the request also has the id.
    pub(super) external_id: Option<ExternalId>,
    pub(super) channel: RequestChannel,
    pub(super) cooldown: Cooldown,
    pub(super) reason: Option<DeletionReason>,
}

impl RequestDeletionRequest<'_> {
    /// Converts the request. Checks every field and collects all faults.
    pub(super) fn into_domain(self, broken: &mut Violations) -> Option<NewDeletion> {
        let fields = &mut Reader::new(broken);
        let id = fields.optional("customer_id", self.customer_id, |text| CustomerId::parse(&text));
        let external_id = fields.optional("external_customer_id", self.external_customer_id, ExternalId::new);
        let channel = fields.required("request_channel", self.request_channel, |word| RequestChannel::of_person(&word));
        let cooldown = match fields.take("cooldown_days", self.cooldown_days) {
            None => Some(Cooldown::default()),
            Some(days) => fields.check("cooldown_days", Cooldown::new(days)),
        };
        let reason = fields.optional("reason", self.reason, DeletionReason::new);
        let (subject, external_id) = match (id, external_id) {
            (Some(id), external_id) => (NamedSubject::Id(id), external_id),
            (None, Some(external_id)) => (NamedSubject::ExternalId(external_id), None),
            (None, None) => {
                if broken.is_empty() {
                    let message = "customer_id or external_customer_id is required".to_owned();
                    broken.push(Violation { path: "customer_id".to_owned(), rule: "required", message });
                }
                return None;
            }
        };
        Some(NewDeletion { subject, external_id, channel: channel?, cooldown: cooldown?, reason })
    }
}

impl PlaceHoldRequest<'_> {
    /// Converts the request. Checks every field and collects all faults.
    pub(super) fn into_domain(self, broken: &mut Violations) -> Option<NewLegalHold> {
        let fields = &mut Reader::new(broken);
        let reason = fields.required("reason", self.reason, HoldReason::new);
        let until = fields.optional("until", self.until, |text| Timestamp::parse(&text));
        Some(NewLegalHold { reason: reason?, until })
    }
}
