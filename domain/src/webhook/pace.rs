//! How often events may be replayed to an endpoint.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{ids::WebhookEndpointId, time::Timestamp};

/// Limits the replays of each endpoint: on average [`ReplayPace::PER_SECOND`] events per second. A replay is accepted
/// unless earlier ones are more than a second ahead of this pace. Each process counts by itself; clones share their
/// counts.
///
/// ```
/// use patron_domain::{testkit::{a_time, an_id}, webhook::ReplayPace};
///
/// let pace = ReplayPace::default();
/// assert_eq!(pace.admit(an_id(1), 10_000, a_time()), Ok(()));
/// // The next one has to wait until the first could have been delivered.
/// assert_eq!(pace.admit(an_id(1), 1, a_time()).unwrap_err().as_secs(), 99);
/// assert_eq!(pace.admit(an_id(2), 1, a_time()), Ok(()));
/// ```
#[derive(Debug, Clone, Default)]
pub struct ReplayPace(Arc<Mutex<HashMap<WebhookEndpointId, Timestamp>>>);

/// Replays may be ahead of their pace by this time.
const AHEAD: Duration = Duration::from_secs(1);
/// Above this number of endpoints, those that keep the pace are removed.
const MANY: usize = 10_000;

impl ReplayPace {
    /// The number of events per second.
    pub const PER_SECOND: u32 = 100;

    /// Counts a replay of at most this many events, or returns the time to wait. Call [`Self::settle`] once their number
    /// is known.
    ///
    /// # Errors
    /// The time after which a replay is accepted.
    pub fn admit(&self, endpoint: WebhookEndpointId, events: usize, now: Timestamp) -> Result<(), Duration> {
        let mut busy = self.lock();
        let until = busy.get(&endpoint).copied().map_or(now, |until| until.max(now));
        let ahead = Duration::from_micros(u64::try_from(until.micros() - now.micros()).unwrap_or_default());
        if ahead > AHEAD {
            return Err(ahead - AHEAD);
        }
        if busy.len() >= MANY {
            busy.retain(|_, until| *until > now);
        }
        busy.insert(endpoint, until.later(time(events)));
        Ok(())
    }

    /// Corrects the count of a replay that had fewer events than [`Self::admit`] assumed.
    pub fn settle(&self, endpoint: WebhookEndpointId, assumed: usize, events: usize) {
        if let Some(until) = self.lock().get_mut(&endpoint) {
            *until = until.earlier(time(assumed.saturating_sub(events)));
        }
    }

    /// The map stays consistent even if a thread panics.
    fn lock(&self) -> MutexGuard<'_, HashMap<WebhookEndpointId, Timestamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The time that the events take at the pace.
fn time(events: usize) -> Duration {
    Duration::from_secs(1) / ReplayPace::PER_SECOND * u32::try_from(events).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{AHEAD, ReplayPace};
    use crate::testkit::{a_time, an_id};

    #[test]
    fn single_events_can_be_replayed_at_the_pace() {
        let (pace, mut accepted) = (ReplayPace::default(), 0);
        for millis in 0..10_000 {
            let now = a_time().later(Duration::from_millis(millis));
            accepted += usize::from(pace.admit(an_id(1), 1, now).is_ok());
        }
        // A hundred per second, and one second's worth ahead.
        assert!((1_095..=1_105).contains(&accepted), "{accepted}");
    }

    #[test]
    fn only_the_events_that_were_replayed_count() {
        let pace = ReplayPace::default();
        pace.admit(an_id(1), 10_000, a_time()).unwrap();
        assert!(pace.admit(an_id(1), 10_000, a_time()).is_err(), "a second one at the same time");
        pace.settle(an_id(1), 10_000, 0);
        pace.admit(an_id(1), 10_000, a_time()).unwrap();
        pace.settle(an_id(1), 10_000, 1_000);
        let wait = pace.admit(an_id(1), 1, a_time()).unwrap_err();
        assert_eq!(wait, Duration::from_secs(10) - AHEAD);
        assert_eq!(pace.admit(an_id(1), 1, a_time().later(wait)), Ok(()));
    }
}
