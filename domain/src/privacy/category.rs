//! The kinds of places with personal data, and how much each holds.

use crate::words::words;

/// A kind of place where a store keeps personal data of customers.
///
/// ```
/// use patron_domain::privacy::Category;
///
/// assert_eq!(Category::parse("events"), Ok(Category::Events));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Category {
    /// Responses that are stored under idempotency keys.
    KeptAnswers,
    /// The states in events.
    Events,
    /// The responses of endpoints to webhooks.
    WebhookDeliveries,
    /// The onboarding run, with the ids that other systems returned.
    OnboardingRuns,
    /// The reasons in requests for deletion.
    DeletionRequests,
    /// Failed rows of imports, and the changes that rows would have made.
    Imports,
    /// Former external ids, and the external id of an archived customer, by which it is found.
    FormerExternalIds,
    /// The other entries by which it is found, hashed or not.
    IndexEntries,
    /// The customer itself. Redacted last, because the entries by which it is found follow from it.
    Document,
}

words!(
    Category,
    "kept_answers, events, webhook_deliveries, onboarding_runs, deletion_requests, imports, former_external_ids, index_entries, \
     document",
    KeptAnswers => "kept_answers",
    Events => "events",
    WebhookDeliveries => "webhook_deliveries",
    OnboardingRuns => "onboarding_runs",
    DeletionRequests => "deletion_requests",
    Imports => "imports",
    FormerExternalIds => "former_external_ids",
    IndexEntries => "index_entries",
    Document => "document",
);

/// How many records of a category were redacted, and how many are left.
///
/// ```
/// use patron_domain::privacy::{Category, CategoryCount};
///
/// let count = CategoryCount { category: Category::Events, redacted: 7, left: Some(0) };
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CategoryCount {
    /// The category.
    pub category: Category,
    /// How many were redacted.
    pub redacted: u64,
    /// How many are left, as counted after the redaction; `None` before.
    pub left: Option<u64>,
}
