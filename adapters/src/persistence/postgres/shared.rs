//! A few connections that all look-ups by key share.
//!
//! A look-up is one small query outside any transaction, so many can be under way on one connection at once, each sent
//! without waiting for the answers before it. That spares the server most of its processes' changes and the program most of
//! its writes to sockets. Whatever takes longer goes through the pool, so that it holds no look-up up.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use patron_domain::store::StoreError;
use tokio::sync::Mutex;

use super::{problem::unavailable, session::Session, settings::Settings};

/// How many connections: one for each processor of a small server keeps both busy.
const CONNECTIONS: usize = 2;

/// The connections, each made when it is first needed and again when it has broken.
pub(super) struct SharedSessions {
    settings: Settings,
    sessions: [Mutex<Option<Arc<Session>>>; CONNECTIONS],
    next: AtomicUsize,
}

impl SharedSessions {
    /// None is made yet.
    pub(super) fn new(settings: Settings) -> Self {
        Self { settings, sessions: Default::default(), next: AtomicUsize::new(0) }
    }

    /// A sound one, the next in turn.
    pub(super) async fn session(&self) -> Result<Arc<Session>, StoreError> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % CONNECTIONS;
        let mut place = self.sessions[turn].lock().await;
        if let Some(session) = place.as_ref().filter(|session| session.is_idle()) {
            return Ok(session.clone());
        }
        let connected = Session::connect(&self.settings).await;
        let session = Arc::new(connected.map_err(|reason| unavailable(&format!("cannot connect: {reason}")))?);
        *place = Some(session.clone());
        Ok(session)
    }

    /// Lets go of all of them.
    pub(super) async fn close(&self) {
        for place in &self.sessions {
            place.lock().await.take();
        }
    }
}
