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
/// assert_eq!(pace.admit(an_id(1), a_time()), Ok(()));
/// pace.count(an_id(1), 10_000, a_time());
/// // The next one has to wait until these could have been delivered.
/// assert_eq!(pace.admit(an_id(1), a_time()).unwrap_err().as_secs(), 99);
/// assert_eq!(pace.admit(an_id(2), a_time()), Ok(()));
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

    /// Whether a replay is accepted now.
    ///
    /// # Errors
    /// The time after which it is accepted.
    pub fn admit(&self, endpoint: WebhookEndpointId, now: Timestamp) -> Result<(), Duration> {
        let until = self.lock().get(&endpoint).copied().unwrap_or(now);
        let ahead = Duration::from_micros(u64::try_from(until.micros() - now.micros()).unwrap_or_default());
        if ahead > AHEAD { Err(ahead - AHEAD) } else { Ok(()) }
    }

    /// Counts the events of a replay.
    pub fn count(&self, endpoint: WebhookEndpointId, events: u64, now: Timestamp) {
        let mut busy = self.lock();
        if busy.len() >= MANY {
            busy.retain(|_, until| *until > now);
        }
        let time = Duration::from_secs(1) / Self::PER_SECOND * u32::try_from(events).unwrap_or(u32::MAX);
        let until = busy.entry(endpoint).or_insert(now);
        *until = now.max(*until).later(time);
    }

    /// The map stays consistent even if a thread panics.
    fn lock(&self) -> MutexGuard<'_, HashMap<WebhookEndpointId, Timestamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
            if pace.admit(an_id(1), now).is_ok() {
                pace.count(an_id(1), 1, now);
                accepted += 1;
            }
        }
        // A hundred per second, and one second's worth ahead.
        assert!((1_095..=1_105).contains(&accepted), "{accepted}");
    }

    #[test]
    fn replays_that_were_accepted_at_the_same_time_all_count() {
        let pace = ReplayPace::default();
        pace.count(an_id(1), 1_000, a_time());
        pace.count(an_id(1), 1_000, a_time());
        let wait = pace.admit(an_id(1), a_time()).unwrap_err();
        assert_eq!(wait, Duration::from_secs(20) - AHEAD);
        assert_eq!(pace.admit(an_id(1), a_time().later(wait)), Ok(()));
    }
}
