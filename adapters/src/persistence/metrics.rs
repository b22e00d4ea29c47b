//! The metrics of a database: one function each. Names, labels and units are in `crate::metrics`.
//!
//! Every function is cheap enough for the path of a write. Without the feature `metrics`, and where no recorder is
//! installed, they do nothing. The label `database` is `sqlite` or `postgres`.

#![cfg_attr(not(feature = "metrics"), allow(unused_variables))]

use std::time::Duration;

use patron_domain::import::{ImportCounts, ImportJob};

/// Records a transaction that several writes shared: their number, and the time from its begin to its commit.
pub(crate) fn batch(database: &'static str, size: usize, commit: Duration) {
    #[cfg(feature = "metrics")]
    {
        metrics::histogram!(names::BATCH_WRITES, "database" => database).record(as_number(size));
        metrics::histogram!(names::COMMIT_SECONDS, "database" => database).record(commit.as_secs_f64());
    }
}

/// Sets the number of writes that wait for their commit.
pub(crate) fn queue_depth(database: &'static str, waiting: usize) {
    #[cfg(feature = "metrics")]
    metrics::gauge!(names::QUEUED_WRITES, "database" => database).set(as_number(waiting));
}

/// Counts a call that was rejected because a queue was full. `reason` is one of a few constants.
pub(crate) fn refused(database: &'static str, reason: &'static str) {
    #[cfg(feature = "metrics")]
    metrics::counter!(names::REFUSED, "database" => database, "reason" => reason).increment(1);
}

/// Counts a connection that became unusable. `reason` is one of a few constant words.
#[cfg(feature = "postgres")]
pub(crate) fn lost(database: &'static str, reason: &'static str) {
    #[cfg(feature = "metrics")]
    metrics::counter!(names::LOST, "database" => database, "reason" => reason).increment(1);
}

/// Counts a reader whose place in the log is behind events that the log no longer holds. `reader` is `api` or
/// `endpoint`.
pub(crate) fn log_taken_back(reader: &'static str) {
    #[cfg(feature = "metrics")]
    metrics::counter!(names::LOG_TAKEN_BACK, "reader" => reader).increment(1);
}

/// Sets the size of a pool, and the number of its connections in use.
pub(crate) fn pool(database: &'static str, most: usize, used: usize) {
    #[cfg(feature = "metrics")]
    {
        metrics::gauge!(names::CONNECTIONS_MAX, "database" => database).set(as_number(most));
        metrics::gauge!(names::CONNECTIONS_USED, "database" => database).set(as_number(used));
    }
}

/// Counts the rows that a chunk of an import has written, by outcome.
pub(crate) fn import_rows(counts: ImportCounts) {
    #[cfg(feature = "metrics")]
    {
        let ImportCounts { created, updated, unchanged, failed } = counts;
        let all = [("created", created), ("updated", updated), ("unchanged", unchanged), ("failed", failed)];
        for (outcome, rows) in all.into_iter().filter(|(_, rows)| *rows > 0) {
            metrics::counter!(names::IMPORT_ROWS, "outcome" => outcome).increment(rows);
        }
    }
}

/// Counts an import, if it has ended.
pub(crate) fn import_ended(import: &ImportJob) {
    #[cfg(feature = "metrics")]
    if import.state.is_final() {
        metrics::counter!(names::IMPORTS, "state" => import.state.as_str()).increment(1);
    }
}

#[cfg(feature = "metrics")]
use crate::metrics::names;

/// A count as the value of a metric. No count here comes near 2^52, up to which this is exact.
#[cfg(feature = "metrics")]
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn as_number(count: usize) -> f64 {
    count as f64
}
