//! The port for calls, over the client that sends webhooks.

use async_trait::async_trait;
use hyper::header::HeaderName;
use patron_domain::{
    onboarding::{StepAnswer, StepCall, StepCaller, StepFailure},
    webhook::SendFailure,
};

use crate::webhooks::{HttpSender, Response, signed};

/// The header with a run's token.
const TOKEN: HeaderName = HeaderName::from_static("x-patron-onboarding-run");

#[async_trait]
impl StepCaller for HttpSender {
    async fn call(&self, call: StepCall) -> Result<StepAnswer, SendFailure> {
        self.look_up(call.owner, &call.url).await;
        let signed = signed(call.id, call.timestamp, call.signature);
        let headers = signed.into_iter().chain([(TOKEN, call.token.to_string())]);
        // One byte more than the limit shows that a response is too long.
        let keep = StepFailure::MAX_ANSWER + 1;
        let Response { status, kept, retry_after } =
            self.post(&call.url, headers, call.body, keep, self.end_of_attempt()).await?;
        Ok(StepAnswer { status, body: kept, retry_after })
    }
}
