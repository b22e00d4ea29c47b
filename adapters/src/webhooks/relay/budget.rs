//! Limits the memory for events that are being delivered, in bytes.
//!
//! Small pages and events are not counted: half of the budget holds one for every endpoint and every attempt. A larger
//! one takes one of a few places, at which environments take turns. There are places for pages of the log, and for single
//! events that are read again for another attempt.

use patron_domain::{ids::EnvironmentId, page::PageBytes};

use super::{ENDPOINTS, attempt::CONCURRENCY};
use crate::turns::{Turn, Turns};

/// The memory of one page of the log, including its last event, which is at most 1 MiB, and the memory to read it.
const PAGE: usize = 4 << 20;
/// The memory of one event that is read again: its state and its body.
const EVENT: usize = 3 << 20;

/// The memory that deliveries may use.
pub struct Budget {
    pages: Turns<EnvironmentId>,
    events: Turns<EnvironmentId>,
    small_page: usize,
    small_event: usize,
}

/// A place in the budget, held while its page or event is in memory.
pub(super) type Place = Turn<EnvironmentId>;

impl Budget {
    /// The default size: 64 MiB.
    pub const USUAL: usize = 64 << 20;

    /// Creates a budget of some bytes; at least 16 MiB.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        let quarter = bytes.max(16 << 20) / 4;
        Self {
            pages: Turns::new(2 * quarter / PAGE),
            events: Turns::new(quarter / EVENT),
            // Each endpoint has a page that is being delivered, and one that was read ahead.
            small_page: quarter / 2 / (2 * ENDPOINTS),
            small_event: quarter / 2 / (CONCURRENCY * ENDPOINTS),
        }
    }

    /// The approximate size of a page of the log.
    #[must_use]
    pub fn page(&self) -> PageBytes {
        PageBytes::new(1 << 20)
    }

    /// Waits for the environment's turn to read a page of the log.
    pub(super) async fn to_read(&self, environment: EnvironmentId) -> Place {
        self.pages.take(environment).await
    }

    /// Keeps the place if the page is not small.
    pub(super) fn keep_for_page(&self, place: Place, bytes: usize) -> Option<Place> {
        (bytes > self.small_page).then_some(place)
    }

    /// Waits for the environment's turn to read one event.
    pub(super) async fn to_read_one(&self, environment: EnvironmentId) -> Place {
        self.events.take(environment).await
    }

    /// Keeps the place if the event is not small.
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

    /// The largest possible use of memory.
    fn most(budget: &Budget, (pages, events): (usize, usize)) -> usize {
        let small = 2 * ENDPOINTS * budget.small_page + CONCURRENCY * ENDPOINTS * budget.small_event;
        small + pages * PAGE + events * EVENT
    }

    #[tokio::test]
    async fn everything_together_stays_within_the_budget() {
        for mebibytes in [16, 64, 1_024] {
            let budget = Budget::new(mebibytes << 20);
            let (mut pages, mut events) = (Vec::new(), Vec::new());
            // Enough environments to fill all places.
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
