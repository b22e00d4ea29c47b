//! Checks the schemas of both databases: every key of an environment's data begins with the environment, so that tables
//! can be distributed by it.

use std::collections::BTreeSet;

use patron_adapters::persistence::{Database, DatabaseUrl, OpenOptions};
use patron_tests::{
    patron::{Backend, Place},
    rows::text,
    wait::TIMEOUT,
};
use rstest::rstest;

/// Tables that belong to no environment: owners, tenants with their environments, keys that are looked up before the
/// environment is known, keys of the installation, and the migrations.
const OF_ALL: [&str; 6] =
    ["__diesel_schema_migrations", "api_keys", "environments", "installation_keys", "owners", "tenants"];

/// Every table, with whether it has a column `environment` that is never null. SQLite's index for finding customers consists of
/// tables of its own, in which each word begins with the environment.
const TABLES: [&str; 2] = [
    "SELECT t.name, max(c.name = 'environment' AND c.\"notnull\" = 1) FROM sqlite_schema t, pragma_table_info(t.name) c \
     WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name NOT LIKE 'customer_tokens%' GROUP BY t.name \
     ORDER BY t.name",
    "SELECT c.relname, max((a.attname = 'environment' AND a.attnotnull)::int) FROM pg_class c JOIN pg_attribute a ON \
     a.attrelid = c.oid AND a.attnum > 0 WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace \
     GROUP BY c.relname ORDER BY c.relname",
];

/// The table and the first column of every primary key and unique index. SQLite numbers the customers, for that index.
const UNIQUE: [&str; 2] = [
    "SELECT t.name, i.name FROM sqlite_schema t, pragma_index_list(t.name) l, pragma_index_info(l.name) i \
     WHERE t.type = 'table' AND l.\"unique\" = 1 AND i.seqno = 0 UNION ALL SELECT t.name, c.name FROM sqlite_schema t, \
     pragma_table_info(t.name) c WHERE t.type = 'table' AND c.pk = 1 AND NOT (t.name = 'customers' AND c.name = 'number')",
    "SELECT c.relname, a.attname FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_attribute a ON \
     a.attrelid = c.oid AND a.attnum = x.indkey[0] WHERE x.indisunique AND c.relnamespace = 'public'::regnamespace",
];

/// The table of every foreign key, and the first pair of columns that it compares.
const FOREIGN: [&str; 2] = [
    "SELECT t.name, f.\"from\", f.\"to\" FROM sqlite_schema t, pragma_foreign_key_list(t.name) f \
     WHERE t.type = 'table' AND f.seq = 0",
    "SELECT c.relname, a.attname, b.attname FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid JOIN pg_attribute a \
     ON a.attrelid = f.conrelid AND a.attnum = f.conkey[1] JOIN pg_attribute b ON b.attrelid = f.confrelid AND \
     b.attnum = f.confkey[1] WHERE f.contype = 'f' AND c.relnamespace = 'public'::regnamespace",
];

/// An empty database with the tables.
async fn migrated(backend: Backend) -> Place {
    let place = Place::fresh(backend).await;
    let url = DatabaseUrl::parse(place.database_url()).unwrap();
    Database::open(&url, OpenOptions { timeout: TIMEOUT, ..OpenOptions::default() }).await.unwrap().close().await;
    place
}

/// The rows of a query, as texts.
async fn found(place: &Place, backend: Backend, queries: [&str; 2]) -> Vec<Vec<String>> {
    let query = queries[usize::from(backend == Backend::Postgres)];
    let all = format!("SELECT * FROM ({query}) AS found");
    let rows = place.rows(&all).await;
    let cell = |value| match value {
        rusqlite::types::Value::Integer(number) => number.to_string(),
        other => text(&other).to_owned(),
    };
    rows.into_iter().map(|row| row.into_iter().map(cell).collect()).collect()
}

#[rstest]
#[tokio::test]
async fn every_key_of_an_environments_data_begins_with_the_environment(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = migrated(backend).await;
    let tables = found(&place, backend, TABLES).await;
    let of_all: BTreeSet<_> = tables.iter().map(|row| row[0].as_str()).filter(|name| OF_ALL.contains(name)).collect();
    assert_eq!(of_all, OF_ALL.into(), "every exception must exist");
    let (mut keys, mut of_environments) = (0, BTreeSet::new());
    for row in tables.iter().filter(|row| !OF_ALL.contains(&row[0].as_str())) {
        assert_eq!(row[1], "1", "{} has no environment", row[0]);
        of_environments.insert(row[0].as_str());
    }
    let mut with_key = BTreeSet::new();
    for row in &found(&place, backend, UNIQUE).await {
        if of_environments.contains(row[0].as_str()) {
            assert_eq!(row[1], "environment", "a key of {} must begin with the environment", row[0]);
            with_key.insert(row[0].clone());
            keys += 1;
        }
    }
    assert_eq!(with_key.len(), of_environments.len(), "some tables have no key");
    assert!(keys > of_environments.len(), "only {keys} keys: the unique indexes are missing");
    let foreign = found(&place, backend, FOREIGN).await;
    assert!(!foreign.is_empty(), "no foreign keys were found");
    for row in foreign.iter().filter(|row| of_environments.contains(row[0].as_str())) {
        assert_eq!(
            [&row[1], &row[2]],
            ["environment"; 2],
            "a foreign key of {} must begin with the environment",
            row[0]
        );
    }
}

/// Both databases have the same tables with the same columns in the same order, but for the index by which customers are found.
#[tokio::test]
async fn both_databases_have_the_same_tables() {
    let columns = [
        "SELECT t.name, c.name, c.\"notnull\" FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table' \
         AND t.name NOT LIKE 'sqlite_%' AND t.name NOT LIKE '\\_\\_%' ESCAPE '\\' \
         AND t.name NOT LIKE 'customer_tokens%' AND NOT (t.name = 'customers' AND c.name = 'number') ORDER BY t.name, c.cid",
        "SELECT c.relname, a.attname, a.attnotnull::int FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 \
         WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND NOT starts_with(c.relname, '__') \
         AND c.relname <> 'customer_tokens' \
         ORDER BY c.relname COLLATE \"C\", a.attnum",
    ];
    let mut both = Vec::new();
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let place = migrated(backend).await;
        both.push(found(&place, backend, columns).await);
    }
    assert!(both[0].len() > 100, "{} columns", both[0].len());
    assert_eq!(both[0], both[1]);
}
