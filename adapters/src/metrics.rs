//! Metrics for Prometheus, and their recorder.
//!
//! | name | kind | labels | meaning |
//! | --- | --- | --- | --- |
//! | `patron_http_requests_total` | counter | `method`, `route`, `status` | responses |
//! | `patron_http_request_duration_seconds` | histogram | `method`, `route` | from the head of a request to its response |
//! | `patron_dry_runs_total` | counter | `outcome`: `done`, `refused` | dry runs, by the outcome that the write would have |
//! | `patron_key_cache_lookups_total` | counter | `outcome`: `hit`, `miss`, `unknown` | look-ups of API keys: cached, found in the database, unknown |
//! | `patron_database_queued_writes` | gauge | `database` | writes that wait for their commit |
//! | `patron_database_batch_writes` | histogram | `database` | writes that shared one commit |
//! | `patron_database_commit_duration_seconds` | histogram | `database` | from a transaction's begin to its commit |
//! | `patron_database_refusals_total` | counter | `database`, `reason` | calls rejected because a limit was reached: `write_queue_full`, `no_free_connection`, `no_answer_in_time` |
//! | `patron_database_connections_lost_total` | counter | `database`, `reason`: `closed`, `no_answer`, `standby` | connections that became unusable |
//! | `patron_database_connections_max` | gauge | `database` | the most connections for lists, searches and other reads that take turns |
//! | `patron_database_connections_used` | gauge | `database` | connections in use |
//! | `patron_log_taken_back_total` | counter | `reader`: `api`, `endpoint` | readers whose place in the log of events was lost by a restore or a fail-over |
//! | `patron_webhook_attempts_total` | counter | `outcome`: `2xx`, `3xx`, `4xx`, `5xx`, or the reason why there was no response | attempts to deliver a webhook |
//! | `patron_webhook_attempt_duration_seconds` | histogram | `outcome` | from connecting to the end of the response |
//! | `patron_erasures_total` | counter | `outcome`: `completed`, `failed` | customers that were erased, and erasures after which data was left |
//! | `patron_imports_total` | counter | `state`: `completed`, `completed_with_errors`, `failed`, `cancelled` | imports that ended, by their last state |
//! | `patron_import_rows_total` | counter | `outcome`: `created`, `updated`, `unchanged`, `failed` | rows that imports have written |
//! | `patron_import_rows_left` | gauge | `phase`: `check`, `write` | rows that all imports of the database still have to check or to write |
//! | `patron_import_file_bytes` | gauge | | bytes in the files of all imports of the database, each piece as 1 MiB |
//!
//! Labels come from fixed sets: `route` is a route's template (`/v1/customers/<id>`), or `unknown` without a
//! route; `method` is a standard method of HTTP; `database` is `sqlite` or `postgres`. No label and no name contains
//! anything that a client sent. Buckets: [`SECONDS`] and [`BATCHES`].

use std::time::Duration;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

/// The names of all metrics.
pub(crate) mod names {
    #![cfg_attr(
        not(all(feature = "http", feature = "key-cache", feature = "persistence", feature = "webhooks")),
        allow(dead_code)
    )]

    pub(crate) const REQUESTS: &str = "patron_http_requests_total";
    pub(crate) const REQUEST_SECONDS: &str = "patron_http_request_duration_seconds";
    pub(crate) const DRY_RUNS: &str = "patron_dry_runs_total";
    pub(crate) const KEY_LOOKUPS: &str = "patron_key_cache_lookups_total";
    pub(crate) const QUEUED_WRITES: &str = "patron_database_queued_writes";
    pub(crate) const BATCH_WRITES: &str = "patron_database_batch_writes";
    pub(crate) const COMMIT_SECONDS: &str = "patron_database_commit_duration_seconds";
    pub(crate) const REFUSED: &str = "patron_database_refusals_total";
    pub(crate) const LOST: &str = "patron_database_connections_lost_total";
    pub(crate) const CONNECTIONS_MAX: &str = "patron_database_connections_max";
    pub(crate) const CONNECTIONS_USED: &str = "patron_database_connections_used";
    pub(crate) const LOG_TAKEN_BACK: &str = "patron_log_taken_back_total";
    pub(crate) const WEBHOOK_ATTEMPTS: &str = "patron_webhook_attempts_total";
    pub(crate) const WEBHOOK_SECONDS: &str = "patron_webhook_attempt_duration_seconds";
    pub(crate) const ERASURES: &str = "patron_erasures_total";
    pub(crate) const IMPORTS: &str = "patron_imports_total";
    pub(crate) const IMPORT_ROWS: &str = "patron_import_rows_total";
    pub(crate) const IMPORT_ROWS_LEFT: &str = "patron_import_rows_left";
    pub(crate) const IMPORT_FILE_BYTES: &str = "patron_import_file_bytes";
}

