//! The looks of what stands in workflows and runs.

use patron_domain::onboarding::{ExpectedStatus, JsonPointer, RunState, RunToken, StepKind, StepRetries};
use serde_json::json;
use utoipa::openapi::schema::Type;

use crate::http::openapi::{EXAMPLE_ID, Look, Shape};

impl Shape for StepKind {
    fn look() -> Look {
        Look::words(Self::ALL.iter().map(|one| one.as_str()), "What the step does.")
    }
}

impl Shape for RunState {
    fn look() -> Look {
        Look::words(Self::ALL.iter().map(|one| one.as_str()), "How far the run is; `failed` needs a person.")
    }
}

impl Shape for JsonPointer {
    fn look() -> Look {
        let says = "Where in the answer the id stands (RFC 6901): a text, or a whole number.".to_owned();
        let chars = Some((0, Self::MAX_CHARS));
        Look { kinds: vec![Type::String], chars, says, example: json!("/id"), ..Look::default() }
    }
}

impl Shape for RunToken {
    fn look() -> Look {
        let says = "A run's id, and the proof that the call came from here.".to_owned();
        let example = json!(format!("onb_{EXAMPLE_ID}.{}", "0".repeat(64)));
        Look { kinds: vec![Type::String], says, example, ..Look::default() }
    }
}

/// A status that an answer may have.
pub(super) struct StatusCode;

impl Shape for StatusCode {
    fn look() -> Look {
        let says =
            format!("A status; up to {} of them, and any from 200 to 299 when there is none.", ExpectedStatus::MAX);
        let range = Some((100, 599));
        Look { kinds: vec![Type::Integer], range, says, example: json!(201), ..Look::default() }
    }
}

/// How often a call is tried.
pub(super) struct Attempts;

impl Shape for Attempts {
    fn look() -> Look {
        let usual = StepRetries::default().max_attempts();
        let says = format!("The most attempts, the first included; {usual} when absent.");
        let range = Some((1, StepRetries::MAX_ATTEMPTS.into()));
        Look { kinds: vec![Type::Integer], range, says, example: json!(usual), ..Look::default() }
    }
}

/// The first wait.
pub(super) struct Delay;

impl Shape for Delay {
    fn look() -> Look {
        let usual = StepRetries::default().first_delay_seconds();
        let says = format!("How many seconds to wait after the first failure; {usual} when absent.");
        let range = Some((1, StepRetries::MAX_FIRST_DELAY_SECONDS.into()));
        Look { kinds: vec![Type::Integer], range, says, example: json!(usual), ..Look::default() }
    }
}

/// The secret, in the one answer that shows it.
pub(super) struct SigningSecret;

impl Shape for SigningSecret {
    fn look() -> Look {
        let says = "What calls are signed with; shown this once.".to_owned();
        let example = json!("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        Look { kinds: vec![Type::String], says, example, ..Look::default() }
    }
}
