//! The port for calls, over the client that sends webhooks.

use async_trait::async_trait;
use patron_domain::{
    onboarding::{StepCall, StepCaller, StepFailure},
    webhook::SendFailure,
};

use crate::webhooks::HttpSender;

/// The header with a run's token.
const TOKEN: &str = "X-Patron-Onboarding-Run";

#[async_trait]
impl StepCaller for HttpSender {
    async fn call(&self, call: StepCall) -> Result<(u16, Vec<u8>), SendFailure> {
        let headers = [
            ("webhook-id", call.id),
            ("webhook-timestamp", call.timestamp.to_string()),
            ("webhook-signature", call.signature),
            (TOKEN, call.token.to_string()),
        ];
        // One byte more than is looked at tells an answer that is too long.
        self.post(&call.url, headers, call.body, StepFailure::MAX_ANSWER + 1, self.end_of_attempt()).await
    }
}
