//! Tables distributed over several servers by environment, as with Citus.

use patron_adapters::persistence::{Database, DatabaseUrl, OpenOptions};
use patron_domain::testkit::contract;
use patron_tests::{
    postgres::{Cluster, Options},
    wait::TIMEOUT,
};

/// Tables whose rows are distributed by environment.
const SPREAD: [&str; 12] = [
    "logs",
    "audit",
    "tax_rates",
    "tax_defaults",
    "customers",
    "customer_index",
    "events",
    "kept_answers",
    "webhook_endpoints",
    "webhook_deliveries",
    "onboarding_workflows",
    "onboarding_runs",
];

/// Statements that lock or change an environment's rows must name the environment, so that Citus runs them on one server.
/// Citus refuses locks on several servers, and changes on several servers need two-phase commits.
#[tokio::test(flavor = "multi_thread")]
async fn statements_that_lock_or_change_rows_name_the_environment() {
    let configuration = vec!["log_statement = all".to_owned()];
    let cluster = Cluster::start(&Options { configuration, ..Options::default() }).unwrap();
    let url = DatabaseUrl::parse(&cluster.fresh_database().await).unwrap();
    let database = Database::open(&url, OpenOptions { timeout: TIMEOUT, ..OpenOptions::default() }).await.unwrap();
    contract::check(&super::contract::ports(&database)).await.assert_clean();
    database.close().await;

    let log = cluster.log();
    let statements = log.lines().filter_map(|line| line.split_once("execute ")?.1.split_once(": ").map(|(_, sql)| sql));
    let mut seen = 0;
    for sql in statements {
        let locks = sql.contains("FOR UPDATE") || sql.contains("FOR SHARE");
        // Bulk writes over lists of rows use other statements on distributed tables.
        let changes = (sql.starts_with("UPDATE") || sql.starts_with("DELETE")) && !sql.contains("unnest(");
        let quoted = |table: &&str| sql.contains(&format!("\"{table}\"")) || sql.contains(&format!(" {table} "));
        if (locks || changes) && SPREAD.iter().any(quoted) {
            seen += 1;
            assert!(sql.contains("\"environment\" = $") || sql.contains("environment = $"), "{sql}");
        }
    }
    assert!(seen > 100, "only {seen} statements were seen");
}
