//! One connection: opening it, running statements, and detecting when it is not usable any more.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use diesel::{QueryResult, dsl::sql, result::Error, sql_types::Text};
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use futures_util::future::try_join;
use tokio::{net::UnixStream, task::AbortHandle};
use tokio_postgres::{Client, Config, Connection, SimpleQueryMessage, config::Host, tls::TlsStream};

use super::{
    connect::{Door, NotConnected},
    link::{Link, Socket},
    problem::{Kind, Problem, not_connected, not_reached, unavailable},
    settings::{Settings, Target},
    sqlstate::LastError,
    timeouts::Timeouts,
    unit::PostgresUnit,
};
use crate::persistence::{error::Failure, metrics};

/// Why a server is not usable.
const NO_WRITES: &str = "it accepts no writes: it is a standby, or default_transaction_read_only is on";

/// Citus reads several shards over several connections by default. It then refuses to change a table that is copied to
/// all servers in the same transaction.
pub(super) const ONE_SHARD_AT_A_TIME: &str = "; SET LOCAL citus.multi_shard_modify_mode = 'sequential'";

/// The purpose of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To write, whatever the database's defaults are.
    Write,
    /// To read one state of the database with several queries.
    Snapshot,
}

impl Purpose {
    fn begin(self) -> &'static str {
        match self {
            Self::Write => "ISOLATION LEVEL READ COMMITTED READ WRITE",
            Self::Snapshot => "ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }
}

/// A connection.
pub(super) struct Session {
    pg: AsyncPgConnection,
    last_error: Arc<LastError>,
    driver: Driver,
    in_transaction: AtomicBool,
    timeouts: Timeouts,
    target: Target,
    distributed: bool,
    /// Opens the connection that cancels a query.
    link: Link,
    door: Arc<Door>,
    /// The generation of the connection: see [`Door::age`].
    age: u64,
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
    /// Connects to the one host of a configuration. The caller sets the limit.
    pub(super) async fn establish(settings: &Settings, config: &Config) -> Result<Self, NotConnected> {
        let age = settings.door.age();
        let (link, last_error) = settings.link.for_one();
        let (client, driver) = match config.get_hosts() {
            [Host::Unix(folder)] => {
                let socket = connect_socket(folder, config).await?;
                drive(config.connect_raw(socket, link.to("")).await, &settings.door)?
            }
            _ => drive(config.connect(link).await, &settings.door)?,
        };
        check(settings.target, &client).await?;
        let pg = AsyncPgConnection::try_from(client).await;
        let pg = pg.map_err(|error| match last_error.get().and_then(Problem::of_pooler) {
            Some(problem) => NotConnected::from(problem.error.to_string()),
            None => NotConnected::from(error.to_string()),
        })?;
        driver.discarded.store(false, Ordering::Relaxed);
        Ok(Self {
            pg,
            last_error,
            driver,
            in_transaction: AtomicBool::new(false),
            timeouts: settings.timeouts,
            target: settings.target,
            distributed: settings.distributed,
            link: settings.link.clone(),
            door: settings.door.clone(),
            age,
        })
    }

    /// For statements within [`Self::answer`] or a transaction.
    pub(super) fn unit(&self) -> PostgresUnit<'_> {
        PostgresUnit::new(&self.pg, self.distributed)
    }

    /// For queries within [`Self::answer`] or a transaction. Concurrent queries are sent without waiting for each
    /// other.
    pub(super) fn pg(&self) -> &AsyncPgConnection {
        &self.pg
    }

    /// Waits for the answer of a query. In a transaction, use it only around all of its work.
    ///
    /// If the caller stops waiting or the time is up, the query is cancelled and the connection is not used again.
    pub(super) async fn answer<T>(&self, query: impl Future<Output = QueryResult<T>>) -> Result<T, Problem> {
        self.last_error.forget();
        let unanswered = Unanswered(self);
        match tokio::time::timeout(self.timeouts.call, query).await {
            Ok(answer) => {
                std::mem::forget(unanswered);
                answer.map_err(|error| self.problem(&error))
            }
            Err(_) => {
                drop(unanswered);
                Err(self.no_answer())
            }
        }
    }

    /// Runs queries that all see one state of the database.
    pub(super) async fn snapshot<T>(&self, queries: impl Future<Output = QueryResult<T>>) -> Result<T, Problem> {
        let work = async { queries.await.map_err(Failure::<Error>::Database) };
        match self.transaction(Purpose::Snapshot, work).await {
            Ok(found) | Err(Ended::Unknown(found)) => Ok(found),
            Err(Ended::Failed(problem)) => Err(problem),
            Err(Ended::Refused(error)) => Err(self.problem(&error)),
        }
    }

