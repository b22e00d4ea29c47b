//! The header `X-Patron-Onboarding-Run`. A called system that creates a customer because of a workflow sends back the
//! token of the call. The create then starts no onboarding, so two systems do not create each other's customers
//! endlessly.

use std::convert::Infallible;

use patron_domain::{
    onboarding::{Onboarding, OnboardingError, RunToken, RunTokenError},
    violation::Violations,
};
use rocket::{
    Request,
    request::{FromRequest, Outcome},
};

use crate::http::{
    error::ApiError,
    guard::{CanWrite, Services},
    noted::Noted,
};

/// The token of a request, if it has one.
pub(crate) struct Token(Option<RunToken>);

pub(crate) use crate::http::openapi::RUN_TOKEN_HEADER as HEADER;

impl Token {
    /// Applies the token of a run to the onboarding of a create, as the domain decides. Rejects an invalid token.
    pub(crate) async fn apply(
        &self,
        services: &Services<'_>,
        caller: &CanWrite,
        onboarding: &mut Onboarding,
    ) -> Result<(), OnboardingError> {
        if let Some(token) = &self.0 {
            // Without onboarding this server makes no calls, so no token can be valid.
            let service = services.onboarding.as_ref().ok_or(RunTokenError)?;
            *onboarding = service.recognise(caller, token).await?;
        }
        Ok(())
    }
}

pub(super) fn refusal(error: &RunTokenError) -> ApiError {
    let mut broken = Violations::new();
    broken.add(HEADER, error);
    broken.into()
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Token {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Infallible> {
        let token = request.headers().get_one(HEADER).filter(|token| !token.is_empty());
        let token = token.map(RunToken::parse).transpose();
        // Reported together with the faults of the body.
        let token = token.map_err(|error| Noted::of(request).fault(HEADER, &error)).ok().flatten();
        Outcome::Success(Self(token))
    }
}
