//! Migration of the tables while other instances may be starting too.

use diesel::{
    Connection,
    connection::SimpleConnection,
    dsl::sql,
    pg::Pg,
    sql_query,
    sql_types::{BigInt, Bool, Text},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl, async_connection_wrapper::AsyncConnectionWrapper};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};

use super::{connect, problem::Problem, session::Session, settings::Settings};
use crate::persistence::{migrate, open::OpenError};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// The advisory lock of migrations: "patron" in ASCII, and a number.
const LOCK: i64 = 0x7061_7472_6F6E_0001;
/// Waits for other instances, and lets a migration take long. Both settings end with the transaction.
const WAIT: &str = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '60s'";

/// Runs pending migrations on a connection of their own. If none is pending, it writes nothing and takes no lock.
pub(super) async fn run(settings: &Settings) -> Result<(), OpenError> {
    let failed = |reason: String| OpenError::Connect { url: settings.place.clone(), reason };
    let session = connect::once(settings).await.map_err(|error| failed(error.reason))?;
    let broken = |problem: Problem| OpenError::Store(problem.error);
    let applied = applied(&session).await.map_err(broken)?;
    if migrate::pending::<Pg>(&applied, &MIGRATIONS)? == 0 {
        return Ok(());
    }
    let (connection, driver) = session.into_parts();
    // Diesel's migrations block, so they run on a blocking thread.
    let migrated = tokio::task::spawn_blocking(move || {
        let _driver = driver;
        migrate_under_lock(AsyncConnectionWrapper::from(connection))
    });
    match migrated.await {
        Ok(Ok(0)) => Ok(()),
        Ok(Ok(count)) => {
            tracing::info!(count, "migrated the database");
            Ok(())
        }
        Ok(Err(error)) => Err(error),
        Err(_) => Err(OpenError::Migrate { reason: "it was interrupted".to_owned() }),
    }
}

/// The versions of the applied migrations.
async fn applied(session: &Session) -> Result<Vec<String>, Problem> {
    let mut pg = session.pg();
    let exists = sql::<Bool>("SELECT to_regclass('__diesel_schema_migrations') IS NOT NULL");
    if !session.answer(exists.get_result::<bool>(&mut pg)).await? {
        return Ok(Vec::new());
    }
    let versions = sql::<Text>("SELECT version FROM __diesel_schema_migrations");
    session.answer(versions.load::<String>(&mut pg)).await
}

/// Runs the migrations that are still pending once it has the lock. The lock ends with the transaction, so it cannot
/// stay on a connection of a pooler.
fn migrate_under_lock(mut connection: AsyncConnectionWrapper<AsyncPgConnection>) -> Result<usize, OpenError> {
    connection
        .transaction(|connection| {
            connection.batch_execute(WAIT).map_err(Interrupted::Database)?;
            let lock = sql_query("SELECT pg_advisory_xact_lock($1)").bind::<BigInt, _>(LOCK);
            diesel::RunQueryDsl::execute(lock, connection).map_err(|_| Interrupted::Open(busy()))?;
            migrate::run(connection, MIGRATIONS).map_err(Interrupted::Open)
        })
        .map_err(|error| match error {
            Interrupted::Open(error) => error,
            Interrupted::Database(error) => OpenError::Store(crate::persistence::error::store_error(&error)),
        })
}

/// Why the transaction ended.
enum Interrupted {
    Open(OpenError),
    Database(diesel::result::Error),
}

impl From<diesel::result::Error> for Interrupted {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error)
    }
}

fn busy() -> OpenError {
    let reason =
        "another instance has been migrating it for a minute; wait until it has finished, or stop it".to_owned();
    OpenError::Migrate { reason }
}
