//! How much of the events that are being delivered is in memory at once: bytes count, not events.
//!
//! What is small is not counted: of every endpoint and of every attempt, so much fits into half of the budget. What is larger takes
//! one of a few places, in turns by environment: half of them are for parts of the log, half for events that are read anew for
//! another attempt.

use patron_domain::{ids::EnvironmentId, page::PageBytes};

use super::{ENDPOINTS, attempt::CONCURRENCY};
use crate::turns::{Turn, Turns};

/// How much one part of the log is: with the event that reaches it, which is 1 MiB at most, and with what reading it takes.
const PAGE: usize = 4 << 20;
/// How much one event is that is read anew: its state, and what is sent.
const EVENT: usize = 3 << 20;

/// What deliveries may take of the memory.
pub struct Budget {
    pages: Turns<EnvironmentId>,
    events: Turns<EnvironmentId>,
    small_page: usize,
    small_event: usize,
}

/// A place, for as long as what it was taken for is in memory.
pub(super) type Place = Turn<EnvironmentId>;

impl Budget {
    /// How many bytes there are when nothing else is said: 64 MiB.
    pub const USUAL: usize = 64 << 20;

    /// So many bytes. Below 16 MiB it counts as 16 MiB.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        let quarter = bytes.max(16 << 20) / 4;
        Self {
            pages: Turns::new(2 * quarter / PAGE),
            events: Turns::new(quarter / EVENT),
            // Each endpoint has a part of the log that is being delivered, and one that was read ahead.
            small_page: quarter / 2 / (2 * ENDPOINTS),
            small_event: quarter / 2 / (CONCURRENCY * ENDPOINTS),
        }
    }

    /// About how many bytes of the log are read at once.
    #[must_use]
    pub fn page(&self) -> PageBytes {
        PageBytes::new(1 << 20)
    }

    /// A place to read a part of the log, when it is the environment's turn.
    pub(super) async fn to_read(&self, environment: EnvironmentId) -> Place {
        self.pages.take(environment).await
    }

    /// The place is kept for as long as what was read is in memory, if that is not small.
    pub(super) fn keep_for_page(&self, place: Place, bytes: usize) -> Option<Place> {
        (bytes > self.small_page).then_some(place)
    }

    /// A place to read one event, when it is the environment's turn.
    pub(super) async fn to_read_one(&self, environment: EnvironmentId) -> Place {
        self.events.take(environment).await
    }

    /// The same for one event.
    pub(super) fn keep_for_one(&self, place: Place, bytes: usize) -> Option<Place> {
        (bytes > self.small_event).then_some(place)
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new(Self::USUAL)
    }
}

#[cfg(test)]
mod tests {
    use patron_domain::testkit::an_id;
    use tokio::time::{Duration, timeout};

    use super::*;

    /// The most that is in memory at once, if everything that may be is.
    fn most(budget: &Budget, (pages, events): (usize, usize)) -> usize {
        let small = 2 * ENDPOINTS * budget.small_page + CONCURRENCY * ENDPOINTS * budget.small_event;
        small + pages * PAGE + events * EVENT
    }

    #[tokio::test]
    async fn everything_together_stays_within_the_budget() {
        for mebibytes in [16, 64, 1_024] {
            let budget = Budget::new(mebibytes << 20);
            let (mut pages, mut events) = (Vec::new(), Vec::new());
            // As many environments as it takes to fill all places.
            for number in 1..1_000 {
                let soon = Duration::from_millis(1);
                match timeout(soon, budget.to_read(an_id(number))).await {
                    Ok(place) => pages.push(budget.keep_for_page(place, 1 << 20).unwrap()),
                    Err(_) => break,
                }
            }
            for number in 1..1_000 {
                let soon = Duration::from_millis(1);
                match timeout(soon, budget.to_read_one(an_id(number))).await {
                    Ok(place) => events.push(budget.keep_for_one(place, 1 << 20).unwrap()),
                    Err(_) => break,
                }
            }
            assert!(!pages.is_empty() && !events.is_empty());
            let most = most(&budget, (pages.len(), events.len()));
            assert!(most <= mebibytes << 20, "{most} of {mebibytes} MiB");
        }
    }

    #[tokio::test]
    async fn what_is_small_gives_its_place_back() {
        let budget = Budget::default();
        for _ in 0..100 {
            let place = budget.to_read(an_id(1)).await;
            assert!(budget.keep_for_page(place, 1_000).is_none());
            let place = budget.to_read_one(an_id(1)).await;
            assert!(budget.keep_for_one(place, 1_000).is_none());
        }
        assert_eq!((budget.pages.used(), budget.events.used()), (0, 0));
    }
}
