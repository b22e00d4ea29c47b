//! The outcomes of rows.

use crate::{
    event::{CustomerEvent, CustomerEventKind},
    time::Timestamp,
    words::words,
};

/// What happened to a row, or what would happen.
///
/// ```
/// use patron_domain::import::RowOutcome;
///
/// assert_eq!(RowOutcome::Created.as_str(), "created");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowOutcome {
    /// It is valid. Its effect is not known yet.
    Valid,
    /// It creates a customer.
    Created,
    /// It changes a customer.
    Updated,
    /// It changes nothing.
    Unchanged,
    /// It failed.
    Failed,
}

words!(
    RowOutcome, "valid, created, updated, unchanged, failed",
    Valid => "valid", Created => "created", Updated => "updated", Unchanged => "unchanged", Failed => "failed",
);

impl RowOutcome {
    /// The outcome of an accepted change, made at a time, by the customer's latest event. A change that changes nothing leaves
    /// an earlier one.
    ///
    /// ```
    /// use patron_domain::{
    ///     customer::CustomerFacts,
    ///     ids::IdSequence,
    ///     import::RowOutcome,
    ///     testkit::{a_customer, a_scope, a_time},
    /// };
    ///
    /// let command = a_customer("acme").command(IdSequence::start(a_time(), [0; 10]), a_time());
    /// let created = command.decide(&a_scope(), &CustomerFacts::default()).unwrap().event;
    /// assert_eq!(RowOutcome::of_change(&created, a_time()), RowOutcome::Created);
    /// ```
    #[must_use]
    pub fn of_change(latest: &CustomerEvent, at: Timestamp) -> Self {
        match latest.kind {
            CustomerEventKind::Created { .. } => Self::Created,
            _ if latest.state.customer.audit.updated_at < at => Self::Unchanged,
            _ => Self::Updated,
        }
    }
}

/// The numbers of rows by outcome.
///
/// ```
/// use patron_domain::import::{ImportCounts, RowOutcome};
///
/// let mut counts = ImportCounts::default();
/// counts.add(RowOutcome::Created);
/// assert_eq!(counts.created, 1);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImportCounts {
    /// Created customers.
    pub created: u64,
    /// Changed customers.
    pub updated: u64,
    /// Rows that change nothing.
    pub unchanged: u64,
    /// Rows that failed.
    pub failed: u64,
}

impl ImportCounts {
    /// Counts a row.
    pub fn add(&mut self, outcome: RowOutcome) {
        let count = match outcome {
            RowOutcome::Valid => return,
            RowOutcome::Created => &mut self.created,
            RowOutcome::Updated => &mut self.updated,
            RowOutcome::Unchanged => &mut self.unchanged,
            RowOutcome::Failed => &mut self.failed,
        };
        *count = count.saturating_add(1);
    }
}

/// What a row would change.
///
/// ```
/// use patron_domain::import::{ImportDiff, RowOutcome};
///
/// let diff = ImportDiff { row: 1, external_id: "acme".to_owned(), outcome: RowOutcome::Created, changed: Vec::new() };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportDiff {
    /// The number of the row, from 1.
    pub row: u64,
    /// Its external id.
    pub external_id: String,
    /// What it would do.
    pub outcome: RowOutcome,
    /// The fields that it would change.
    pub changed: Vec<String>,
}

/// The result of a row.
///
/// ```
/// use patron_domain::import::{RowOutcome, RowResult};
///
/// let result = RowResult { outcome: RowOutcome::Created, diff: None };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowResult {
    /// What happened.
    pub outcome: RowOutcome,
    /// What it would change, if it was only checked.
    pub diff: Option<ImportDiff>,
}
