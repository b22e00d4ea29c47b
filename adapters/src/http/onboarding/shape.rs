//! Schemas of values in workflows and runs.

use patron_domain::onboarding::{ExpectedStatus, JsonPointer, RunState, RunToken, StepKind, StepRetries};
use serde_json::json;
use utoipa::openapi::schema::Type;

use crate::http::openapi::{EXAMPLE_ID, Look, Shape};

impl Shape for StepKind {
    fn look() -> Look {
        Look::words(Self::ALL.iter().map(|one| one.as_str()), "The kind of the step.")
    }
}

impl Shape for RunState {
    fn look() -> Look {
        Look::words(Self::ALL.iter().map(|one| one.as_str()), "The state of the run; `failed` needs a person.")
    }
}

impl Shape for JsonPointer {
    fn look() -> Look {
        let says = "The place of the id in the response (RFC 6901). The value is a text or a whole number.".to_owned();
        let chars = Some((0, Self::MAX_CHARS));
        Look { kinds: vec![Type::String], chars, says, example: json!("/id"), ..Look::default() }
    }
}

impl Shape for RunToken {
    fn look() -> Look {
        let says = "A run's id with a proof that Patron issued it.".to_owned();
        let example = json!(format!("onb_{EXAMPLE_ID}.{}", "0".repeat(64)));
        Look { kinds: vec![Type::String], says, example, ..Look::default() }
    }
}

/// An expected status of a response.
pub(super) struct StatusCode;

impl Shape for StatusCode {
    fn look() -> Look {
        let says = format!(
            "An expected status, up to {} of them. Without any, all from 200 to 299 are expected.",
            ExpectedStatus::MAX
        );
        let range = Some((100, 599));
        Look { kinds: vec![Type::Integer], range, says, example: json!(201), ..Look::default() }
    }
}

/// The number of attempts of a call.
pub(super) struct Attempts;

impl Shape for Attempts {
    fn look() -> Look {
        let usual = StepRetries::default().max_attempts();
        let says = format!("The most attempts including the first, by default {usual}.");
        let range = Some((1, StepRetries::MAX_ATTEMPTS.into()));
        Look { kinds: vec![Type::Integer], range, says, example: json!(usual), ..Look::default() }
    }
}

/// The first delay.
pub(super) struct Delay;

impl Shape for Delay {
    fn look() -> Look {
        let usual = StepRetries::default().first_delay_seconds();
        let says = format!("The wait after the first failure in seconds, by default {usual}.");
        let range = Some((1, StepRetries::MAX_FIRST_DELAY_SECONDS.into()));
        Look { kinds: vec![Type::Integer], range, says, example: json!(usual), ..Look::default() }
    }
}

/// The secret, for the only response that shows it.
pub(super) struct SigningSecret;

impl Shape for SigningSecret {
    fn look() -> Look {
        let says = "The secret that signs calls. It is shown only once.".to_owned();
        let example = json!("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        Look { kinds: vec![Type::String], says, example, ..Look::default() }
    }
}
