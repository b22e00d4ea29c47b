//! The header `X-Patron-Onboarding-Run`: whoever creates a customer because a workflow called it echoes the token it was
//! called with, and the create starts nothing, so that no two systems create each other's customers for ever.

use patron_domain::{event::Onboarding, ids::OnboardingRunId, violation::Violations};
use rocket::{
    Request,
    request::{FromRequest, Outcome},
};

use crate::http::{error::ApiError, wrap::fail};

/// The token of a request, if it has one. That it is well-formed is enough: whoever makes one up achieves no more than with
/// `skip_onboarding_workflow`.
pub(crate) struct RunToken(Option<OnboardingRunId>);

/// The header's name.
pub(crate) const HEADER: &str = "X-Patron-Onboarding-Run";

impl RunToken {
    /// What a create is to do about onboarding.
    pub(crate) fn heed(&self, onboarding: &mut Onboarding) {
        onboarding.skip |= self.0.is_some();
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for RunToken {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        let token = request.headers().get_one(HEADER).filter(|token| !token.is_empty());
        match token.map(OnboardingRunId::parse).transpose() {
            Ok(token) => Outcome::Success(Self(token)),
            Err(error) => {
                let mut broken = Violations::new();
                broken.add(HEADER, &error);
                Outcome::Error((fail(request, ApiError::from(broken)), ()))
            }
        }
    }
}
