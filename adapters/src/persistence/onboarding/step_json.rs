//! The column `steps` of a workflow: its steps as JSON.

use patron_domain::{
    integration::ProviderType,
    onboarding::{ExpectedStatus, HttpCall, JsonPointer, LinkIntegration, Step, StepRetries, Steps},
    webhook::EndpointUrl,
};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StepJson {
    Call { url: String, expected: Vec<u16>, attempts: u32, delay: u32 },
    Link { provider: String, pointer: String },
}

/// The column.
pub(super) fn write(steps: &Steps) -> String {
    let json = |step: &Step| match step {
        Step::HttpCall(call) => StepJson::Call {
            url: call.url.as_str().to_owned(),
            expected: call.expected.as_slice().to_vec(),
            attempts: call.retries.max_attempts(),
            delay: call.retries.first_delay_seconds(),
        },
        Step::LinkIntegration(link) => StepJson::Link {
            provider: link.provider_type.as_str().to_owned(),
            pointer: link.pointer.as_str().to_owned(),
        },
    };
    let steps: Vec<StepJson> = steps.as_slice().iter().map(json).collect();
    // Texts and numbers always have a JSON form.
    serde_json::to_string(&steps).unwrap_or_default()
}

/// The steps of a column; `None` when it holds none.
pub(super) fn read(column: &str) -> Option<Steps> {
    let steps: Vec<StepJson> = serde_json::from_str(column).ok()?;
    let steps: Option<Vec<Step>> = steps.into_iter().map(step).collect();
    Steps::new(steps?, "").ok()
}

fn step(json: StepJson) -> Option<Step> {
    Some(match json {
        StepJson::Call { url, expected, attempts, delay } => Step::HttpCall(HttpCall {
            url: EndpointUrl::from_stored(url).ok()?,
            expected: ExpectedStatus::new(expected.into_iter().map(i64::from).collect()).ok()?,
            retries: StepRetries::default()
                .with_max_attempts(attempts.into())
                .and_then(|retries| retries.with_first_delay(delay.into()))
                .ok()?,
        }),
        StepJson::Link { provider, pointer } => Step::LinkIntegration(LinkIntegration {
            provider_type: ProviderType::new(provider).ok()?,
            pointer: JsonPointer::new(pointer).ok()?,
        }),
    })
}

#[cfg(test)]
mod tests {
    use patron_domain::testkit::a_workflow;

    #[test]
    fn steps_survive_their_column() {
        let steps = a_workflow().steps;
        assert_eq!(super::read(&super::write(&steps)), Some(steps));
        assert_eq!(super::read("[]"), None);
        assert_eq!(super::read("{"), None);
    }
}
