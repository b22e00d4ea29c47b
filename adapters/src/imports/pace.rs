//! How large the transactions of an import are, so that it is fast alone and delays others only briefly.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::commits::Commits;

/// The most rows of a transaction while nobody else writes. Large ones cost less for each row.
const ALONE: usize = 100;
/// The most rows while others write. Each of their writes may wait for such a transaction.
const SHARED: usize = 25;

/// The size of an import's transactions. The thread that reads the file has a clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Pace {
    is_alone: Arc<AtomicBool>,
}

impl Pace {
    /// The most rows of the next transaction.
    pub(super) fn rows(&self) -> usize {
        if self.is_alone.load(Ordering::Relaxed) { ALONE } else { SHARED }
    }

    /// Runs a transaction. If others wrote meanwhile, it then rests as long as it worked, and the next ones are small.
    pub(super) async fn transaction<T>(&self, commits: &Commits, work: impl Future<Output = T>) -> T {
        let (done, others) = commits.yielding(work).await;
        self.is_alone.store(!others, Ordering::Relaxed);
        done
    }
}

#[cfg(test)]
mod tests {
    use super::{ALONE, Pace, SHARED};
    use crate::commits::Commits;

    #[tokio::test]
    async fn transactions_are_large_while_nobody_else_writes() {
        let (pace, commits) = (Pace::default(), Commits::default());
        let reader = pace.clone();
        assert_eq!(reader.rows(), SHARED);
        // Its own commit.
        pace.transaction(&commits, async { commits.count(1) }).await;
        assert_eq!(reader.rows(), ALONE);
        pace.transaction(&commits, async { commits.count(2) }).await;
        assert_eq!(reader.rows(), SHARED);
        pace.transaction(&commits, async {}).await;
        assert_eq!(reader.rows(), ALONE);
    }
}
