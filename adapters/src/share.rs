//! How those who deliver in the background share a process with those whose writes it commits.
//!
//! As long as the writes of clients are committed as they come, deliveries are made as fast as their receivers take them.
//! When many wait for each commit, the machine or its disk is the limit, and every attempt would be at the cost of those who
//! wait: then deliveries are paced by what is written. For each write that is committed one attempt may begin, in the
//! order in which they are asked for. So deliveries go on, ever so often; what they fall behind they catch up with when the
//! rush is over. It is a matter of this process: where several share one database, those that have less to do deliver more.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use tokio::{sync::Semaphore, time::timeout};

/// From how many writes in one commit on there is a rush. Fewer come together also where there is time for more.
const CROWD: usize = 16;
/// For how long a rush lasts after the last such commit.
const RUSH: Duration = Duration::from_millis(100);
/// How many attempts may begin for each write that is committed in a rush: as many as there are events for one endpoint.
const ATTEMPTS: usize = 1;
/// The most attempts that may begin at once, when nobody asked for a while.
const SAVED: usize = 64;

/// One process shares itself.
static SHARE: Share = Share::new();

struct Share {
    /// Until when the rush lasts, in microseconds since the first commit.
    until: AtomicU64,
    begun: std::sync::OnceLock<Instant>,
    attempts: Semaphore,
}

impl Share {
    const fn new() -> Self {
        Self { until: AtomicU64::new(0), begun: std::sync::OnceLock::new(), attempts: Semaphore::const_new(0) }
    }

    #[expect(clippy::disallowed_methods, reason = "how busy a process is is no fact of the domain")]
    fn elapsed(&self) -> u64 {
        u64::try_from(self.begun.get_or_init(Instant::now).elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn committed(&self, writes: usize) {
        if writes >= CROWD {
            self.until.store(self.elapsed() + RUSH.as_micros() as u64, Ordering::Relaxed);
        }
        let room = SAVED.saturating_sub(self.attempts.available_permits());
        self.attempts.add_permits((writes * ATTEMPTS).min(room));
    }

    fn is_rush(&self) -> bool {
        self.elapsed() < self.until.load(Ordering::Relaxed)
    }

    async fn turn(&self) {
        while self.is_rush() {
            if let Ok(Ok(permit)) = timeout(RUSH, self.attempts.acquire()).await {
                permit.forget();
                return;
            }
        }
    }
}

/// So many writes of clients were committed together.
#[cfg_attr(not(feature = "persistence"), allow(dead_code))]
pub(crate) fn committed(writes: usize) {
    SHARE.committed(writes);
}

/// Completes when an attempt may begin: at once, but in a rush.
#[cfg_attr(not(feature = "webhooks"), allow(dead_code))]
pub(crate) async fn turn() {
    SHARE.turn().await;
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{sleep, timeout};

    use super::{ATTEMPTS, CROWD, RUSH, SAVED, Share};

    const SOON: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn in_a_rush_attempts_are_paced_by_writes_and_go_on_when_it_is_over() {
        let share = Share::new();
        for _ in 0..2 * SAVED {
            timeout(SOON, share.turn()).await.expect("nobody is in a hurry");
        }
        share.committed(CROWD - 1);
        assert!(!share.is_rush());
        share.committed(CROWD);
        let begun = (2 * CROWD - 1) * ATTEMPTS;
        for _ in 0..begun {
            timeout(SOON, share.turn()).await.expect("as many as were written for");
        }
        assert!(timeout(SOON, share.turn()).await.is_err(), "one more has to wait");
        share.committed(1);
        timeout(SOON, share.turn()).await.expect("it was written for");
        sleep(RUSH).await;
        timeout(SOON, share.turn()).await.expect("the rush is over");
    }

    #[tokio::test]
    async fn no_more_than_some_are_saved_up_and_whoever_waits_when_it_ends_goes_on() {
        let share = Share::new();
        for _ in 0..10 {
            share.committed(CROWD);
        }
        for _ in 0..SAVED {
            timeout(SOON, share.turn()).await.expect("saved up");
        }
        assert!(timeout(SOON, share.turn()).await.is_err());
        timeout(3 * RUSH, share.turn()).await.expect("the rush has ended meanwhile");
    }
}
