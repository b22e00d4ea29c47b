//! PostgreSQL: connections, transactions, and how they are shared.
//!
//! A connection (`session`) runs over a `link`, which decides about TLS. The `pool` keeps usable connections. Changes
//! of customers share transactions (`batch`) and look-ups by key share queries (`look_ups`). Every other write has a
//! transaction of its own (`write`).

mod batch;
pub(crate) mod bulk;
mod connect;
pub(super) mod distribute;
#[cfg(feature = "sqlite")]
mod hold;
mod hosts;
mod link;
mod look_ups;
mod migrate;
mod pool;
mod pooler;
mod problem;
mod session;
mod settings;
mod sqlstate;
mod statistics;
mod timeouts;
mod tls;
pub(crate) mod unit;
mod within;
mod write;

use std::sync::Arc;

use async_trait::async_trait;
use patron_domain::{
    customer::{ChangeCustomerError, CustomerChanged},
    privacy::StorageKind,
    store::StoreError,
};
use tokio::{sync::Semaphore, task::JoinHandle};

use crate::commits::Commits;

#[cfg(feature = "sqlite")]
pub(super) use self::hold::{Held, hold};
use self::{
    batch::BatchWriter, connect::Door, look_ups::LookUps, pool::Pool, problem::unavailable, settings::Settings,
    timeouts::Timeouts,
};
use super::{
    author::Ending,
    customer::change::Job,
    engine::{Answer, CustomerKey, Deciding, Engine, Pace, Reading, Refused},
    metrics,
    open::{OpenError, OpenOptions},
    party::Party,
    url::PostgresUrl,
    value::Document,
};

/// The connections for short work: two for the workers that change customers, and two for the rest.
const QUICK: usize = 4;

/// An open PostgreSQL database.
///
/// Broken connections are replaced, so it survives a restart of the server and a fail-over. All time-outs are derived
/// from [`OpenOptions::timeout`].
///
/// # The URL
/// `postgres://user:password@host:port/database?option=value&…`, with the options of libpq (PostgreSQL, section 34.1.2)
/// that tokio-postgres supports, except `connect_timeout`. Several hosts (`host1,host2`) are tried in order, each with
/// its own time limit. The next one is tried as soon as one is slow. `target_session_attrs` is `read-write` (the
/// default), `primary` or `any`. A folder as host (`%2Frun%2Fpostgresql`) is a Unix socket, which is never encrypted.
/// The environment variables of libpq and `.pgpass` are not read.
///
/// # `sslmode`
/// - `disable`: no TLS.
/// - `prefer`: TLS as with `require` if the server offers it, otherwise a plain connection and a warning in the log.
/// - `require`: TLS is required. The certificate is not checked, unless `sslrootcert` is given: then as `verify-ca`.
/// - `verify-ca`: TLS is required, and the certificate must lead to a trusted root.
/// - `verify-full`: as `verify-ca`, and the certificate must name the host in its `subjectAltName`.
///
/// Without `sslmode`, a server on this machine (`localhost`, loopback addresses) gets `prefer`, and any other
/// `verify-full`. `sslrootcert` names the trusted roots (PEM). Without it, or with the word `system`, they are the
/// system's. `sslcert` and `sslkey` name our client certificate and its key. The files are read when the store is
/// opened.
///
/// # Behind PgBouncer
/// Prepared statements are the only state of a session. Session pooling works. Transaction pooling needs PgBouncer 1.21
/// with `max_prepared_statements` above 0; without that, opening fails and names the setting.
pub(crate) struct PostgresEngine {
    /// Connections for work that may take long. Environments take turns.
    pool: Pool,
    /// Connections for short work, which must not wait: look-ups, changes of customers, background work.
    quick: Pool,
    look_ups: LookUps,
    customers: BatchWriter,
    statistics: JoinHandle<()>,
    /// One permit for each write that may run or wait.
    writes: Arc<Semaphore>,
    most_writes: u32,
    timeouts: Timeouts,
    door: Arc<Door>,
}

/// Changing customers within a transaction of an embedding application: see [`PostgresStore::change_within`].
#[derive(Debug, Clone, Copy)]
pub struct PostgresStore;

