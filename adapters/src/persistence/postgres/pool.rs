//! The connection pool of a store. Connections are opened when needed, and kept while they are usable.

use std::{ops::Deref, sync::Arc};

use deadpool::{
    Runtime,
    managed::{self, Metrics, Object, PoolError, QueueMode, RecycleError, RecycleResult, TimeoutType},
};
use patron_domain::store::StoreError;

use super::{connect, problem::unavailable, session::Session, settings::Settings};
use crate::{commits::Commits, persistence::metrics};

/// Connections to one database.
#[derive(Clone)]
pub(super) struct Pool(managed::Pool<Manager>, Arc<Commits>);

/// A connection of the pool, returned when this is dropped.
pub(super) struct Pooled(Object<Manager>);

struct Manager(Settings);

impl managed::Manager for Manager {
    type Type = Session;
    type Error = String;

    async fn create(&self) -> Result<Session, String> {
        connect::patiently(&self.0).await
    }

    /// Needs no round trip: a connection that the server closed is known to be closed as soon as that message arrives.
    async fn recycle(&self, session: &mut Session, _: &Metrics) -> RecycleResult<String> {
        if session.is_idle() { Ok(()) } else { Err(RecycleError::message("the connection is not usable")) }
    }
}

impl Pool {
    /// Creates a pool of at most `connections` connections. It opens none yet.
    pub(super) fn new(settings: Settings, connections: usize) -> Result<Self, StoreError> {
        let wait = settings.timeouts.connect;
        let pool = managed::Pool::builder(Manager(settings));
        // The most recently used connection comes first: its server process has plans and pages cached.
        let pool = pool.max_size(connections.max(1)).queue_mode(QueueMode::Lifo).runtime(Runtime::Tokio1);
        let pool = pool.wait_timeout(Some(wait)).build();
        pool.map(|pool| Self(pool, Arc::default())).map_err(|error| StoreError::Failed { reason: error.to_string() })
    }

    /// A free connection, or a new one.
    pub(super) async fn session(&self) -> Result<Pooled, StoreError> {
        match self.0.get().await {
            Ok(session) => Ok(Pooled(session)),
            Err(PoolError::Timeout(TimeoutType::Wait)) => {
                metrics::refused("postgres", "no_free_connection");
                Err(unavailable("no free connection"))
            }
            Err(PoolError::Backend(reason)) => Err(unavailable(&format!("cannot connect: {reason}"))),
            Err(PoolError::Closed) => Err(unavailable("it was closed")),
            Err(other) => Err(StoreError::Failed { reason: other.to_string() }),
        }
    }

    /// The commits over these connections.
    pub(super) fn commits(&self) -> &Arc<Commits> {
        &self.1
    }

    /// The most connections, and the number in use.
    pub(super) fn use_of(&self) -> (usize, usize) {
        let status = self.0.status();
        (status.max_size, status.size.saturating_sub(status.available))
    }

    /// Hands out no more connections, and closes idle ones.
    pub(super) fn close(&self) {
        self.0.close();
    }
}

impl Deref for Pooled {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.0
    }
}
