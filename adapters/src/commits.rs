//! The commits of this process. They wake background work, and pace it while many clients write.
//!
//! While clients' writes are committed as they arrive, deliveries are made as fast as receivers accept them. When many
//! writes wait for each commit, the machine or its disk is the limit, and each attempt delays the clients. Then
//! deliveries are paced: one attempt may begin for each write that is committed. So deliveries continue, and catch up
//! afterwards. Other processes on the same database pace themselves.

use std::{
    sync::{
        Arc, Mutex, OnceLock, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    sync::{Notify, Semaphore},
    time::timeout,
};

/// The number of writes in one commit that counts as a rush. Smaller groups also form without a rush.
const RUSH_SIZE: usize = 16;
/// How long a rush lasts after the last such commit.
const RUSH: Duration = Duration::from_millis(100);
/// How many attempts may begin at once after a pause in a rush.
const SAVED: usize = 64;

/// The commits of one open database.
#[derive(Debug)]
pub struct Commits {
    listeners: Mutex<Vec<Weak<Notify>>>,
    /// Until when the rush lasts, in microseconds since the first commit.
    rush_until: AtomicU64,
    begun: OnceLock<Instant>,
    attempts: Semaphore,
    /// The number of clients' writes so far.
    writes: AtomicU64,
}

/// Waits for commits.
#[derive(Debug)]
pub struct Listener(Arc<Notify>);

impl Listener {
    /// Completes when something was committed since the last call completed.
    pub async fn next(&mut self) {
        self.0.notified().await;
    }
}

impl Default for Commits {
    fn default() -> Self {
        let (rush_until, begun) = (AtomicU64::new(0), OnceLock::new());
        let (attempts, writes) = (Semaphore::new(0), AtomicU64::new(0));
        Self { listeners: Mutex::default(), rush_until, begun, attempts, writes }
    }
}

impl Commits {
    /// Listens from now on.
    #[must_use]
    pub fn listen(&self) -> Listener {
        let notify = Arc::new(Notify::new());
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&notify));
        Listener(notify)
    }

    /// Completes when a delivery may be attempted: at once, except in a rush.
    pub async fn turn(&self) {
        while self.is_rush() {
            if let Ok(Ok(permit)) = timeout(RUSH, self.attempts.acquire()).await {
                permit.forget();
                return;
            }
        }
    }

    /// Runs background work that would take much of the time of a machine. In a rush it then rests as long as it worked, so
    /// clients keep at least half of the time.
    pub async fn share<T>(&self, work: impl Future<Output = T>) -> T {
        let begun = self.elapsed();
        let done = work.await;
        if self.is_rush() {
            self.rest_since(begun).await;
        }
        done
    }

    /// Runs one transaction of background work. If others committed writes meanwhile, it then rests as long as it worked. Returns
    /// whether others did. On PostgreSQL only their changes of customers count.
    pub async fn yielding<T>(&self, work: impl Future<Output = T>) -> (T, bool) {
        let (begun, before) = (self.elapsed(), self.writes.load(Ordering::Relaxed));
        let done = work.await;
        // The transaction itself may count as one.
        let others = self.writes.load(Ordering::Relaxed) - before > 1;
        if others {
            self.rest_since(begun).await;
        }
        (done, others)
    }

    /// Rests as long as work took that began at this time.
    async fn rest_since(&self, begun: u64) {
        tokio::time::sleep(Duration::from_micros(self.elapsed().saturating_sub(begun))).await;
    }

    /// Wakes the listeners after a commit that holds no client's write, or a single one.
    #[cfg_attr(not(feature = "persistence"), allow(dead_code))]
    pub(crate) fn wake(&self) {
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|listener| listener.upgrade().map(|listener| listener.notify_one()).is_some());
    }

    /// Counts the clients' writes of one commit, and allows the same number of attempts.
    #[cfg_attr(not(feature = "persistence"), allow(dead_code))]
    pub(crate) fn count(&self, writes: usize) {
        self.writes.fetch_add(writes as u64, Ordering::Relaxed);
        if writes >= RUSH_SIZE {
            let until = self.elapsed() + u64::try_from(RUSH.as_micros()).unwrap_or(u64::MAX);
            self.rush_until.store(until, Ordering::Relaxed);
        }
        let room = SAVED.saturating_sub(self.attempts.available_permits());
        self.attempts.add_permits(writes.min(room));
    }

    #[expect(clippy::disallowed_methods, reason = "the load of a process is not part of the domain")]
    fn elapsed(&self) -> u64 {
        u64::try_from(self.begun.get_or_init(Instant::now).elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn is_rush(&self) -> bool {
        self.elapsed() < self.rush_until.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{sleep, timeout};

    use super::{Commits, RUSH, RUSH_SIZE, SAVED};

    const SOON: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn each_listener_is_woken_and_dropped_ones_are_forgotten() {
        let commits = Commits::default();
        let (mut one, mut other) = (commits.listen(), commits.listen());
        drop(commits.listen());
        commits.wake();
        for listener in [&mut one, &mut other] {
            timeout(Duration::from_secs(5), listener.next()).await.expect("every listener is woken");
        }
        assert_eq!(commits.listeners.lock().unwrap().len(), 2);
    }

    #[tokio::test]
    async fn writes_pace_the_attempts_only_during_a_rush() {
        let commits = Commits::default();
        for _ in 0..2 * SAVED {
            timeout(SOON, commits.turn()).await.expect("few writes delay nothing");
        }
        commits.count(RUSH_SIZE - 1);
        assert!(!commits.is_rush());
        commits.count(RUSH_SIZE);
        for _ in 0..2 * RUSH_SIZE - 1 {
            timeout(SOON, commits.turn()).await.expect("one attempt for each write");
        }
        assert!(timeout(SOON, commits.turn()).await.is_err(), "one more has to wait");
        commits.count(1);
        timeout(SOON, commits.turn()).await.expect("one more write allows one more attempt");
        sleep(RUSH).await;
        timeout(SOON, commits.turn()).await.expect("the rush is over");
    }

    #[tokio::test]
    async fn shared_work_rests_only_during_a_rush() {
        let commits = Commits::default();
        let work = async || sleep(2 * SOON).await;
        timeout(3 * SOON, commits.share(work())).await.expect("few writes delay nothing");
        commits.count(RUSH_SIZE);
        assert!(timeout(3 * SOON, commits.share(work())).await.is_err(), "it rests as long as it worked");
    }

    #[tokio::test]
    async fn a_bounded_number_of_attempts_is_saved_and_waiting_ones_continue_after_the_rush() {
        let commits = Commits::default();
        for _ in 0..10 {
            commits.count(RUSH_SIZE);
        }
        for _ in 0..SAVED {
            timeout(SOON, commits.turn()).await.expect("saved");
        }
        assert!(timeout(SOON, commits.turn()).await.is_err());
        timeout(3 * RUSH, commits.turn()).await.expect("the rush has ended meanwhile");
    }

    #[tokio::test]
    async fn a_transaction_rests_if_others_wrote_meanwhile() {
        let commits = Commits::default();
        let work = async |writes| {
            commits.count(writes);
            sleep(2 * SOON).await;
        };
        let (_, others) = timeout(3 * SOON, commits.yielding(work(1))).await.expect("its own commit delays nothing");
        assert!(!others);
        assert!(timeout(3 * SOON, commits.yielding(work(2))).await.is_err(), "it rests as long as it worked");
    }
}
