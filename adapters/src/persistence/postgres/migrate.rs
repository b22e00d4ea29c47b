//! Migration of the tables while other instances may be starting too.

use std::time::Duration;

use diesel::sql_types::{BigInt, Bool, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl, async_connection_wrapper::AsyncConnectionWrapper};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};

use super::{problem::Problem, session::Session, settings::Settings};
use crate::persistence::{migrate, open::OpenError};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// The advisory lock of migrations: "patron" in ASCII, and a number.
const LOCK: i64 = 0x7061_7472_6F6E_0001;
const TRY_AGAIN: Duration = Duration::from_millis(100);
/// The most tries to take the lock: one minute.
const TRIES: u32 = 600;

/// Runs pending migrations on a connection of their own, under a lock that other instances wait for.
pub(super) async fn run(settings: &Settings) -> Result<(), OpenError> {
    let failed = |reason: String| OpenError::Connect { url: settings.place.clone(), reason };
    let session = Session::connect(settings).await.map_err(failed)?;
    let broken = |problem: Problem| OpenError::Store(problem.error);

    let encoding = diesel::dsl::sql::<Text>(
        "SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database()",
    );
    let encoding: String = session.answer(encoding.get_result(&mut session.pg())).await.map_err(broken)?;
    // SQL_ASCII stores bytes unchanged. Other encodings cannot store most of the world's names.
    if encoding != "UTF8" && encoding != "SQL_ASCII" {
        return Err(failed(format!("its encoding is {encoding}; create the database with ENCODING 'UTF8'")));
    }
    // A migration may take long.
    session.batch("SET statement_timeout = 0").await.map_err(broken)?;
    lock(&session).await?;

    let (connection, driver) = session.into_parts();
    // Diesel's migrations block, so they run on a blocking thread. The lock ends with the connection.
    let migrated = tokio::task::spawn_blocking(move || {
        let _driver = driver;
        migrate::run(&mut AsyncConnectionWrapper::<AsyncPgConnection>::from(connection), MIGRATIONS)
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

async fn lock(session: &Session) -> Result<(), OpenError> {
    for _ in 0..TRIES {
        let taken = diesel::dsl::sql::<Bool>("SELECT pg_try_advisory_lock(").bind::<BigInt, _>(LOCK).sql(")");
        let taken = session.answer(taken.get_result::<bool>(&mut session.pg())).await;
        if taken.map_err(|problem| OpenError::Store(problem.error))? {
            return Ok(());
        }
        tokio::time::sleep(TRY_AGAIN).await;
    }
    let reason =
        "another instance has been migrating it for a minute; wait until it has finished, or stop it".to_owned();
    Err(OpenError::Migrate { reason })
}