    /// Runs work in a transaction and commits it if it succeeds.
    pub(super) async fn transaction<T, E>(
        &self,
        purpose: Purpose,
        work: impl Future<Output = Result<T, Failure<E>>>,
    ) -> Result<T, Ended<T, E>> {
        self.in_transaction.store(true, Ordering::Relaxed);
        self.last_error.forget();
        let mut pg = self.pg();
        let mut begin = self.timeouts.begin(purpose.begin());
        if self.distributed && purpose == Purpose::Write {
            begin.push_str(ONE_SHARD_AT_A_TIME);
        }
        // Sent together. If `BEGIN` fails, the work fails with it, before it gets any answer.
        let begin = async { pg.batch_execute(&begin).await.map_err(Failure::Database) };
        let work = async { try_join(begin, work).await.map(|((), value)| value) };
        let ended = match tokio::time::timeout(self.timeouts.call, work).await {
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

    /// Commits. A commit is never cancelled: one that waits for a replica would then be visible without being
    /// replicated.
    async fn commit<T, E>(&self, value: T) -> Result<T, Ended<T, E>> {
        self.last_error.forget();
        let mut pg = self.pg();
        let commit = match tokio::time::timeout(self.timeouts.call, pg.batch_execute("COMMIT")).await {
            Ok(commit) => commit.map_err(|error| self.problem(&error)),
            Err(_) => Err(self.no_answer()),
        };
        match commit {
            Ok(()) => {
                self.in_transaction.store(false, Ordering::Relaxed);
                Ok(value)
            }
            Err(Problem { kind: Kind::Lost | Kind::Standby, .. }) => Err(Ended::Unknown(value)),
            Err(problem) => Err(Ended::Failed(problem)),
        }
    }

    /// Runs statements without results.
    pub(super) async fn batch(&self, statements: &str) -> Result<(), Problem> {
        let mut pg = self.pg();
        self.answer(pg.batch_execute(statements)).await
    }

    /// Whether it can be used again: it is open, in no transaction, and no other connection has found since that the
    /// server hangs or has become a standby.
    pub(super) fn is_idle(&self) -> bool {
        self.is_usable() && !self.in_transaction.load(Ordering::Relaxed) && self.age == self.door.age()
    }

    /// Checks that the server accepts writes.
    pub(super) async fn takes_writes(&self) -> Result<(), Problem> {
        let question = sql::<Text>(self.target.question());
        let mut pg = self.pg();
        let answer = diesel_async::RunQueryDsl::get_result::<String>(question, &mut pg);
        let answer = self.answer(answer).await?;
        if answer != "on" {
            return Ok(());
        }
        self.is_on_standby();
        Err(Problem { kind: Kind::Standby, error: unavailable(NO_WRITES) })
    }

    /// The bare connection. The second value must outlive it.
    pub(super) fn into_parts(self) -> (AsyncPgConnection, impl Sized + Send) {
        (self.pg, self.driver)
    }

    fn is_usable(&self) -> bool {
        !self.driver.discarded.load(Ordering::Relaxed) && !self.driver.task.is_finished()
    }

    /// Marks the connection as not usable. `reason` is one of a few constant words.
    fn give_up(&self, reason: &'static str) {
        if !self.driver.discarded.swap(true, Ordering::Relaxed) {
            metrics::lost("postgres", reason);
            self.door.lost();
        }
    }

    fn problem(&self, error: &Error) -> Problem {
        let problem = Problem::new(error, self.last_error.get());
        match problem.kind {
            Kind::Lost => self.give_up("closed"),
            Kind::Standby => self.is_on_standby(),
            Kind::Conflict | Kind::Unique | Kind::Other => {}
        }
        problem
    }

    /// The server accepts no writes. The other connections are probably to the same server.
    fn is_on_standby(&self) {
        self.give_up("standby");
        self.door.doubt();
    }

    /// The server did not answer in time. It may hang, and then its other connections are not usable either.
    fn no_answer(&self) -> Problem {
        self.give_up("no_answer");
        self.door.doubt();
        Problem::lost("it did not answer in time")
    }
}

/// A query that has no answer yet. Dropping this cancels the query, which could otherwise keep the server busy for
/// long.
struct Unanswered<'s>(&'s Session);

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        self.0.give_up("no_answer");
        let (token, link, limit) = (self.0.pg.cancel_token(), self.0.link.clone(), self.0.timeouts.handshake);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                // The result makes no difference: the connection is not used again.
                let _ = tokio::time::timeout(limit, token.cancel_query(link)).await;
            });
        }
    }
}

/// Checks that a new connection is to a server that the URL allows.
async fn check(target: Target, client: &Client) -> Result<(), NotConnected> {
    if target == Target::Any {
        return Ok(());
    }
    let answer = client.simple_query(target.question()).await;
    let answer = answer.map_err(|error| NotConnected::from(not_connected(&error)))?;
    let is_on =
        |message: &SimpleQueryMessage| matches!(message, SimpleQueryMessage::Row(row) if row.get(0) == Some("on"));
    match answer.iter().any(is_on) {
        false => Ok(()),
        true => Err(NotConnected::from(NO_WRITES.to_owned())),
    }
}

async fn connect_socket(folder: &Path, config: &Config) -> Result<UnixStream, String> {
    let path = folder.join(format!(".s.PGSQL.{}", config.get_ports().first().unwrap_or(&5432)));
    UnixStream::connect(&path).await.map_err(|error| format!("{}: {}", path.display(), not_reached(&error)))
}

type Connected<S, T> = Result<(Client, Connection<S, T>), tokio_postgres::Error>;

/// Starts the task that moves the bytes of a new connection. It ends with the driver, until the connection is complete.
fn drive<S, T>(connected: Connected<S, T>, door: &Arc<Door>) -> Result<(Client, Driver), NotConnected>
where
    S: Socket,
    T: TlsStream + Unpin + Send + 'static,
{
    let (client, connection) = connected.map_err(|error| NotConnected {
        reason: not_connected(&error),
        lasting: error.code().is_some_and(|code| code.code().starts_with("28") || code.code().starts_with("3D")),
    })?;
    // Waiting queries get the error that it ends with.
    let door = door.clone();
    let task = tokio::spawn(async move {
        drop(connection.await);
        door.lost();
    });
    Ok((client, Driver { task: task.abort_handle(), discarded: AtomicBool::new(true) }))
}