/// The upper bounds of the buckets for durations, in seconds.
pub const SECONDS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The upper bounds of the buckets for the writes of a commit.
pub const BATCHES: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// The interval of the recorder's upkeep.
const UPKEEP: Duration = Duration::from_secs(5);

/// The metrics of this process.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// Installs the recorder of this process. Handles created before have no effect, so call this first.
    ///
    /// # Errors
    /// If a recorder is installed already.
    pub fn install() -> Result<Self, BuildError> {
        let builder = PrometheusBuilder::new();
        let builder = builder.set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?;
        let builder = builder.set_buckets_for_metric(Matcher::Full(names::BATCH_WRITES.to_owned()), &BATCHES)?;
        let metrics = Self(builder.install_recorder()?);
        describe();
        Ok(metrics)
    }

    /// All metrics in Prometheus's text format.
    #[must_use]
    pub fn render(&self) -> String {
        self.0.render()
    }

    /// Keeps the recorder's memory small between scrapes while the process runs. Run it in its own task.
    pub async fn keep_up(self) {
        loop {
            tokio::time::sleep(UPKEEP).await;
            self.0.run_upkeep();
        }
    }
}

fn describe() {
    use metrics::{
        Unit::{Bytes, Seconds},
        describe_counter, describe_gauge, describe_histogram,
    };
    describe_counter!(names::REQUESTS, "Responses.");
    describe_histogram!(names::REQUEST_SECONDS, Seconds, "From the head of a request to its response.");
    describe_counter!(names::DRY_RUNS, "Dry runs.");
    describe_counter!(names::KEY_LOOKUPS, "Look-ups of API keys: cached, found in the database, unknown.");
    describe_gauge!(names::QUEUED_WRITES, "Writes that wait for their commit.");
    describe_histogram!(names::BATCH_WRITES, "Writes that shared one commit.");
    describe_histogram!(names::COMMIT_SECONDS, Seconds, "From a transaction's begin to its commit.");
    describe_counter!(names::REFUSED, "Calls rejected because a limit was reached.");
    describe_counter!(names::LOST, "Connections that became unusable.");
    describe_gauge!(names::CONNECTIONS_MAX, "The most connections.");
    describe_gauge!(names::CONNECTIONS_USED, "Connections in use.");
    describe_counter!(names::LOG_TAKEN_BACK, "Readers whose place in the log of events was lost.");
    describe_counter!(names::WEBHOOK_ATTEMPTS, "Attempts to deliver a webhook.");
    describe_counter!(names::ERASURES, "Customers that were erased, and erasures after which data was left.");
    describe_counter!(names::IMPORTS, "Imports that ended, by their last state.");
    describe_counter!(names::IMPORT_ROWS, "Rows that imports have written.");
    describe_gauge!(names::IMPORT_ROWS_LEFT, "Rows that all imports of the database still have to check or to write.");
    describe_gauge!(names::IMPORT_FILE_BYTES, Bytes, "Bytes in the files of all imports of the database.");
    describe_histogram!(
        names::WEBHOOK_SECONDS,
        Seconds,
        "From resolving an endpoint's host to the end of the response."
    );
}

/// Counts an attempt to deliver a webhook.
#[cfg(feature = "webhooks")]
pub(crate) fn webhook_attempt(attempt: &patron_domain::webhook::Attempt) {
    let outcome = match attempt.outcome {
        Ok(200..=299) => "2xx",
        Ok(300..=399) => "3xx",
        Ok(400..=499) => "4xx",
        Ok(_) => "5xx",
        Err(failure) => failure.as_str(),
    };
    metrics::counter!(names::WEBHOOK_ATTEMPTS, "outcome" => outcome).increment(1);
    metrics::histogram!(names::WEBHOOK_SECONDS, "outcome" => outcome).record(attempt.took.as_secs_f64());
}

/// Counts the end of an erasure.
#[cfg(all(feature = "persistence", feature = "webhooks"))]
pub(crate) fn erasure(outcome: &'static str) {
    metrics::counter!(names::ERASURES, "outcome" => outcome).increment(1);
}

/// Sets the load of imports.
#[cfg(feature = "http")]
pub(crate) fn import_load(load: &patron_domain::import::ImportLoad) {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let number = |count: u64| count as f64;
    metrics::gauge!(names::IMPORT_ROWS_LEFT, "phase" => "check").set(number(load.rows_to_check));
    metrics::gauge!(names::IMPORT_ROWS_LEFT, "phase" => "write").set(number(load.rows_to_write));
    metrics::gauge!(names::IMPORT_FILE_BYTES).set(number(load.file_bytes));
}
