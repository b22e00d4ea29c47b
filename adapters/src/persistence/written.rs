//! Tells whoever listens that this process has committed something, perhaps events, so that nobody has to look all the time.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::Notify;

static LISTENERS: Mutex<Vec<Weak<Notify>>> = Mutex::new(Vec::new());

/// Something was committed.
pub(crate) fn tell() {
    let mut listeners = LISTENERS.lock().unwrap_or_else(PoisonError::into_inner);
    listeners.retain(|listener| listener.upgrade().map(|listener| listener.notify_one()).is_some());
}

/// Somebody who waits for commits of this process, to whatever database. What other processes write, or what is written
/// beside customers, tells nobody.
#[derive(Debug, Clone)]
pub struct Written(Arc<Notify>);

impl Written {
    /// Listens from now on. Whoever listens is told by itself.
    #[must_use]
    pub fn listen() -> Self {
        let told = Arc::new(Notify::new());
        LISTENERS.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&told));
        Self(told)
    }

    /// Completes when something was committed since the last time it completed.
    pub async fn next(self) {
        self.0.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::{Written, tell};

    #[tokio::test]
    async fn each_listener_is_told_and_those_that_are_gone_are_forgotten() {
        let (one, other) = (Written::listen(), Written::listen());
        drop(Written::listen());
        tell();
        for listener in [one, other] {
            timeout(Duration::from_secs(5), listener.clone().next()).await.expect("it is told, also afterwards");
        }
    }
}
