//! The looks of what stands in requests and answers about webhooks.

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
    EndpointUrl: "Where deliveries go: `https`, or `http` where the server allows it, without user, password or fragment.", "https://example.com/hooks";
    EndpointDescription: "What an endpoint is for.", "Billing";
}

words! {
    DeliveryKind: "Why it is delivered.";
    DeliveryStatus: "How far it is.";
    DisabledReason: "Why an endpoint is disabled.";
    SendFailure: "Why there was no answer.";
}

/// What an endpoint wants to be told of.
pub(super) struct Wanted;

impl Shape for Wanted {
    fn look() -> Look {
        let kinds = ["*", "customer.*", "tax_rate.*"].into_iter();
        let types = EventType::ALL.iter().map(|one| one.as_str());
        Look::words(kinds.chain(types), "A type of events, all of a kind, or `*` for all.")
    }
}

/// The type of what was delivered.
pub(super) struct Delivered;

impl Shape for Delivered {
    fn look() -> Look {
        Look::words(EventType::ALL.iter().map(|one| one.as_str()).chain([TEST_EVENT]), "The type of the event.")
    }
}

/// A secret, as it is shown once.
pub(super) struct ShownSecret;

impl Shape for ShownSecret {
    fn look() -> Look {
        Look {
            kinds: vec![Type::String],
            pattern: Some("whsec_[A-Za-z0-9+/]+=*".to_owned()),
            says: "What deliveries are signed with. Shown where it was just made, and never again.".to_owned(),
            example: json!("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
            ..Look::default()
        }
    }
}

/// How long two secrets are signed with.
pub(super) struct Overlap;

impl Shape for Overlap {
    fn look() -> Look {
        let says =
            "For how many seconds deliveries are signed with the secret before too; a day when absent.".to_owned();
        // A week.
        let range = Some((0, MAX_OVERLAP.as_secs() as i64));
        Look { kinds: vec![Type::Integer], range, says, example: json!(86_400), ..Look::default() }
    }
}
