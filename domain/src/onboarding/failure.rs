//! Why a step failed. The messages contain no secrets and no part of a response.

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
    /// The response had a status that is not expected.
    Status(u16),
    /// There was no response.
    Send(SendFailure),
    /// The response is not JSON, or is longer than [`StepFailure::MAX_ANSWER`] bytes.
    NoJson,
    /// A link after the call found no value at its pointer, or a value that cannot be an id.
    NoValue,
    /// The signing secret cannot be opened with the configured key.
    Secret,
    /// The link was refused: the customer is archived.
    LinkRefused,
    /// The customer's creation is no longer in the log.
    CustomerGone,
    /// No call was made, because the host did not answer earlier ones, or asked to wait. It is made after a pause.
    HostRests,
}

impl StepFailure {
    /// The maximum number of bytes of a response that are read.
    pub const MAX_ANSWER: usize = 65_536;

    /// The stored form: one word, with the status after `status_`.
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
            Self::HostRests => "host_rests".to_owned(),
        }
    }

    /// The failure that callers see: see [`SendFailure::shown`].
    #[must_use]
    pub fn shown(self) -> Self {
        match self {
            Self::Send(failure) => Self::Send(failure.shown()),
            other => other,
        }
    }

    /// Reads a stored word; `None` for any other text.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "answer_is_no_json" => Self::NoJson,
            "answer_has_no_value" => Self::NoValue,
            "secret_does_not_open" => Self::Secret,
            "link_refused" => Self::LinkRefused,
            "customer_gone" => Self::CustomerGone,
            "host_rests" => Self::HostRests,
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
            Self::Status(status) => write!(f, "the response had the unexpected status {status}"),
            Self::Send(failure) => f.write_str(failure.explanation()),
            Self::NoJson => write!(f, "the response is not JSON, or is longer than {} bytes", Self::MAX_ANSWER),
            Self::NoValue => f.write_str("the response has no id at the pointer of a link_integration after this call"),
            Self::Secret => {
                f.write_str("the signing secret does not open: it was sealed with a key that is not configured")
            }
            Self::LinkRefused => f.write_str("the customer could not be linked, because it is archived"),
            Self::CustomerGone => f.write_str("the customer's creation is no longer in the log"),
            Self::HostRests => f.write_str("calls to the host pause, because it did not answer or asked to wait"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::StepFailure;
    use crate::webhook::SendFailure;

    #[test]
    fn every_failure_can_be_read_back_from_its_word() {
        use StepFailure::{CustomerGone, HostRests, LinkRefused, NoJson, NoValue, Secret, Send, Status};
        let others = [Status(500), NoJson, NoValue, Secret, LinkRefused, CustomerGone, HostRests];
        for failure in SendFailure::ALL.iter().copied().map(Send).chain(others) {
            assert_eq!(StepFailure::from_word(&failure.to_word()), Some(failure), "{failure}");
        }
        assert_eq!(StepFailure::from_word("status_many"), None);
    }
}
