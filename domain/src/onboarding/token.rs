//! The token in a run's calls. A create that results from a call must send it back.

use std::fmt;

use crate::{
    idempotency::Fingerprint,
    ids::{IdError, OnboardingRunId},
    violation::Rule,
    webhook::WebhookSecret,
};

/// A run's id, and the proof that the token was made with the secret that the run's calls are signed with.
///
/// As text: the id, a dot, and 64 hexadecimal digits.
///
/// ```
/// use patron_domain::{onboarding::RunToken, testkit::an_id, webhook::WebhookSecret};
///
/// let secret = WebhookSecret::from_random([7; 32]);
/// let token = RunToken::new(&secret, an_id(1));
/// let echoed = RunToken::parse(&token.to_string()).unwrap();
/// assert!(echoed.is_of(&secret));
/// assert!(!echoed.is_of(&WebhookSecret::from_random([8; 32])));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RunToken {
    run: OnboardingRunId,
    proof: [u8; 32],
}

/// Why a text is not a valid [`RunToken`], or does not belong to an existing run.
///
/// ```
/// use patron_domain::onboarding::{RunToken, RunTokenError};
///
/// assert_eq!(RunToken::parse("onb_1"), Err(RunTokenError));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be the unchanged token of the onboarding call that led to this request, sent to the environment of that call"
)]
pub struct RunTokenError;

impl Rule for RunTokenError {
    fn rule(&self) -> &'static str {
        "onboarding_run_token"
    }
}

impl From<IdError> for RunTokenError {
    fn from(_: IdError) -> Self {
        Self
    }
}

impl RunToken {
    /// The token of a run whose calls are signed with this secret.
    #[must_use]
    pub fn new(secret: &WebhookSecret, run: OnboardingRunId) -> Self {
        Self { run, proof: secret.proof(&run.to_string()) }
    }

    /// Parses a token. [`Self::is_of`] checks whether it is genuine.
    ///
    /// # Errors
    /// When the text does not have the form of a token.
    pub fn parse(text: &str) -> Result<Self, RunTokenError> {
        let (run, proof) = text.split_once('.').ok_or(RunTokenError)?;
        let proof = Fingerprint::from_hex(proof).ok_or(RunTokenError)?;
        Ok(Self { run: OnboardingRunId::parse(run)?, proof: *proof.as_bytes() })
    }

    /// The run.
    #[must_use]
    pub fn run(&self) -> OnboardingRunId {
        self.run
    }

    /// Whether it was made with this secret. Compares in constant time.
    #[must_use]
    pub fn is_of(&self, secret: &WebhookSecret) -> bool {
        let wanted = Self::new(secret, self.run).proof;
        wanted.iter().zip(self.proof).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
    }
}

impl fmt::Display for RunToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.run, Fingerprint::from_bytes(self.proof).to_hex())
    }
}

impl fmt::Debug for RunToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RunToken({}, redacted)", self.run)
    }
}

#[cfg(test)]
mod tests {
    use super::{RunToken, RunTokenError};
    use crate::{testkit::an_id, webhook::WebhookSecret};

    #[test]
    fn a_token_is_of_one_run_and_one_secret() {
        let secret = WebhookSecret::from_random([7; 32]);
        let (one, other) = (RunToken::new(&secret, an_id(1)), RunToken::new(&secret, an_id(2)));
        let text = one.to_string();
        assert_eq!(RunToken::parse(&text), Ok(one));
        assert!(one.is_of(&secret) && !one.is_of(&WebhookSecret::from_random([8; 32])));
        // The proof of one run is not valid for another.
        let proof = text.split_once('.').unwrap().1;
        let mixed = RunToken::parse(&format!("{}.{proof}", other.run())).unwrap();
        assert!(!mixed.is_of(&secret));
        assert!(!format!("{one:?}").contains(proof));
    }

    #[test]
    fn text_of_another_form_is_not_a_token() {
        let text = RunToken::new(&WebhookSecret::from_random([7; 32]), an_id(1)).to_string();
        let id = text.split_once('.').unwrap().0;
        for bad in ["", "onb_1", id, &format!("{id}."), &format!("{text}0"), &text.replace("onb_", "cust_")] {
            assert_eq!(RunToken::parse(bad), Err(RunTokenError), "{bad}");
        }
    }
}
