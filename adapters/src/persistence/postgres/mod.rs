//! The ports over PostgreSQL.
//!
//! A connection (`session`) runs over a `link` that alone decides about TLS; the `pool` keeps the sound ones. Changes of
//! customers share transactions (`batch`); everything else that is written is a transaction of its own (`write`).

mod batch;
mod customers;
mod events;
mod housekeeping;
mod idempotency;
mod keys;
mod link;
mod lists;
mod look_ups;
mod migrate;
mod onboarding;
mod onboarding_changes;
mod pool;
mod problem;
mod session;
mod settings;
mod sqlstate;
mod statements;
mod statistics;
mod tax_changes;
mod taxes;
mod tenancy;
mod tls;
mod unnest;
mod watermark;
mod webhook_changes;
mod webhooks;
mod write;

use std::sync::Arc;

use diesel::{dsl::sql, sql_types::Integer};
use diesel_async::RunQueryDsl;
use patron_domain::{lifecycle::Owner, store::StoreError};
use tokio::{sync::Semaphore, task::JoinHandle};

use self::{batch::BatchWriter, look_ups::LookUps, pool::Pool, settings::Settings, watermark::Watermark};
use super::{
    metrics,
    open::{OpenError, OpenOptions},
    url::PostgresUrl,
};

/// A PostgreSQL database, open.
///
/// Connections that break are replaced, so it survives a restart of the server. A statement takes 10 s at most, unless
/// the URL says otherwise (`options=-c statement_timeout=…`).
///
/// # The URL
/// `postgres://user:password@host:port/database?option=value&…`, with the options of libpq (PostgreSQL, section 34.1.2)
/// as far as tokio-postgres knows them; several hosts (`host1,host2`) with `target_session_attrs=read-write` follow a
/// fail-over. A folder as host (`%2Frun%2Fpostgresql`) is a Unix socket, which is never encrypted. Environment variables
/// of libpq and `.pgpass` are not read.
///
/// # `sslmode`
/// - `disable`: plain.
/// - `prefer`: TLS as with `require` if the server offers it, else plain with a warning in the log.
/// - `require`: TLS or nothing. The certificate is not checked, unless `sslrootcert` is given: then as `verify-ca`.
/// - `verify-ca`: TLS or nothing, and the certificate leads to a trusted root.
/// - `verify-full`: the same, and the certificate (its `subjectAltName`) names the host.
///
/// Without `sslmode` it is `prefer` for a server on this machine (`localhost`, loopback addresses), and `verify-full` for
/// any other. `sslrootcert` names the trusted roots (PEM); without it, or with the word `system`, they are the system's.
/// `sslcert` and `sslkey` are a certificate of our own. The files are read when the store is opened.
///
/// # Behind PgBouncer
/// Session pooling works. Transaction pooling needs PgBouncer 1.21 with `max_prepared_statements` above 0, because
/// statements are prepared once and used again; migrate with a direct connection, because the lock is the session's.
pub struct PostgresStore {
    pool: Pool,
    look_ups: LookUps,
    customers: BatchWriter,
    statistics: JoinHandle<()>,
    watermark: Watermark,
    /// One permit for each write that may be under way or wait.
    writes: Arc<Semaphore>,
    most_writes: u32,
}

impl PostgresStore {
    /// Connects, and brings the tables up to date.
    ///
    /// # Errors
    /// [`OpenError`] when the server cannot be reached, refuses, or has the tables of a newer Patron.
    pub async fn connect(url: &PostgresUrl, options: OpenOptions) -> Result<Self, OpenError> {
        let settings = Settings::read(url)?;
        migrate::run(&settings).await?;
        let most_writes = options.write_queue.saturating_add(options.connections).min(Semaphore::MAX_PERMITS);
        let most_writes = u32::try_from(most_writes).unwrap_or(u32::MAX);
        let look_ups = LookUps::start(&settings);
        let pool = Pool::new(settings, options.connections)?;
        // On every platform of ours, a usize holds a u32.
        let customers = BatchWriter::start(&pool, options.write_queue);
        let statistics = statistics::keep(pool.clone());
        Ok(Self {
            pool,
            look_ups,
            customers,
            statistics,
            watermark: Watermark::default(),
            writes: Arc::new(Semaphore::new(most_writes as usize)),
            most_writes,
        })
    }

    /// Asks the server whether it answers.
    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        let session = self.pool.session().await?;
        session.answer(sql::<Integer>("SELECT 1").get_result::<i32>(&mut session.pg())).await?;
        Ok(())
    }

    /// Sets the figures that are read rather than counted.
    pub(crate) fn observe(&self) {
        let (most, used) = self.pool.use_of();
        metrics::pool("postgres", most, used);
        metrics::queue_depth("postgres", self.customers.waiting());
    }

    /// Finishes the writes that were taken, and closes the connections.
    pub(crate) async fn close(&self) {
        self.statistics.abort();
        self.customers.close().await;
        // All permits are there when no write is left; those that come now find none. Refused only when closed already.
        let all = self.writes.acquire_many(self.most_writes).await;
        self.writes.close();
        self.pool.close();
        self.look_ups.close();
        drop(all);
    }
}

/// The columns every query of an environment starts with.
fn names(owner: Owner) -> (String, String) {
    (owner.tenant_id.to_string(), owner.environment_id.to_string())
}
