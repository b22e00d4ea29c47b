//! The steps of a workflow.

use std::time::Duration;

use super::pointer::JsonPointer;
use crate::{integration::ProviderType, violation::Rule, webhook::EndpointUrl, words::words};

/// One step of a workflow.
///
/// ```
/// use patron_domain::{onboarding::StepKind, testkit::{a_call, a_link}};
///
/// let steps = [a_call("https://crm.example/customers"), a_link("crm", "/id")];
/// assert_eq!(steps.map(|step| step.kind()), [StepKind::HttpCall, StepKind::LinkIntegration]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Send the customer to another system.
    HttpCall(HttpCall),
    /// Store the customer's id in that system.
    LinkIntegration(LinkIntegration),
}

/// The kind of a step.
///
/// ```
/// use patron_domain::onboarding::StepKind;
///
/// assert_eq!(StepKind::parse("http_call"), Ok(StepKind::HttpCall));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StepKind {
    /// See [`Step::HttpCall`].
    HttpCall,
    /// See [`Step::LinkIntegration`].
    LinkIntegration,
}

words!(
    StepKind, "http_call, link_integration",
    HttpCall => "http_call", LinkIntegration => "link_integration",
);

impl Step {
    /// The kind.
    #[must_use]
    pub fn kind(&self) -> StepKind {
        match self {
            Self::HttpCall(_) => StepKind::HttpCall,
            Self::LinkIntegration(_) => StepKind::LinkIntegration,
        }
    }
}

/// A `POST` with the customer as created as the body, signed like a webhook.
///
/// ```
/// use patron_domain::{
///     onboarding::{ExpectedStatus, HttpCall, StepRetries},
///     webhook::EndpointUrl,
/// };
///
/// let url = EndpointUrl::new("https://crm.example/customers").unwrap();
/// let call = HttpCall { url, expected: ExpectedStatus::default(), retries: StepRetries::default() };
/// assert!(call.expected.admits(201));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpCall {
    /// The URL.
    pub url: EndpointUrl,
    /// The statuses that count as success.
    pub expected: ExpectedStatus,
    /// The number of attempts, and the waits between them.
    pub retries: StepRetries,
}

/// Takes a value from the response to the nearest call before it, and links the customer with it.
///
/// ```
/// use patron_domain::{
///     integration::ProviderType,
///     onboarding::{JsonPointer, LinkIntegration},
/// };
///
/// let provider_type = ProviderType::new("crm").unwrap();
/// let link = LinkIntegration { provider_type, pointer: JsonPointer::new("/data/id").unwrap() };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkIntegration {
    /// The other system.
    pub provider_type: ProviderType,
    /// The position of the id in the response. The id is a text or a whole number.
    pub pointer: JsonPointer,
}

/// The statuses that count as success: 1 to 10 of them from 100 to 599, or by default any from 200 to 299.
///
/// ```
/// use patron_domain::onboarding::ExpectedStatus;
///
/// let two = ExpectedStatus::new(vec![201, 409]).unwrap();
/// assert!(two.admits(409) && !two.admits(200));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExpectedStatus(Vec<u16>);

/// Why numbers are not a valid [`ExpectedStatus`].
///
/// ```
/// use patron_domain::onboarding::{ExpectedStatus, ExpectedStatusError};
///
/// assert_eq!(ExpectedStatus::new(vec![99]), Err(ExpectedStatusError::Range));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpectedStatusError {
    /// A number is not a status.
    #[error("must be HTTP statuses from 100 to 599")]
    Range,
    /// There are too many.
    #[error("must have at most {} statuses; leave it out to accept any from 200 to 299", ExpectedStatus::MAX)]
    TooMany,
}

impl Rule for ExpectedStatusError {
    fn rule(&self) -> &'static str {
        match self {
            Self::Range => "range",
            Self::TooMany => "max_items",
        }
    }
}

impl ExpectedStatus {
    /// The maximum number of statuses.
    pub const MAX: usize = 10;

    /// Checks statuses; an empty list means all from 200 to 299.
    ///
    /// # Errors
    /// When a number is not a status, or there are too many.
    pub fn new(statuses: Vec<i64>) -> Result<Self, ExpectedStatusError> {
        if statuses.len() > Self::MAX {
            return Err(ExpectedStatusError::TooMany);
        }
        let status = |number: i64| u16::try_from(number).ok().filter(|status| (100..=599).contains(status));
        let statuses: Option<Vec<u16>> = statuses.into_iter().map(status).collect();
        statuses.map(Self).ok_or(ExpectedStatusError::Range)
    }

    /// Whether this status counts as success.
    #[must_use]
    pub fn admits(&self, status: u16) -> bool {
        if self.0.is_empty() { (200..=299).contains(&status) } else { self.0.contains(&status) }
    }

    /// The statuses as given.
    #[must_use]
    pub fn as_slice(&self) -> &[u16] {
        &self.0
    }
}

/// The number of attempts of a call and the waits between them: the first wait, doubled each time, up to six hours.
///
/// ```
/// use std::time::Duration;
/// use patron_domain::onboarding::StepRetries;
///
/// let retries = StepRetries::default().with_max_attempts(3).unwrap().with_first_delay(2).unwrap();
/// let waits = [1, 2, 3].map(|failed| retries.delay(failed, 0));
/// assert_eq!(waits, [Some(Duration::from_secs(2)), Some(Duration::from_secs(4)), None]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepRetries {
    max_attempts: u32,
    first_delay_seconds: u32,
}

