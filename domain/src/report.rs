//! The effects of a write, for dry runs and for advice about writes.
//!
//! A caller that wants them puts a [`WriteReport`] into its scope's origin. The store fills it with everything that the
//! write creates or changes. If the report asks for a dry run, the store makes the same decision and the same checks, and
//! then takes everything back.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use uuid::Uuid;

use crate::{
    custom_field::CustomFieldDefinition,
    customer::CustomerAggregate,
    event::EventKind,
    ids::{IdGenerator, IdSequence, crockford},
    privacy::{CategoryCount, RetentionSetting},
    tax::{TaxAssociation, TaxRate},
    tenancy::{ApiKey, Environment},
    time::Timestamp,
};
#[cfg(feature = "webhooks")]
use crate::{
    onboarding::{OnboardingRun, Workflow},
    webhook::WebhookEndpoint,
};

/// The effects of one write, shared by all copies. They contain personal data, so `Debug` does not show them.
///
/// ```
/// use patron_domain::{report::WriteReport, tenancy::Origin};
///
/// let report = WriteReport::of_dry_run();
/// let origin = Origin::default().reporting(report.clone());
/// assert!(origin.is_dry_run() && report.written().events.is_empty());
/// ```
#[derive(Clone)]
pub struct WriteReport(Arc<Shared>);

struct Shared {
    dry_run: bool,
    content: Mutex<Content>,
}

#[derive(Default)]
struct Content {
    ids: Vec<IdSequence>,
    written: Written,
    requests: Vec<OutgoingRequest>,
    redacted: Vec<CategoryCount>,
}

/// What a write creates and changes.
///
/// ```
/// use patron_domain::report::Written;
///
/// assert!(Written::default().objects.is_empty());
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct Written {
    /// The events.
    pub events: Vec<EventKind>,
    /// The objects.
    pub objects: Vec<ObjectChange>,
}

/// An object before and after a write.
///
/// ```
/// use patron_domain::{report::{ObjectChange, ObjectState}, testkit::a_tax_rate};
///
/// let after = ObjectState::TaxRate(Box::new(a_tax_rate("VAT")));
/// let created = ObjectChange { before: None, after: Some(after) };
/// ```
#[derive(Clone, PartialEq)]
pub struct ObjectChange {
    /// Its state before; `None` for a new object.
    pub before: Option<ObjectState>,
    /// Its state after; `None` for an object that is deleted.
    pub after: Option<ObjectState>,
}

/// The state of an object.
///
/// ```
/// use patron_domain::{report::ObjectState, testkit::a_customer};
///
/// let acme = ObjectState::Customer(Box::new(a_customer("acme").existing()));
/// ```
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum ObjectState {
    /// A customer with everything that belongs to it.
    Customer(Box<CustomerAggregate>),
    /// A tax rate.
    TaxRate(Box<TaxRate>),
    /// A default tax association of an environment.
    TaxDefault(Box<TaxAssociation>),
    /// An environment.
    Environment(Box<Environment>),
    /// An API key, without its secret.
    ApiKey(Box<ApiKey>),
    /// The definition of a custom field.
    CustomField(Box<CustomFieldDefinition>),
    /// The retention of an environment.
    Retention(Box<RetentionSetting>),
    /// A webhook endpoint.
    #[cfg(feature = "webhooks")]
    Endpoint(Box<WebhookEndpoint>),
    /// An onboarding workflow.
    #[cfg(feature = "webhooks")]
    Workflow(Box<Workflow>),
    /// An onboarding run.
    #[cfg(feature = "webhooks")]
    Run(Box<OnboardingRun>),
}

/// A request to another system that a dry run did not send.
///
/// ```
/// use patron_domain::report::OutgoingRequest;
///
/// let request = OutgoingRequest { url: "https://example.com/hooks".to_owned(), body: "{}".to_owned() };
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct OutgoingRequest {
    /// The URL.
    pub url: String,
    /// The body.
    pub body: String,
}

impl WriteReport {
    /// The report of a dry run.
    #[must_use]
    pub fn of_dry_run() -> Self {
        Self::new(true)
    }

    /// The report of a real write.
    #[must_use]
    pub fn of_write() -> Self {
        Self::new(false)
    }

    fn new(dry_run: bool) -> Self {
        Self(Arc::new(Shared { dry_run, content: Mutex::default() }))
    }

    /// Whether nothing may be written.
    #[must_use]
    pub fn is_dry_run(&self) -> bool {
        self.0.dry_run
    }

    /// For stores: replaces what the write does. A write that is decided again reports again.
    pub fn tell(&self, written: Written) {
        self.content().written = written;
    }

    /// What the write does.
    #[must_use]
    pub fn written(&self) -> Written {
        self.content().written.clone()
    }

    /// Adds a request that would have been sent.
    pub fn would_send(&self, request: OutgoingRequest) {
        self.content().requests.push(request);
    }

    /// The requests that would have been sent.
    #[must_use]
    pub fn requests(&self) -> Vec<OutgoingRequest> {
        self.content().requests.clone()
    }

    /// Sets the numbers of records that an erasure would redact.
    pub fn would_redact(&self, counts: Vec<CategoryCount>) {
        self.content().redacted = counts;
    }

    /// The numbers of records that an erasure would redact, by category; empty if the write erases nothing.
    #[must_use]
    pub fn redacted(&self) -> Vec<CategoryCount> {
        self.content().redacted.clone()
    }

    /// Starts the ids of the write.
    pub(crate) fn ids(&self, ids: &dyn IdGenerator, at: Timestamp) -> IdSequence {
        let started = ids.start(at);
        self.content().ids.push(started);
        started
    }

    /// Whether a text is an id that the write made.
    ///
    /// ```
    /// use patron_domain::{ids::CustomerId, report::WriteReport, tenancy::Origin, testkit::{CountingIds, a_time, an_id}};
    ///
    /// let report = WriteReport::of_dry_run();
    /// let origin = Origin::default().reporting(report.clone());
    /// let made: CustomerId = origin.ids(&CountingIds::default(), a_time()).next_id();
    /// assert!(report.made(&made.to_string()) && !report.made("cust_01JDG3W9Z5X0M8R2K7T4B6Q1NE"));
    /// ```
    #[must_use]
    pub fn made(&self, text: &str) -> bool {
        let digits = text.rsplit_once('_').map(|(_, digits)| digits);
        let id = digits.and_then(|digits| crockford::decode(digits.as_bytes())).map(Uuid::from_u128);
        id.is_some_and(|id| self.content().ids.iter().any(|ids| ids.may_make(id)))
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        // Every change is one assignment, so an earlier panic leaves no half of it.
        self.0.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Two reports are equal if they are the same one.
impl PartialEq for WriteReport {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for WriteReport {}

impl fmt::Debug for WriteReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteReport").field("dry_run", &self.is_dry_run()).finish_non_exhaustive()
    }
}
