//! A connection with one long transaction.

use std::time::Duration;

use diesel::QueryResult;

use super::{
    connect, distribute, migrate, pooler,
    problem::Problem,
    session::{ONE_SHARD_AT_A_TIME, Session},
    settings::Settings,
    unit::PostgresUnit,
};
use crate::persistence::{open::OpenError, url::PostgresUrl};

/// A transaction that stays open until it is committed or dropped.
pub(crate) struct Held(Session);

/// Makes the numbers of new environments continue after the existing ones.
const NUMBERS: &str = "SELECT setval(pg_get_serial_sequence('owners', 'environment'), max(environment)) FROM owners HAVING \
                       max(environment) IS NOT NULL";

/// Begins a transaction with a time limit for each step, for writing or for reading one state of the database.
pub(crate) async fn hold(url: &PostgresUrl, long: Duration, writes: bool) -> Result<Held, OpenError> {
    let mut settings = Settings::read(url, long)?;
    pooler::check(&settings).await?;
    settings.distributed = distribute::is_distributed(&settings).await?;
    migrate::run(&settings).await?;
    let failed = |reason: String| OpenError::Connect { url: settings.place.clone(), reason };
    let session = connect::once(&settings).await.map_err(|error| failed(error.reason))?;
    let kind = if writes { "READ WRITE" } else { "ISOLATION LEVEL REPEATABLE READ READ ONLY" };
    // The other side may take long between two statements.
    let mut begin =
        format!("BEGIN {kind}; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0");
    if settings.distributed && writes {
        begin.push_str(ONE_SHARD_AT_A_TIME);
    }
    session.batch(&begin).await.map_err(broken)?;
    Ok(Held(session))
}

fn broken(problem: Problem) -> OpenError {
    OpenError::Store(problem.error)
}

impl Held {
    /// For statements, within [`Self::answer`].
    pub(crate) fn unit(&self) -> PostgresUnit<'_> {
        self.0.unit()
    }

    /// Waits for the answer of a statement.
    pub(crate) async fn answer<T>(&self, query: impl Future<Output = QueryResult<T>>) -> Result<T, OpenError> {
        self.0.answer(query).await.map_err(broken)
    }

    /// Commits.
    pub(crate) async fn commit(&self) -> Result<(), OpenError> {
        self.0.batch(NUMBERS).await.map_err(broken)?;
        self.0.batch("COMMIT").await.map_err(broken)
    }
}
