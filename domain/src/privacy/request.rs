//! Requests for deletion, and their states.

use super::{CategoryCount, SubjectTag};
use crate::{
    UnknownWord,
    customer::ExternalId,
    ids::{CustomerId, DeletionRequestId, IdSequence},
    lifecycle::{Audit, Owner, Version},
    text::text_newtype,
    time::Timestamp,
    violation::Rule,
    words::words,
};

text_newtype! {
    /// Why a customer is to be erased. Personal data: it is erased too.
    personal DeletionReason, DeletionReasonError, "reason", max 500, not_blank true, lines true
}

/// How the request was made: by the person, or by the retention of the environment.
///
/// ```
/// use patron_domain::privacy::RequestChannel;
///
/// assert_eq!(RequestChannel::parse("written"), Ok(RequestChannel::Written));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RequestChannel {
    /// Through the application of the client.
    Api,
    /// By letter or e-mail.
    Written,
    /// By the retention of the environment, without a person.
    Retention,
}

words!(
    RequestChannel, "api, written, retention", Api => "api", Written => "written", Retention => "retention",
);

impl RequestChannel {
    /// The channels that a person can use.
    pub const OF_PEOPLE: [Self; 2] = [Self::Api, Self::Written];

    /// The channel of a word, for requests of people.
    ///
    /// ```
    /// use patron_domain::privacy::RequestChannel;
    ///
    /// assert!(RequestChannel::of_person("api").is_ok() && RequestChannel::of_person("retention").is_err());
    /// ```
    ///
    /// # Errors
    /// For any other word; the error lists the allowed ones.
    pub fn of_person(word: &str) -> Result<Self, UnknownWord> {
        let known = Self::OF_PEOPLE.into_iter().find(|known| known.as_str() == word);
        known.ok_or(UnknownWord { allowed: "api, written" })
    }
}

/// The state of a request for deletion.
///
/// ```text
/// suppressed → redacting → completed | failed
///     ↓
/// cancelled
/// ```
///
/// ```
/// use patron_domain::privacy::DeletionState;
///
/// assert!(DeletionState::Suppressed.is_cancellable() && !DeletionState::Redacting.is_cancellable());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeletionState {
    /// The customer is invisible, and its data is complete. The request can be cancelled.
    Suppressed,
    /// The data is being redacted.
    Redacting,
    /// The data was redacted, and counting found nothing left.
    Completed,
    /// Counting found data left several times. It is tried again later.
    Failed,
    /// The customer is visible again.
    Cancelled,
}

words!(
    DeletionState, "suppressed, redacting, completed, failed, cancelled",
    Suppressed => "suppressed",
    Redacting => "redacting",
    Completed => "completed",
    Failed => "failed",
    Cancelled => "cancelled",
);

impl DeletionState {
    /// Whether the customer can still be restored.
    #[must_use]
    pub const fn is_cancellable(self) -> bool {
        matches!(self, Self::Suppressed)
    }

    /// Whether work is left.
    #[must_use]
    pub const fn is_open(self) -> bool {
        !matches!(self, Self::Completed | Self::Cancelled)
    }
}

/// How many days a customer stays suppressed before its data is redacted: 0 to 30, by default 7.
///
/// ```
/// use patron_domain::privacy::Cooldown;
///
/// assert_eq!(Cooldown::default().days(), 7);
/// assert!(Cooldown::new(30).is_ok() && Cooldown::new(31).is_err() && Cooldown::new(-1).is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cooldown(u8);

/// Why a number is not a valid [`Cooldown`].
///
/// ```
/// use patron_domain::privacy::{Cooldown, CooldownError};
///
/// assert_eq!(Cooldown::new(31), Err(CooldownError));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 0 to {} days", Cooldown::MAX_DAYS)]
pub struct CooldownError;

impl Rule for CooldownError {
    fn rule(&self) -> &'static str {
        "range"
    }
}

