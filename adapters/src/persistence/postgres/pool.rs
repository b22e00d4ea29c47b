//! The connection pool of a store. Connections are opened when needed, and kept while they are usable.

use std::{ops::Deref, sync::Arc, time::Duration};

use deadpool::{
    Runtime,
    managed::{self, Metrics, Object, PoolError, QueueMode, RecycleError, RecycleResult, TimeoutType},
};
use patron_domain::store::StoreError;

use super::{connect, problem::unavailable, session::Session, settings::Settings};
use crate::{
    commits::Commits,
    persistence::{metrics, party::Party},
    turns::{Turn, Turns},
};

/// Connections to one database.
#[derive(Clone)]
pub(super) struct Pool {
    connections: managed::Pool<Manager>,
    /// A turn for each connection. `None` if callers are served in the order of their arrival.
    turns: Option<Turns<Party>>,
    /// The longest wait for a turn, or for a connection.
    wait: Duration,
    commits: Arc<Commits>,
}

/// A connection of the pool, returned when this is dropped.
pub(super) struct Pooled {
    session: Object<Manager>,
    // Dropped after the connection was returned: fields are dropped in their order.
    _turn: Option<Turn<Party>>,
}

struct Manager(Settings);

impl managed::Manager for Manager {
    type Type = Session;
    type Error = String;

    async fn create(&self) -> Result<Session, String> {
        connect::with_retries(&self.0).await
    }

    /// Needs no round trip: a connection that the server closed is known to be closed as soon as that message arrives.
    async fn recycle(&self, session: &mut Session, _: &Metrics) -> RecycleResult<String> {
        if session.is_idle() { Ok(()) } else { Err(RecycleError::message("the connection is not usable")) }
    }
}

impl Pool {
    /// Creates a pool of at most `connections` connections, at which parties take turns. It opens none yet.
    pub(super) fn shared(settings: Settings, connections: usize, commits: Arc<Commits>) -> Result<Self, StoreError> {
        Ok(Self { turns: Some(Turns::new(connections)), ..Self::new(settings, connections, commits)? })
    }

    /// Creates a pool of at most `connections` connections for short work. It opens none yet.
    pub(super) fn new(settings: Settings, connections: usize, commits: Arc<Commits>) -> Result<Self, StoreError> {
        let wait = settings.timeouts.connect;
        let pool = managed::Pool::builder(Manager(settings));
        // The most recently used connection comes first: its server process has plans and pages cached.
        let pool = pool.max_size(connections.max(1)).queue_mode(QueueMode::Lifo).runtime(Runtime::Tokio1);
        let pool = pool.wait_timeout(Some(wait)).build();
        let pool = pool.map_err(|error| StoreError::Failed { reason: error.to_string() });
        Ok(Self { connections: pool?, turns: None, wait, commits })
    }

    /// Takes a free connection, or opens one, when it is the party's turn.
    pub(super) async fn session(&self, party: Party) -> Result<Pooled, StoreError> {
        let turn = match &self.turns {
            Some(turns) => Some(tokio::time::timeout(self.wait, turns.take(party)).await.map_err(|_| no_free())?),
            None => None,
        };
        match self.connections.get().await {
            Ok(session) => Ok(Pooled { session, _turn: turn }),
            Err(PoolError::Timeout(TimeoutType::Wait)) => Err(no_free()),
            Err(PoolError::Backend(reason)) => Err(unavailable(&format!("cannot connect: {reason}"))),
            Err(PoolError::Closed) => Err(unavailable("it was closed")),
            Err(other) => Err(StoreError::Failed { reason: other.to_string() }),
        }
    }

    /// The commits over these connections.
    pub(super) fn commits(&self) -> &Arc<Commits> {
        &self.commits
    }

    /// The most connections, and the number in use.
    pub(super) fn use_of(&self) -> (usize, usize) {
        let status = self.connections.status();
        (status.max_size, status.size.saturating_sub(status.available))
    }

    /// Hands out no more connections, and closes idle ones.
    pub(super) fn close(&self) {
        self.connections.close();
    }
}

impl Deref for Pooled {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

fn no_free() -> StoreError {
    metrics::refused("postgres", "no_free_connection");
    unavailable("no free connection")
}
