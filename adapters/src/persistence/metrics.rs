//! What a database tells of itself to `/metrics`: one function for each thing worth knowing.
//!
//! Names, labels and units are in [`crate::metrics`]. Every function is cheap enough for the path of a write; where no
//! recorder is installed they do nothing. The label `database` is `sqlite` or `postgres`.

use std::time::Duration;

use metrics::{counter, gauge, histogram};

use crate::metrics::names;

/// A transaction that several writes shared: how many, and how long it took from its begin to its commit.
pub(crate) fn batch(database: &'static str, size: usize, commit: Duration) {
    histogram!(names::BATCH_WRITES, "database" => database).record(as_number(size));
    histogram!(names::COMMIT_SECONDS, "database" => database).record(commit.as_secs_f64());
}

/// How many writes wait for their commit now.
pub(crate) fn queue_depth(database: &'static str, waiting: usize) {
    gauge!(names::QUEUED_WRITES, "database" => database).set(as_number(waiting));
}

/// A call that was refused because there was no room for it. `reason` is one of a few constant words.
pub(crate) fn refused(database: &'static str, reason: &'static str) {
    counter!(names::REFUSED, "database" => database, "reason" => reason).increment(1);
}

/// How many connections a pool may have, and how many of them are in use now.
pub(crate) fn pool(database: &'static str, most: usize, used: usize) {
    gauge!(names::CONNECTIONS_MAX, "database" => database).set(as_number(most));
    gauge!(names::CONNECTIONS_USED, "database" => database).set(as_number(used));
}

/// A count as a metric holds it. No count here comes near 2^52, up to which this is exact.
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn as_number(count: usize) -> f64 {
    count as f64
}