impl PostgresEngine {
    /// Connects, and brings the tables up to date.
    ///
    /// # Errors
    /// [`OpenError`] if the server cannot be reached, rejects the connection, or was migrated by a newer Patron.
    pub(crate) async fn connect(url: &PostgresUrl, options: OpenOptions) -> Result<Self, OpenError> {
        let mut settings = Settings::read(url, options.timeout)?;
        pooler::check(&settings).await?;
        settings.distributed = distribute::is_distributed(&settings).await?;
        migrate::run(&settings).await?;
        // On several servers, a transaction over several environments needs a two-phase commit.
        let apart = options.commits_by_environment || settings.distributed;
        let (timeouts, door) = (settings.timeouts, settings.door.clone());
        let most_writes = options.write_queue.saturating_add(options.connections).min(Semaphore::MAX_PERMITS);
        let most_writes = u32::try_from(most_writes).unwrap_or(u32::MAX);
        let look_ups = LookUps::start(&settings);
        let commits = Arc::<Commits>::default();
        let quick = Pool::new(settings.clone(), QUICK, commits.clone())?;
        let pool = Pool::shared(settings, options.connections, commits)?;
        let customers = BatchWriter::start(&quick, options.write_queue, timeouts.call, apart);
        let statistics = statistics::keep(pool.clone());
        Ok(Self {
            pool,
            quick,
            look_ups,
            customers,
            statistics,
            // A usize holds a u32 on all supported platforms.
            writes: Arc::new(Semaphore::new(most_writes as usize)),
            most_writes,
            timeouts,
            door,
        })
    }

    /// The connections for a party's lists and transactions. Work of the system is short, and does not wait.
    fn pool_of(&self, party: Party) -> &Pool {
        match party {
            Party::Environment(_) | Party::Tenant(_) => &self.pool,
            Party::System => &self.quick,
        }
    }
}

#[async_trait]
impl Engine for PostgresEngine {
    async fn read(&self, pace: Pace, work: Reading) -> Result<Answer, StoreError> {
        let session = match pace {
            Pace::LookUp => self.quick.session(Party::System).await?,
            Pace::List(party) | Pace::Snapshot(party) => self.pool_of(party).session(party).await?,
        };
        let unit = session.unit();
        let answer = match pace {
            Pace::LookUp | Pace::List(_) => session.answer(work(&unit)).await,
            Pace::Snapshot(_) => session.snapshot(work(&unit)).await,
        };
        Ok(answer?)
    }

    async fn customer(&self, environment: i32, key: CustomerKey) -> Result<Option<Document>, StoreError> {
        Ok(self.look_ups.find(environment, key).await?)
    }

    async fn write(&self, party: Party, ending: Ending, work: Deciding) -> Result<Answer, Refused> {
        let permit = self.writes.clone().try_acquire_owned();
        let permit = permit.map_err(|_| Refused::Store(StoreError::unavailable("too many writes are waiting")))?;
        let pool = self.pool_of(party).clone();
        match ending {
            Ending::Commit => write::write((pool, party), permit, self.timeouts.call, work).await,
            // It runs apart, so it delays no shared commit.
            Ending::DryRun => write::try_out((pool, party), permit, self.timeouts.call, work).await,
        }
    }

    async fn change(&self, job: Job) -> Result<CustomerChanged, ChangeCustomerError> {
        self.customers.change(job).await
    }

    /// Does nothing: only the operator can remove old data that the server keeps. The receipt says so.
    async fn forget(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn storage(&self) -> StorageKind {
        StorageKind::Postgresql
    }

    fn commits(&self) -> Arc<Commits> {
        self.pool.commits().clone()
    }

    async fn ping(&self) -> Result<(), StoreError> {
        let ask = async {
            let session = self.quick.session(Party::System).await?;
            session.takes_writes().await.map_err(StoreError::from)
        };
        let answer = tokio::time::timeout(self.timeouts.ping, ask).await;
        answer.unwrap_or_else(|_| Err(unavailable("it did not answer in time")))
    }

    fn losses(&self) -> u64 {
        self.door.losses()
    }

    fn observe(&self) {
        let (most, used) = self.pool.use_of();
        metrics::pool("postgres", most, used);
        metrics::queue_depth("postgres", self.customers.waiting());
    }

    async fn close(&self) {
        self.statistics.abort();
        self.customers.close().await;
        // All permits are free once no write is left. Later writes get none. This fails only if it was closed before.
        let all = self.writes.acquire_many(self.most_writes).await;
        self.writes.close();
        self.pool.close();
        self.quick.close();
        self.look_ups.close();
        drop(all);
    }
}