impl Default for Cooldown {
    fn default() -> Self {
        Self(Self::DEFAULT_DAYS)
    }
}

impl Cooldown {
    /// The most days.
    pub const MAX_DAYS: u8 = 30;
    /// The default number of days.
    pub const DEFAULT_DAYS: u8 = 7;
    /// No cool-down: the redaction begins at once.
    pub const NONE: Self = Self(0);

    /// Checks a number of days.
    ///
    /// # Errors
    /// When it is negative or more than [`Self::MAX_DAYS`].
    pub fn new(days: i64) -> Result<Self, CooldownError> {
        u8::try_from(days).ok().filter(|days| *days <= Self::MAX_DAYS).map(Self).ok_or(CooldownError)
    }

    /// The days.
    #[must_use]
    pub const fn days(self) -> u8 {
        self.0
    }

    /// When it ends.
    #[must_use]
    pub fn end(self, from: Timestamp) -> Timestamp {
        from.later(std::time::Duration::from_secs(u64::from(self.0) * 86_400))
    }
}

/// The customer that a request names.
///
/// ```
/// use patron_domain::{privacy::NamedSubject, testkit::an_id};
///
/// let named = NamedSubject::Id(an_id(1));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamedSubject {
    /// By its id, in any status.
    Id(CustomerId),
    /// By its external id: the customer that has it, was renamed from it, or was archived with it.
    ExternalId(ExternalId),
}

/// A request for deletion, before its decision.
///
/// ```
/// use patron_domain::{
///     ids::IdSequence,
///     privacy::{Cooldown, NamedSubject, NewDeletionRequest, RequestChannel},
///     testkit::{a_time, an_id},
/// };
///
/// let new = NewDeletionRequest {
///     subject: NamedSubject::Id(an_id(1)),
///     channel: RequestChannel::Written,
///     cooldown: Cooldown::default(),
///     reason: None,
///     ids: IdSequence::start(a_time(), [0; 10]),
///     at: a_time(),
/// };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDeletionRequest {
    /// The customer.
    pub subject: NamedSubject,
    /// How the person made the request.
    pub channel: RequestChannel,
    /// How long it can be cancelled.
    pub cooldown: Cooldown,
    /// The reason.
    pub reason: Option<DeletionReason>,
    /// The ids for new objects.
    pub ids: IdSequence,
    /// The time.
    pub at: Timestamp,
}

/// A request for deletion.
///
/// ```
/// use patron_domain::{privacy::{DeletionRequest, DeletionState}, testkit::a_deletion_request};
///
/// let request: DeletionRequest = a_deletion_request();
/// assert_eq!(request.state, DeletionState::Suppressed);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletionRequest {
    /// The id.
    pub id: DeletionRequestId,
    /// The environment.
    pub owner: Owner,
    /// The customer. Its id outlives it: the envelopes of its events name it.
    pub customer_id: CustomerId,
    /// How the person made the request.
    pub channel: RequestChannel,
    /// How long it could be cancelled.
    pub cooldown: Cooldown,
    /// The reason; erased at the end.
    pub reason: Option<DeletionReason>,
    /// The state.
    pub state: DeletionState,
    /// What remains of the external id.
    pub subject: SubjectTag,
    /// The version of the customer's last event.
    pub customer_version: Version,
    /// When the redaction begins; until then it can be cancelled.
    pub due_at: Timestamp,
    /// When the redaction began.
    pub redacting_since: Option<Timestamp>,
    /// When counting found nothing left.
    pub verified_at: Option<Timestamp>,
    /// When it was completed or cancelled, or failed last.
    pub ended_at: Option<Timestamp>,
    /// How often counting found data left.
    pub attempts: u32,
    /// The counts, in the order of [`Category::ALL`](super::Category::ALL); empty before the redaction.
    pub counts: Vec<CategoryCount>,
    /// When and by whom it was made and changed.
    pub audit: Audit,
}
