//! What tests of SQLite have in common.

use std::path::Path;

use diesel::{QueryableByName, RunQueryDsl, SqliteConnection, sql_query, sql_types::Text};

use super::connection::{Role, migrate, open, prepare_path};

/// The writer's connection to a new database in this folder.
pub(crate) fn migrated(folder: &Path) -> SqliteConnection {
    let mut connection = open(&prepare_path(&folder.join("t.db")).unwrap(), Role::Writer).unwrap();
    migrate(&mut connection).unwrap();
    connection
}

/// Another connection to it.
pub(crate) fn another(folder: &Path, role: Role) -> SqliteConnection {
    open(&folder.join("t.db"), role).unwrap()
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// The plan of a statement.
pub(crate) fn plan(connection: &mut SqliteConnection, statement: &str) -> String {
    let steps = sql_query(format!("EXPLAIN QUERY PLAN {statement}")).load::<Step>(connection).unwrap();
    steps.into_iter().map(|step| step.detail).collect::<Vec<_>>().join("; ")
}
