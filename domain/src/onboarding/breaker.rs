//! Breakers: pauses of calls to hosts that do not answer, because each such call takes its full time, and the place of
//! another run.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{ids::EnvironmentId, time::Timestamp};

/// Decides whether calls to a host may be made. It is a pure state machine.
///
/// At first they may. After [`Breaker::FAILURES`] unanswered calls in a row, no call is made for a while. Then one call
/// is made, the probe. If it is answered, all calls may be made again; otherwise none for twice as long. Any answer
/// counts, whatever its status.
///
/// ```
/// use patron_domain::{onboarding::Breaker, testkit::a_time};
///
/// let mut breaker = Breaker::default();
/// for _ in 0..Breaker::FAILURES {
///     assert!(breaker.admit(a_time()).is_ok());
///     breaker = breaker.after(false, a_time());
/// }
/// assert_eq!(breaker.admit(a_time()), Err(a_time().later(Breaker::FIRST)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Breaker(State);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Calls may be made. The number of unanswered calls in a row.
    Closed(u32),
    /// No call may be made until this time. The number of failed probes.
    Open(Timestamp, u32),
    /// A probe is in progress, until this time at most. The number of failed probes.
    Probing(Timestamp, u32),
}

impl Default for Breaker {
    /// The breaker of a host that was never called.
    fn default() -> Self {
        Self(State::Closed(0))
    }
}

impl Breaker {
    /// The number of unanswered calls in a row after which calls pause.
    pub const FAILURES: u32 = 5;
    /// The first pause.
    pub const FIRST: Duration = Duration::from_secs(15);
    /// The longest pause.
    pub const LONGEST: Duration = Duration::from_secs(300);
    /// The time after which another probe is made; longer than any call.
    pub const PROBE: Duration = Duration::from_secs(20);

    /// Checks whether a call may be made now. Only one probe is admitted; other calls wait for its result.
    ///
    /// # Errors
    /// The time to ask again.
    pub fn admit(&mut self, now: Timestamp) -> Result<(), Timestamp> {
        match self.0 {
            State::Closed(_) => Ok(()),
            State::Open(until, _) | State::Probing(until, _) if now < until => Err(until),
            State::Open(_, times) | State::Probing(_, times) => {
                self.0 = State::Probing(now.later(Self::PROBE), times);
                Ok(())
            }
        }
    }

    /// The breaker after a call.
    #[must_use]
    pub fn after(self, answered: bool, now: Timestamp) -> Self {
        Self(match self.0 {
            _ if answered => State::Closed(0),
            State::Closed(failures) if failures + 1 < Self::FAILURES => State::Closed(failures + 1),
            State::Closed(_) => State::Open(now.later(Self::FIRST), 0),
            // The call began before the pause, so it adds no information.
            open @ State::Open(..) => open,
            State::Probing(_, times) => {
                let times = times.saturating_add(1);
                let pause = Self::FIRST.saturating_mul(1_u32.checked_shl(times).unwrap_or(u32::MAX));
                State::Open(now.later(pause.min(Self::LONGEST)), times)
            }
        })
    }

    /// The breaker of a host that asked for no calls until a time.
    #[must_use]
    pub fn resting(self, until: Timestamp) -> Self {
        Self(match self.0 {
            State::Closed(_) => State::Open(until, 0),
            State::Open(at, times) => State::Open(at.max(until), times),
            State::Probing(_, times) => State::Open(until, times),
        })
    }

    /// Whether the breaker has its initial state, so that it need not be kept.
    #[must_use]
    pub fn is_calm(&self) -> bool {
        self.0 == State::Closed(0)
    }
}

/// The breakers of the hosts that a process calls. Each environment has its own, so one tenant's calls do not affect
/// another's. Hosts that answer are not kept. Clones share their state.
///
/// ```
/// use patron_domain::{onboarding::Breakers, testkit::{a_time, an_id}};
///
/// let breakers = Breakers::default();
/// assert!(breakers.admit(an_id(1), "crm.example", a_time()).is_ok());
/// breakers.note(an_id(1), "crm.example", true, a_time());
/// ```
#[derive(Debug, Clone, Default)]
pub struct Breakers(Arc<Mutex<HashMap<(EnvironmentId, String), Breaker>>>);

impl Breakers {
    /// The most hosts that are kept. One more clears them all.
    pub const MAX_HOSTS: usize = 10_000;

    /// As [`Breaker::admit`].
    ///
    /// # Errors
    /// The time to ask again.
    pub fn admit(&self, environment: EnvironmentId, host: &str, now: Timestamp) -> Result<(), Timestamp> {
        match self.lock().get_mut(&(environment, host.to_owned())) {
            Some(breaker) => breaker.admit(now),
            None => Ok(()),
        }
    }

