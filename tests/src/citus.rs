//! Databases on an existing Citus cluster: `PATRON_TEST_CITUS_URL` is a superuser's URL of a coordinator database in which
//! the workers are registered. Every test that needs a PostgreSQL database then gets one distributed over these workers.

use std::{
    env,
    sync::atomic::{AtomicU32, Ordering},
};

use patron_adapters::persistence::{Database, DatabaseUrl};
use tokio_postgres::{Client, Config, NoTls};

/// The coordinator's URL, if set.
#[must_use]
pub fn url() -> Option<String> {
    env::var("PATRON_TEST_CITUS_URL").ok().filter(|url| !url.is_empty())
}

/// Creates a database on the coordinator and all workers, with distributed tables. It is not removed.
///
/// # Panics
/// When a statement fails.
pub async fn fresh_database(url: &str) -> String {
    let (url, _) = empty_database(url).await;
    Database::distribute(&DatabaseUrl::parse(&url).expect("a URL")).await.expect("distributed tables");
    url
}

/// Creates a database on the coordinator and all workers, without tables. Returns its URLs on the coordinator and on a
/// worker.
///
/// # Panics
/// When a statement fails, or there is no worker.
pub async fn empty_database(url: &str) -> (String, String) {
    static DATABASES: AtomicU32 = AtomicU32::new(0);
    // Adding nodes in two databases at once fails, because it changes roles, which all databases share.
    static ONE_AT_A_TIME: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let _turn = ONE_AT_A_TIME.lock().await;
    let name = format!("patron_test_{}_{}", std::process::id(), DATABASES.fetch_add(1, Ordering::Relaxed));
    let config: Config = url.parse().expect("PATRON_TEST_CITUS_URL is a URL of PostgreSQL");
    let coordinator = connect(&config).await;
    let nodes = "SELECT nodename, nodeport, groupid FROM pg_dist_node WHERE isactive ORDER BY groupid";
    let nodes = coordinator.query(nodes, &[]).await.expect("a Citus coordinator");
    let nodes: Vec<(String, u16, i32)> = nodes
        .iter()
        .map(|row| (row.get(0), u16::try_from(row.get::<_, i32>(1)).expect("a port"), row.get(2)))
        .collect();
    let mut of_database = Vec::new();
    for (host, port, group) in &nodes {
        let on = |database: &str| {
            let mut node = Config::new();
            node.host(host).port(*port).dbname(database);
            node.user(config.get_user().unwrap_or("postgres"));
            if let Some(password) = config.get_password() {
                node.password(password);
            }
            node
        };
        connect(&on("postgres")).await.batch_execute(&format!("CREATE DATABASE {name}")).await.expect("a database");
        let client = connect(&on(&name)).await;
        client.batch_execute("CREATE EXTENSION citus").await.expect("the extension");
        of_database.push((client, host, port, group));
    }
    // The default of 32 pieces makes each new database slow.
    let pieces = format!("ALTER DATABASE {name} SET citus.shard_count = 4");
    coordinator.batch_execute(&pieces).await.expect("a setting");
    for (client, host, port, _) in of_database.iter().filter(|(.., group)| **group == 0) {
        let workers = nodes.iter().filter(|(.., group)| *group != 0);
        let add = workers.map(|(host, port, _)| format!("SELECT citus_add_node('{host}', {port})"));
        let all: Vec<_> =
            [format!("SELECT citus_set_coordinator_host('{host}', {port})")].into_iter().chain(add).collect();
        client.batch_execute(&all.join(";")).await.expect("the workers");
    }
    let (front, options) = url.split_once('?').unwrap_or((url, ""));
    let (front, _) = front.rsplit_once('/').expect("a URL with a database");
    let behind = format!("/{name}{}{options}", if options.is_empty() { "" } else { "?" });
    let (before, _) = front.rsplit_once('@').expect("a URL with a user");
    let (host, port, _) = nodes.iter().find(|(.., group)| *group != 0).expect("a worker");
    (format!("{front}{behind}"), format!("{before}@{host}:{port}{behind}"))
}

async fn connect(config: &Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}
