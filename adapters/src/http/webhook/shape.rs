//! Schemas of values in requests and responses about webhooks.

use patron_domain::{
    event::EventType,
    webhook::{
        DeliveryKind, DeliveryStatus, DisabledReason, EndpointDescription, EndpointUrl, MAX_OVERLAP, SendFailure,
        TEST_EVENT,
    },
};
use serde_json::json;
use utoipa::openapi::schema::Type;

use crate::http::openapi::{Look, Shape, texts, words};

texts! {
    EndpointUrl: "The address of deliveries: `https`, or `http` if the server allows it, without user, password or fragment.", "https://example.com/hooks";
    EndpointDescription: "The purpose of an endpoint.", "Billing";
}

words! {
    DeliveryKind: "The reason for the delivery.";
    DeliveryStatus: "The status of the delivery.";
    DisabledReason: "The reason why an endpoint is disabled.";
    SendFailure: "The reason why there was no response.";
}

/// The events that an endpoint receives.
pub(super) struct Wanted;

impl Shape for Wanted {
    fn look() -> Look {
        let kinds = ["*", "customer.*", "tax_rate.*"].into_iter();
        let types = EventType::ALL.iter().map(|one| one.as_str());
        Look::words(kinds.chain(types), "A type of events, all types of an entity, or `*` for all.")
    }
}

/// The type of a delivered event.
pub(super) struct Delivered;

impl Shape for Delivered {
    fn look() -> Look {
        Look::words(EventType::ALL.iter().map(|one| one.as_str()).chain([TEST_EVENT]), "The type of the event.")
    }
}

/// A secret, for the only response that shows it.
pub(super) struct ShownSecret;

impl Shape for ShownSecret {
    fn look() -> Look {
        Look {
            kinds: vec![Type::String],
            pattern: Some("whsec_[A-Za-z0-9+/]+=*".to_owned()),
            says: "The secret that signs deliveries. It is shown once, when it is new.".to_owned(),
            example: json!("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
            ..Look::default()
        }
    }
}

/// The time for which deliveries are signed with two secrets.
pub(super) struct Overlap;

impl Shape for Overlap {
    fn look() -> Look {
        let says = "The seconds for which deliveries are also signed with the old secret, by default a day.".to_owned();
        // A week.
        let range = Some((0, MAX_OVERLAP.as_secs() as i64));
        Look { kinds: vec![Type::Integer], range, says, example: json!(86_400), ..Look::default() }
    }
}