    /// As [`Breaker::after`].
    pub fn note(&self, environment: EnvironmentId, host: &str, answered: bool, now: Timestamp) {
        self.change(environment, host, |breaker| breaker.after(answered, now));
    }

    /// As [`Breaker::resting`].
    pub fn rest(&self, environment: EnvironmentId, host: &str, until: Timestamp) {
        self.change(environment, host, |breaker| breaker.resting(until));
    }

    fn change(&self, environment: EnvironmentId, host: &str, change: impl FnOnce(Breaker) -> Breaker) {
        let (mut known, key) = (self.lock(), (environment, host.to_owned()));
        let after = change(known.get(&key).copied().unwrap_or_default());
        if after.is_calm() {
            known.remove(&key);
            return;
        }
        if known.len() >= Self::MAX_HOSTS && !known.contains_key(&key) {
            known.clear();
        }
        known.insert(key, after);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(EnvironmentId, String), Breaker>> {
        // A panic while the lock was held leaves a valid state.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Breaker, Breakers};
    use crate::{
        testkit::{a_time, an_id},
        time::Timestamp,
    };

    fn at(seconds: u64) -> Timestamp {
        a_time().later(Duration::from_secs(seconds))
    }

    fn failed(times: u32, breaker: Breaker, now: Timestamp) -> Breaker {
        (0..times).fold(breaker, |breaker, _| breaker.after(false, now))
    }

    #[test]
    fn only_failures_in_a_row_open_it() {
        let mut breaker = failed(Breaker::FAILURES - 1, Breaker::default(), at(0)).after(true, at(1));
        assert!(breaker.is_calm());
        breaker = failed(Breaker::FAILURES - 1, breaker, at(2));
        assert_eq!(breaker.admit(at(2)), Ok(()));
        breaker = failed(1, breaker, at(2));
        assert_eq!(breaker.admit(at(16)), Err(at(17)));
        assert_eq!(failed(100, breaker, at(16)), breaker, "calls that began before");
    }

    #[test]
    fn one_call_is_the_probe_and_decides() {
        let mut breaker = failed(Breaker::FAILURES, Breaker::default(), at(0));
        assert_eq!(breaker.admit(at(15)), Ok(()));
        assert_eq!(breaker.admit(at(15)), Err(at(35)), "one probe at a time");
        assert!(breaker.after(true, at(16)).is_calm());
        let mut longer = breaker.after(false, at(20));
        assert_eq!(longer.admit(at(20)), Err(at(50)), "twice as long");
        assert_eq!(longer.admit(at(50)), Ok(()));
        // If the result of a probe is never reported, another one follows.
        assert_eq!(longer.admit(at(70)), Ok(()));
    }

    #[test]
    fn it_is_never_open_for_longer_than_the_longest() {
        let (mut breaker, mut now) = (failed(Breaker::FAILURES, Breaker::default(), at(0)), 0);
        for _ in 0..100 {
            now += Breaker::LONGEST.as_secs();
            assert_eq!(breaker.admit(at(now)), Ok(()));
            breaker = breaker.after(false, at(now));
        }
        assert_eq!(breaker.admit(at(now)), Err(at(now + Breaker::LONGEST.as_secs())));
    }

    #[test]
    fn a_host_that_asks_for_it_gets_no_calls_until_then_and_one_call_first() {
        let mut breaker = Breaker::default().resting(at(60));
        assert_eq!(breaker.admit(at(59)), Err(at(60)));
        assert_eq!(breaker.resting(at(30)), breaker, "an earlier time changes nothing");
        assert_eq!(breaker.admit(at(60)), Ok(()));
        assert_eq!(breaker.admit(at(60)), Err(at(80)), "one call at a time");
        assert_eq!(breaker.resting(at(90)).admit(at(89)), Err(at(90)));
        assert!(breaker.after(true, at(61)).is_calm());
    }

    #[test]
    fn hosts_and_environments_have_breakers_of_their_own() {
        let breakers = Breakers::default();
        for _ in 0..Breaker::FAILURES {
            breakers.note(an_id(1), "dead.example", false, at(0));
        }
        assert_eq!(breakers.admit(an_id(1), "dead.example", at(1)), Err(at(15)));
        assert_eq!(breakers.admit(an_id(2), "dead.example", at(1)), Ok(()));
        assert_eq!(breakers.admit(an_id(1), "live.example", at(1)), Ok(()));
        assert_eq!(breakers.admit(an_id(1), "dead.example", at(15)), Ok(()));
        breakers.note(an_id(1), "dead.example", true, at(16));
        assert_eq!(breakers.lock().len(), 0, "hosts that answer are not kept");
    }
}
