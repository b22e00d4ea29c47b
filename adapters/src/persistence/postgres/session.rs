//! One connection: opening it, running statements, and detecting when it is not usable any more.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use diesel::{QueryResult, result::Error};
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use futures_util::future::try_join;
use tokio::{net::UnixStream, task::AbortHandle};
use tokio_postgres::{Client, Config, Connection, config::Host, tls::TlsStream};

use super::{
    link::Socket,
    problem::{Kind, Problem, not_connected, not_reached},
    settings::Settings,
    sqlstate::LastError,
};
use crate::persistence::error::Failure;

/// The longest wait for an answer. It is longer than the server's own timeouts, for a server that hangs.
const TIMEOUT: Duration = Duration::from_secs(15);

/// A statement may take 10 s. A transaction that is idle for 30 s is ended, so an instance that vanished from the
/// network does not hold locks for long. `options=-c statement_timeout=…` in the URL overrides these.
const TIMEOUTS: [(&str, &str); 2] = [("statement_timeout", "10s"), ("idle_in_transaction_session_timeout", "30s")];

/// Begins a transaction for writing, independent of the database's defaults.
pub(super) const WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
/// Begins a transaction in which every query sees the same state.
const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// A connection.
pub(super) struct Session {
    pg: AsyncPgConnection,
    last_error: Arc<LastError>,
    driver: Driver,
    in_transaction: AtomicBool,
}

/// The task that moves a connection's bytes. It ends when the connection ends or is dropped.
struct Driver {
    task: AbortHandle,
    discarded: AtomicBool,
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Without this it would wait for answers from a server that hangs.
        if self.discarded.load(Ordering::Relaxed) {
            self.task.abort();
        }
    }
}

/// The end of a transaction without a known commit.
pub(super) enum Ended<T, E> {
    /// The port refused. Nothing was written.
    Refused(E),
    /// An error. Nothing was written.
    Failed(Problem),
    /// The connection was lost during the commit: either this was written, or nothing was.
    Unknown(T),
}

impl Session {
    /// Connects.
    ///
    /// # Errors
    /// The message of the server or of the operating system. It may name the user and the database, but contains no
    /// data.
    pub(super) async fn connect(settings: &Settings) -> Result<Self, String> {
        match tokio::time::timeout(settings.timeout, Self::establish(settings)).await {
            Ok(session) => session,
            Err(_) => Err(format!("no answer within {} s", settings.timeout.as_secs())),
        }
    }

    async fn establish(settings: &Settings) -> Result<Self, String> {
        let (link, last_error) = settings.link.for_one();
        let config = &settings.config;
        let (client, task) = match config.get_hosts() {
            [Host::Unix(folder)] => {
                let socket = connect_socket(folder, config).await?;
                drive(config.connect_raw(socket, link.to("")).await)?
            }
            _ => drive(config.connect(link).await)?,
        };
        let driver = Driver { task, discarded: AtomicBool::new(false) };
        let pg = AsyncPgConnection::try_from(client).await.map_err(|error| error.to_string())?;
        let session = Self { pg, last_error, driver, in_transaction: AtomicBool::new(false) };
        let given = config.get_options().unwrap_or_default();
        let ours = TIMEOUTS.iter().filter(|(name, _)| !given.contains(name));
        let ours: Vec<_> = ours.map(|(name, value)| format!("SET {name} = '{value}'")).collect();
        session.batch(&ours.join(";")).await.map_err(|problem| problem.error.to_string())?;
        Ok(session)
    }

    /// For queries within [`Self::answer`] or a transaction. Concurrent queries are sent without waiting for each
    /// other.
    pub(super) fn pg(&self) -> &AsyncPgConnection {
        &self.pg
    }

    /// Waits for the answer of a query. In a transaction, use it only around all of the work.
    pub(super) async fn answer<T>(&self, query: impl Future<Output = QueryResult<T>>) -> Result<T, Problem> {
        self.last_error.forget();
        match tokio::time::timeout(TIMEOUT, query).await {
            Ok(answer) => answer.map_err(|error| self.problem(&error)),
            Err(_) => Err(self.no_answer()),
        }
    }

