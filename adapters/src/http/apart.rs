//! Work that is too long for an async worker: large bodies, large responses, hashing.
//!
//! A worker that reads a megabyte of JSON serves no other request in the meantime. Such work runs where blocking is
//! allowed, with limited concurrency, so that the async workers keep processors for themselves.
//!
//! [`blocking`] has a limit for the whole process, but its work waits in a thread, because synchronous code calls it too.
//! Requests therefore wait here first, where waiting holds no thread.

use std::sync::Arc;

use rocket::tokio::sync::Semaphore;

use crate::{
    blocking::{SHORT, blocking},
    slices::half_the_processors,
};

/// Limits the concurrency of long work: large bodies, large responses, hashing. Clones share the limit.
///
/// ```
/// use patron_adapters::http::LongWork;
///
/// // At most two at once. By default one on every second processor.
/// let work = LongWork::new(2);
/// ```
#[derive(Debug, Clone)]
pub struct LongWork(Arc<Semaphore>);

impl LongWork {
    /// Allows `count` at once; at least one.
    #[must_use]
    pub fn new(count: usize) -> Self {
        Self(Arc::new(Semaphore::new(count.max(1))))
    }

    /// Runs work on `bytes` bytes: at once if they are few, otherwise in a blocking section, within the limit.
    pub(crate) async fn apart<T>(&self, bytes: usize, work: impl FnOnce() -> T) -> T {
        if bytes <= SHORT {
            return work();
        }
        // The semaphore is never closed. The work runs even without a permit.
        let _turn = self.0.acquire().await.ok();
        blocking(bytes, work)
    }
}

impl Default for LongWork {
    /// One on every second processor.
    fn default() -> Self {
        Self::new(half_the_processors())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use rocket::tokio::{runtime::Builder, task::JoinSet};

    use super::{LongWork, SHORT};

    #[test]
    fn work_runs_in_every_kind_of_runtime() {
        let both = || async {
            let work = LongWork::default();
            (work.apart(1, || 1).await, work.apart(SHORT + 1, || 2).await)
        };
        assert_eq!(Builder::new_current_thread().build().unwrap().block_on(both()), (1, 2));
        let many = Builder::new_multi_thread().worker_threads(1).build().unwrap();
        assert_eq!(many.block_on(async { tokio::spawn(both()).await.unwrap() }), (1, 2));
    }

    #[test]
    fn clones_share_the_limit() {
        static RUNNING: AtomicUsize = AtomicUsize::new(0);
        let work = LongWork::new(1);
        let long = || {
            let before = RUNNING.fetch_add(1, Ordering::SeqCst);
            std::thread::sleep(std::time::Duration::from_millis(2));
            RUNNING.fetch_sub(1, Ordering::SeqCst);
            before
        };
        Builder::new_multi_thread().worker_threads(4).build().unwrap().block_on(async {
            let mut all = JoinSet::new();
            for _ in 0..20 {
                let work = work.clone();
                all.spawn(async move { work.apart(SHORT + 1, long).await });
            }
            while let Some(before) = all.join_next().await {
                assert_eq!(before.unwrap(), 0, "another one was running");
            }
        });
    }
}