/// Why numbers are not valid [`StepRetries`].
///
/// ```
/// use patron_domain::onboarding::{StepRetries, StepRetriesError};
///
/// assert_eq!(StepRetries::default().with_max_attempts(0), Err(StepRetriesError::Attempts));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StepRetriesError {
    /// There are too many attempts, or none.
    #[error("must be a whole number from 1 to {}", StepRetries::MAX_ATTEMPTS)]
    Attempts,
    /// The wait is too long, or zero.
    #[error("must be a whole number of seconds from 1 to {}", StepRetries::MAX_FIRST_DELAY_SECONDS)]
    Delay,
}

impl Rule for StepRetriesError {
    fn rule(&self) -> &'static str {
        "range"
    }
}

impl Default for StepRetries {
    /// Ten attempts in about 43 minutes.
    fn default() -> Self {
        Self { max_attempts: 10, first_delay_seconds: 5 }
    }
}

impl StepRetries {
    /// The maximum number of attempts.
    pub const MAX_ATTEMPTS: u32 = 20;
    /// The maximum first wait.
    pub const MAX_FIRST_DELAY_SECONDS: u32 = 3_600;
    /// The longest wait.
    const LONGEST: Duration = Duration::from_secs(6 * 3_600);

    /// The same with another number of attempts, including the first.
    ///
    /// # Errors
    /// When the number is not from 1 to [`Self::MAX_ATTEMPTS`].
    pub fn with_max_attempts(self, attempts: i64) -> Result<Self, StepRetriesError> {
        let max_attempts = within(attempts, Self::MAX_ATTEMPTS).ok_or(StepRetriesError::Attempts)?;
        Ok(Self { max_attempts, ..self })
    }

    /// The same with another first wait.
    ///
    /// # Errors
    /// When the number is not from 1 to [`Self::MAX_FIRST_DELAY_SECONDS`].
    pub fn with_first_delay(self, seconds: i64) -> Result<Self, StepRetriesError> {
        let first_delay_seconds = within(seconds, Self::MAX_FIRST_DELAY_SECONDS).ok_or(StepRetriesError::Delay)?;
        Ok(Self { first_delay_seconds, ..self })
    }

    /// The number of attempts, including the first.
    #[must_use]
    pub fn max_attempts(&self) -> u32 {
        self.max_attempts
    }

    /// The first wait.
    #[must_use]
    pub fn first_delay_seconds(&self) -> u32 {
        self.first_delay_seconds
    }

    /// The wait after this many failed attempts; `None` when there is no further attempt. `jitter` is any number: it
    /// makes the wait up to a tenth longer, so that simultaneous failures are not all retried at the same time.
    #[must_use]
    pub fn delay(&self, failed: u32, jitter: u16) -> Option<Duration> {
        if failed == 0 || failed >= self.max_attempts {
            return None;
        }
        let first = Duration::from_secs(u64::from(self.first_delay_seconds));
        let doubled = first.saturating_mul(2_u32.saturating_pow(failed - 1)).min(Self::LONGEST);
        Some(doubled.mul_f64(1.0 + 0.1 * f64::from(jitter) / f64::from(u16::MAX)))
    }
}

fn within(number: i64, most: u32) -> Option<u32> {
    u32::try_from(number).ok().filter(|number| (1..=most).contains(number))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{ExpectedStatus, ExpectedStatusError, StepRetries, StepRetriesError};

    #[test]
    fn no_status_means_any_2xx_and_given_ones_mean_only_those() {
        let any = ExpectedStatus::default();
        assert_eq!([199, 200, 299, 300].map(|status| any.admits(status)), [false, true, true, false]);
        let two = ExpectedStatus::new(vec![201, 409]).unwrap();
        assert_eq!([200, 201, 409].map(|status| two.admits(status)), [false, true, true]);
        assert_eq!(ExpectedStatus::new(vec![99]), Err(ExpectedStatusError::Range));
        assert_eq!(ExpectedStatus::new(vec![70_000]), Err(ExpectedStatusError::Range));
        assert_eq!(ExpectedStatus::new(vec![200; 11]), Err(ExpectedStatusError::TooMany));
    }

    #[test]
    fn waits_double_up_to_six_hours_and_attempts_end() {
        let retries = StepRetries::default().with_max_attempts(4).unwrap().with_first_delay(3).unwrap();
        let waits: Vec<_> = (0..6).map(|failed| retries.delay(failed, 0).map(|wait| wait.as_secs())).collect();
        assert_eq!(waits, [None, Some(3), Some(6), Some(12), None, None]);
        assert_eq!(retries.delay(1, u16::MAX), Some(Duration::from_millis(3_300)));
        let long = StepRetries::default().with_max_attempts(20).unwrap().with_first_delay(3_600).unwrap();
        assert_eq!(long.delay(19, 0), Some(Duration::from_secs(21_600)));
        assert_eq!(retries.with_max_attempts(0), Err(StepRetriesError::Attempts));
        assert_eq!(retries.with_max_attempts(21), Err(StepRetriesError::Attempts));
        assert_eq!(retries.with_first_delay(-1), Err(StepRetriesError::Delay));
    }
}