    /// Runs queries that all see one state of the database.
    pub(super) async fn snapshot<T>(&self, queries: impl Future<Output = QueryResult<T>>) -> Result<T, Problem> {
        let work = async { queries.await.map_err(Failure::<Error>::Database) };
        match self.transaction(SNAPSHOT, work).await {
            Ok(found) | Err(Ended::Unknown(found)) => Ok(found),
            Err(Ended::Failed(problem)) => Err(problem),
            Err(Ended::Refused(error)) => Err(self.problem(&error)),
        }
    }

    /// Runs work in a transactionand commits it if it succeeds.
    pub(super) async fn transaction<T, E>(
        &self,
        begin: &str,
        work: impl Future<Output = Result<T, Failure<E>>>,
    ) -> Result<T, Ended<T, E>> {
        self.in_transaction.store(true, Ordering::Relaxed);
        self.last_error.forget();
        let mut pg = self.pg();
        // Sent together. If the begin fails, the work fails too, before it gets any answer.
        let begin = async { pg.batch_execute(begin).await.map_err(Failure::Database) };
        let work = async { try_join(begin, work).await.map(|((), value)| value) };
        let ended = match tokio::time::timeout(TIMEOUT, work).await {
            Ok(Ok(value)) => return self.commit(value).await,
            Ok(Err(Failure::Refused(refusal))) => Ended::Refused(refusal),
            Ok(Err(Failure::Database(error))) => Ended::Failed(self.problem(&error)),
            Err(_) => return Err(Ended::Failed(self.no_answer())),
        };
        if self.is_usable() && self.batch("ROLLBACK").await.is_ok() {
            self.in_transaction.store(false, Ordering::Relaxed);
        }
        Err(ended)
    }

    async fn commit<T, E>(&self, value: T) -> Result<T, Ended<T, E>> {
        match self.batch("COMMIT").await {
            Ok(()) => {
                self.in_transaction.store(false, Ordering::Relaxed);
                Ok(value)
            }
            Err(Problem { kind: Kind::Lost, .. }) => Err(Ended::Unknown(value)),
            Err(problem) => Err(Ended::Failed(problem)),
        }
    }

    /// Runs statements without results.
    pub(super) async fn batch(&self, statements: &str) -> Result<(), Problem> {
        let mut pg = self.pg();
        self.answer(pg.batch_execute(statements)).await
    }

    /// Whether it can be reused: it is open and not in a transaction.
    pub(super) fn is_idle(&self) -> bool {
        self.is_usable() && !self.in_transaction.load(Ordering::Relaxed)
    }

    /// The bare connection. The second value must live as long as it.
    pub(super) fn into_parts(self) -> (AsyncPgConnection, impl Sized + Send) {
        (self.pg, self.driver)
    }

    fn is_usable(&self) -> bool {
        !self.driver.discarded.load(Ordering::Relaxed) && !self.driver.task.is_finished()
    }

    fn problem(&self, error: &Error) -> Problem {
        let problem = Problem::new(error, self.last_error.get());
        if problem.kind == Kind::Lost {
            self.driver.discarded.store(true, Ordering::Relaxed);
        }
        problem
    }

    fn no_answer(&self) -> Problem {
        self.driver.discarded.store(true, Ordering::Relaxed);
        Problem::lost("the server did not answer in time")
    }
}

async fn connect_socket(folder: &Path, config: &Config) -> Result<UnixStream, String> {
    let path = folder.join(format!(".s.PGSQL.{}", config.get_ports().first().unwrap_or(&5432)));
    UnixStream::connect(&path).await.map_err(|error| format!("{}: {}", path.display(), not_reached(&error)))
}

type Connected<S, T> = Result<(Client, Connection<S, T>), tokio_postgres::Error>;

/// Starts the task that drives a new connection.
fn drive<S, T>(connected: Connected<S, T>) -> Result<(Client, AbortHandle), String>
where
    S: Socket,
    T: TlsStream + Unpin + Send + 'static,
{
    let (client, connection) = connected.map_err(|error| not_connected(&error))?;
    // Waiting queries get the same error.
    let task = tokio::spawn(async move { drop(connection.await) });
    Ok((client, task.abort_handle()))
}
