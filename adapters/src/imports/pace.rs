//! How large the transactions of an import are, so that it is fast alone and delays others only briefly.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::commits::Commits;

/// The most rows of a transaction while nobody else writes. Large ones cost less for each row.
const ALONE: usize = 100;
/// The most rows while others write. Each of their writes may wait for such a transaction.
const SHARED: usize = 25;

/// The size of an import's transactions. The thread that reads the file has a clone.
#[derive(Debug, Clone)]
pub(super) struct Pace(Arc<AtomicUsize>);

impl Pace {
    /// Begins with small transactions.
    pub(super) fn new() -> Self {
        Self(Arc::new(AtomicUsize::new(SHARED)))
    }

    /// The most rows of the next transaction.
    pub(super) fn rows(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Runs a transaction. If others wrote meanwhile, the next ones are small, and this rests as long as it worked: others keep
    /// at least half of the time. Otherwise the next ones are larger.
    pub(super) async fn transaction<T>(&self, commits: &Commits, work: impl Future<Output = T>) -> T {
        let (before, begun) = (commits.writes(), commits.elapsed());
        let done = work.await;
        // The transaction itself may count as one.
        if commits.writes() - before > 1 {
            self.0.store(SHARED, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_micros(commits.elapsed().saturating_sub(begun))).await;
        } else {
            self.0.store((self.rows() * 2).min(ALONE), Ordering::Relaxed);
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{ALONE, Pace, SHARED};
    use crate::commits::Commits;

    #[tokio::test]
    async fn transactions_grow_while_nobody_else_writes() {
        let (pace, commits) = (Pace::new(), Commits::default());
        let reader = pace.clone();
        assert_eq!(reader.rows(), SHARED);
        for _ in 0..10 {
            // Its own commit.
            pace.transaction(&commits, async { commits.count(1) }).await;
        }
        assert_eq!(reader.rows(), ALONE);
        pace.transaction(&commits, async { commits.count(2) }).await;
        assert_eq!(reader.rows(), SHARED);
        pace.transaction(&commits, async {}).await;
        assert_eq!(reader.rows(), 2 * SHARED);
    }

    #[tokio::test(start_paused = true)]
    async fn others_keep_half_of_the_time() {
        let (pace, commits) = (Pace::new(), Commits::default());
        let work = async {
            // The clock of tokio is paused, the load is measured by that of the system.
            std::thread::sleep(Duration::from_millis(20));
            commits.count(8);
        };
        let rest = Duration::from_millis(10);
        let done = tokio::time::timeout(rest, pace.transaction(&commits, work)).await;
        assert!(done.is_err(), "it rests longer");
    }
}
