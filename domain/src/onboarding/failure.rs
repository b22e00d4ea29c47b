//! Why a step failed, in words that hold no secret and nothing of an answer.

use std::fmt;

use crate::webhook::SendFailure;

/// Why a step failed.
///
/// ```
/// use patron_domain::onboarding::StepFailure;
///
/// let failure = StepFailure::Status(503);
/// assert_eq!(StepFailure::from_word(&failure.to_word()), Some(failure));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StepFailure {
    /// The answer had another status than those expected.
    Status(u16),
    /// There was no answer.
    Send(SendFailure),
    /// The answer is no JSON, or longer than [`StepFailure::MAX_ANSWER`] bytes.
    NoJson,
    /// The answer has nothing at the pointer of a link behind the call, or nothing that can be an id.
    NoValue,
    /// The signing secret does not open with the configured key.
    Secret,
    /// The link was refused: the customer is archived.
    LinkRefused,
    /// The customer's creation is not in the log any more.
    CustomerGone,
}

impl StepFailure {
    /// The most bytes of an answer that are looked at.
    pub const MAX_ANSWER: usize = 65_536;

    /// As stores keep it: one word, and the status behind `status_`.
    #[must_use]
    pub fn to_word(self) -> String {
        match self {
            Self::Status(status) => format!("status_{status}"),
            Self::Send(failure) => failure.as_str().to_owned(),
            Self::NoJson => "answer_is_no_json".to_owned(),
            Self::NoValue => "answer_has_no_value".to_owned(),
            Self::Secret => "secret_does_not_open".to_owned(),
            Self::LinkRefused => "link_refused".to_owned(),
            Self::CustomerGone => "customer_gone".to_owned(),
        }
    }

    /// Takes back what [`Self::to_word`] gave; `None` for anything else.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "answer_is_no_json" => Self::NoJson,
            "answer_has_no_value" => Self::NoValue,
            "secret_does_not_open" => Self::Secret,
            "link_refused" => Self::LinkRefused,
            "customer_gone" => Self::CustomerGone,
            word => match word.strip_prefix("status_") {
                Some(status) => Self::Status(status.parse().ok()?),
                None => Self::Send(SendFailure::parse(word).ok()?),
            },
        })
    }
}

impl fmt::Display for StepFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "the answer had the status {status}, which is not expected"),
            Self::Send(failure) => f.write_str(failure.explanation()),
            Self::NoJson => write!(f, "the answer is no JSON of at most {} bytes", Self::MAX_ANSWER),
            Self::NoValue => f.write_str("the answer has no id at the pointer of a link_integration behind the call"),
            Self::Secret => f.write_str("the signing secret does not open with PATRON_SECRETS_KEY"),
            Self::LinkRefused => f.write_str("the customer could not be linked, because it is archived"),
            Self::CustomerGone => f.write_str("the customer's creation is not in the log any more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::StepFailure;
    use crate::webhook::SendFailure;

    #[test]
    fn every_failure_survives_its_word() {
        use StepFailure::{CustomerGone, LinkRefused, NoJson, NoValue, Secret, Send, Status};
        let others = [Status(500), NoJson, NoValue, Secret, LinkRefused, CustomerGone];
        for failure in SendFailure::ALL.iter().copied().map(Send).chain(others) {
            assert_eq!(StepFailure::from_word(&failure.to_word()), Some(failure), "{failure}");
        }
        assert_eq!(StepFailure::from_word("status_many"), None);
    }
}
