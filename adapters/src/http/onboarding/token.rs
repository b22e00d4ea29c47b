//! The header `X-Patron-Onboarding-Run`: whoever creates a customer because a workflow called it echoes the token it was
//! called with, and the create starts nothing, so that no two systems create each other's customers for ever.

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

/// The header's name.
pub(crate) const HEADER: &str = "X-Patron-Onboarding-Run";

impl Token {
    /// Lets the domain say what a create with the token of a run asks of onboarding; refuses a token that is made up.
    pub(crate) async fn heed(
        &self,
        services: &Services<'_>,
        caller: &CanWrite,
        onboarding: &mut Onboarding,
    ) -> Result<(), OnboardingError> {
        if let Some(token) = &self.0 {
            *onboarding = services.onboarding.recognise(caller, token).await?;
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
        // The body tells it beside its own faults.
        let token = token.map_err(|error| Noted::of(request).fault(HEADER, &error)).ok().flatten();
        Outcome::Success(Self(token))
    }
}
