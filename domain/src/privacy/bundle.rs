//! All data about one customer, for Articles 15 and 20 of the GDPR.

use super::{DeletionRequest, RequestChannel};
use crate::{
    customer::CustomerAggregate,
    event::EventRecord,
    ids::{CustomerId, ImportId},
    import::{FailedRow, ImportDiff},
    onboarding::OnboardingRun,
    time::Timestamp,
    webhook::Delivery,
    words::words,
};

/// The data that a store holds about a customer, apart from its events.
///
/// ```
/// use patron_domain::{privacy::PersonalRecord, testkit::a_customer};
///
/// let record = PersonalRecord {
///     customer: a_customer("acme").existing(),
///     run: None,
///     deliveries: Vec::new(),
///     requests: Vec::new(),
///     kept_answers: Vec::new(),
///     failed_rows: Vec::new(),
///     import_changes: Vec::new(),
/// };
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PersonalRecord {
    /// The customer with everything that belongs to it.
    pub customer: CustomerAggregate,
    /// Its onboarding.
    pub run: Option<OnboardingRun>,
    /// The deliveries of its events that wait, or have the text of a response.
    pub deliveries: Vec<Delivery>,
    /// The requests for its deletion, which were cancelled.
    pub requests: Vec<DeletionRequest>,
    /// When responses about it were stored under idempotency keys.
    pub kept_answers: Vec<Timestamp>,
    /// The rows of imports about it that failed.
    pub failed_rows: Vec<(ImportId, FailedRow)>,
    /// The changes of it that the results of imports show.
    pub import_changes: Vec<(ImportId, ImportDiff)>,
}

/// All data about a customer.
///
/// ```
/// use patron_domain::{privacy::{Bundle, PersonalRecord}, testkit::{a_customer, a_time}};
///
/// let customer = a_customer("acme").existing();
/// let (deliveries, requests, kept_answers) = (Vec::new(), Vec::new(), Vec::new());
/// let (failed_rows, import_changes) = (Vec::new(), Vec::new());
/// let record =
///     PersonalRecord { customer, run: None, deliveries, requests, kept_answers, failed_rows, import_changes };
/// let bundle = Bundle { at: a_time(), record, history: Vec::new() };
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    /// The time.
    pub at: Timestamp,
    /// The present data.
    pub record: PersonalRecord,
    /// Every change: who made it, when, and the state after it.
    pub history: Vec<EventRecord>,
}

/// Why a customer's data is about to be redacted.
///
/// ```
/// use patron_domain::privacy::DueReason;
///
/// assert_eq!(DueReason::Request.as_str(), "request");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DueReason {
    /// Its deletion was requested.
    Request,
    /// It was archived long ago.
    Retention,
}

words!(DueReason, "request, retention", Request => "request", Retention => "retention");

impl From<RequestChannel> for DueReason {
    fn from(channel: RequestChannel) -> Self {
        match channel {
            RequestChannel::Api | RequestChannel::Written => Self::Request,
            RequestChannel::Retention => Self::Retention,
        }
    }
}

/// A customer whose data is about to be redacted.
///
/// ```
/// use patron_domain::{privacy::{Due, DueReason}, testkit::{a_time, an_id}};
///
/// let due = Due { customer_id: an_id(1), due_at: a_time(), why: DueReason::Request };
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The customer.
    pub customer_id: CustomerId,
    /// When.
    pub due_at: Timestamp,
    /// Why.
    pub why: DueReason,
}
