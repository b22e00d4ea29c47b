//! Tables distributed over several servers by environment, as with Citus.

use patron_adapters::persistence::{Database, DatabaseUrl, OpenOptions};
use patron_domain::{privacy::SubjectKey, testkit::contract};
use patron_tests::{
    postgres::{Cluster, Options},
    rows::{rows, text},
    wait::TIMEOUT,
};

/// The tables with rows of environments. `owners`, `environments` and `api_keys` are small, and copied to every server.
const DISTRIBUTED: &str = "SELECT c.table_name::text FROM information_schema.columns c JOIN information_schema.tables t \
                           USING (table_schema, table_name) WHERE c.column_name = 'environment' AND table_type = 'BASE TABLE' \
                           AND table_schema = 'public' AND table_name NOT IN ('owners', 'environments', 'api_keys')";

/// Statements that lock or change an environment's rows must name the environment, so that Citus runs them on one server.
/// Citus refuses locks on several servers, and changes on several servers need two-phase commits.
#[tokio::test(flavor = "multi_thread")]
async fn statements_that_lock_or_change_rows_name_the_environment() {
    let configuration = vec!["log_statement = all".to_owned()];
    let cluster = Cluster::start(&Options { configuration, ..Options::default() }).unwrap();
    let url = cluster.fresh_database().await;
    let database =
        Database::open(&DatabaseUrl::parse(&url).unwrap(), OpenOptions { timeout: TIMEOUT, ..OpenOptions::default() })
            .await
            .unwrap();
    database.recognise_erased(SubjectKey::from_bytes([7; 32]));
    contract::check(&super::contract::ports(&database)).await.assert_clean();
    database.close().await;
    let tables: Vec<_> = rows(&url, DISTRIBUTED).await.iter().map(|row| text(&row[0]).to_owned()).collect();
    assert!(tables.len() > 10, "{tables:?}");

    let log = cluster.log();
    let statements = log.lines().filter_map(|line| line.split_once("execute ")?.1.split_once(": ").map(|(_, sql)| sql));
    let mut seen = 0;
    for sql in statements {
        let locks = sql.contains("FOR UPDATE") || sql.contains("FOR SHARE");
        // Bulk writes over lists of rows use other statements on distributed tables.
        let changes = (sql.starts_with("UPDATE") || sql.starts_with("DELETE")) && !sql.contains("unnest(");
        let quoted = |table: &String| sql.contains(&format!("\"{table}\"")) || sql.contains(&format!(" {table} "));
        if (locks || changes) && tables.iter().any(quoted) {
            seen += 1;
            assert!(sql.contains("\"environment\" = $") || sql.contains("environment = $"), "{sql}");
        }
    }
    assert!(seen > 100, "only {seen} statements were seen");
}
