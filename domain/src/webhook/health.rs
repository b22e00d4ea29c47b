//! The health of an endpoint: when it is paused, and when it is disabled.

use std::time::Duration;

use super::{
    delivery::{Attempt, SendFailure},
    retry::Retries,
};
use crate::{time::Timestamp, words::words};

/// How an endpoint has responded lately.
///
/// ```
/// use patron_domain::{testkit::a_time, webhook::{DISABLE_AFTER, Health, Retries, Tally}};
///
/// let round = Tally { failed: 3, ..Tally::default() };
/// let (health, disabled) = Health::default().after(round, a_time(), &Retries::default(), DISABLE_AFTER, 0);
/// assert!(health.is_suspect() && health.paused_until > Some(a_time()));
/// assert_eq!(disabled, None);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Health {
    /// Since when every delivery has failed; `None` after a success.
    pub failing_since: Option<Timestamp>,
    /// The number of consecutive rounds in which every attempt failed.
    pub failed_rounds: u32,
    /// The time until which it is paused.
    pub paused_until: Option<Timestamp>,
}

/// The results of a round's attempts.
///
/// ```
/// use patron_domain::{testkit::a_time, webhook::{DISABLE_AFTER, Health, Retries, Tally}};
///
/// let round = Tally { delivered: 1, failed: 9, ..Tally::default() };
/// let ill = Health { failed_rounds: 3, ..Health::default() };
/// assert_eq!(ill.after(round, a_time(), &Retries::default(), DISABLE_AFTER, 0), (Health::default(), None));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// The number of accepted deliveries.
    pub delivered: u32,
    /// The number of failed attempts.
    pub failed: u32,
    /// The number of deliveries of which nothing was sent: the event was removed from the log, or is withheld.
    pub unsent: u32,
    /// Whether the endpoint responded that it wants no more deliveries.
    pub gone: bool,
    /// The time before which the endpoint wants no request: see [`Attempt::not_before`].
    pub not_before: Option<Timestamp>,
}

/// Why an endpoint is disabled.
///
/// ```
/// use patron_domain::webhook::DisabledReason;
///
/// assert_eq!(DisabledReason::Gone.as_str(), "gone");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DisabledReason {
    /// The owner disabled it.
    Request,
    /// It accepted nothing for too long.
    Failing,
    /// It responded 410 Gone.
    Gone,
}

words!(
    DisabledReason, "request, failing, gone",
    Request => "request", Failing => "failing", Gone => "gone",
);

/// The number of failures without a success after which a round ends.
const HOPELESS: u32 = 16;
/// The shortest pause of an endpoint without work.
const SHORTEST_REST: Duration = Duration::from_secs(1);

impl Tally {
    /// Counts an attempt. An event that was removed from the log or is withheld is neither delivered nor a failure of the
    /// endpoint.
    pub fn count(&mut self, attempt: &Attempt) {
        if attempt.is_success() {
            self.delivered += 1;
        } else if matches!(attempt.outcome, Err(SendFailure::EventGone | SendFailure::Withheld)) {
            self.unsent += 1;
        } else {
            self.failed += 1;
        }
        self.gone |= attempt.is_gone();
        self.not_before = self.not_before.max(attempt.not_before());
    }

    /// Whether the round should begin no more attempts: the endpoint responded 410 or asked to wait, or there were many
    /// failures and no success.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.gone || self.not_before.is_some() || self.delivered == 0 && self.failed >= HOPELESS
    }
}

/// The time without a success after which an endpoint is disabled, by default: five days.
pub const DISABLE_AFTER: Duration = Duration::from_secs(5 * 24 * 3_600);

impl Health {
    /// The health after a round, and whether to disable the endpoint. Pure.
    ///
    /// One success resets the health. A round with only failures pauses the endpoint, longer each time. Without any
    /// success for `disable_after`, or after a 410, the endpoint is disabled.
    #[must_use]
    pub fn after(
        self,
        round: Tally,
        now: Timestamp,
        retries: &Retries,
        disable_after: Duration,
        jitter: u16,
    ) -> (Self, Option<DisabledReason>) {
        if round.gone {
            return (self, Some(DisabledReason::Gone));
        }
        match round {
            Tally { delivered: 0, failed: 0, .. } => (self, None),
            Tally { delivered: 0, .. } => {
                let failed_rounds = self.failed_rounds.saturating_add(1);
                let since = self.failing_since.unwrap_or(now);
                let pause = retries.pause(failed_rounds, jitter);
                let health = Self { failing_since: Some(since), failed_rounds, paused_until: Some(now.later(pause)) };
                (health, (since.later(disable_after) <= now).then_some(DisabledReason::Failing))
            }
            _ => (Self::default(), None),
        }
    }

    /// The health with the pause after a round. A round with work is followed by another at once, unless the endpoint
    /// fails. Otherwise the endpoint pauses until a delivery is due, for at least a second.
    #[must_use]
    pub fn rested(self, worked: bool, next_at: Option<Timestamp>, now: Timestamp) -> Self {
        let soonest = now.later(SHORTEST_REST);
        let paused_until = match worked {
            false => Some(next_at.map_or(soonest, |at| at.max(soonest))),
            true if self.is_suspect() => self.paused_until,
            true => None,
        };
        Self { paused_until, ..self }
    }

    /// The health with a pause until the time for which the endpoint asked, if it did.
    #[must_use]
    pub fn resting(self, round: Tally) -> Self {
        Self { paused_until: self.paused_until.max(round.not_before), ..self }
    }

    /// Whether the last round failed. If so, the next round begins with only a few attempts.
    #[must_use]
    pub fn is_suspect(&self) -> bool {
        self.failed_rounds > 0
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{DISABLE_AFTER, DisabledReason, Health, Tally};
    use crate::{
        testkit::a_time,
        webhook::{Attempt, MAX_RETRY_AFTER, Retries},
    };

    #[test]
    fn failures_pause_the_endpoint_and_one_success_resets_it() {
        let bad = Tally { failed: 3, ..Tally::default() };
        let after = |health: Health, tally| health.after(tally, a_time(), &Retries::default(), DISABLE_AFTER, 0).0;
        let once = after(Health::default(), bad);
        assert!(once.is_suspect() && once.paused_until > Some(a_time()));
        let twice = after(once, bad);
        assert!(twice.paused_until > once.paused_until);
        assert_eq!(after(twice, Tally { delivered: 1, failed: 9, ..Tally::default() }), Health::default());
        assert_eq!(after(twice, Tally::default()), twice);
    }

    #[test]
    fn five_days_without_success_or_a_410_disable_the_endpoint() {
        let bad = Tally { failed: 1, ..Tally::default() };
        let (health, _) = Health::default().after(bad, a_time(), &Retries::default(), DISABLE_AFTER, 0);
        let almost = a_time().later(DISABLE_AFTER - Duration::from_secs(1));
        let (health, disabled) = health.after(bad, almost, &Retries::default(), DISABLE_AFTER, 0);
        assert_eq!(disabled, None);
        let at = a_time().later(DISABLE_AFTER);
        assert_eq!(health.after(bad, at, &Retries::default(), DISABLE_AFTER, 0).1, Some(DisabledReason::Failing));
        let gone = Tally { gone: true, failed: 1, delivered: 5, ..Tally::default() };
        assert_eq!(
            Health::default().after(gone, at, &Retries::default(), DISABLE_AFTER, 0).1,
            Some(DisabledReason::Gone)
        );
    }

    #[test]
    fn an_idle_endpoint_pauses_until_a_delivery_is_due_and_a_failing_one_for_its_failures() {
        let (now, second) = (a_time(), Duration::from_secs(1));
        let ill = Health { failed_rounds: 1, paused_until: Some(now.later(9 * second)), ..Health::default() };
        let well = Health { paused_until: Some(now), ..Health::default() };
        let rest = |health: Health, worked, next_at| health.rested(worked, next_at, now).paused_until;
        assert_eq!(rest(well, true, None), None);
        assert_eq!(rest(ill, true, None), ill.paused_until);
        assert_eq!(rest(well, false, None), Some(now.later(second)));
        assert_eq!(rest(ill, false, Some(now)), Some(now.later(second)));
        assert_eq!(rest(well, false, Some(now.later(5 * second))), Some(now.later(5 * second)));
    }

    #[test]
    fn an_endpoint_that_asks_to_wait_gets_no_more_attempts_until_then() {
        let busy = |status, retry_after| {
            let (at, took, answer) = (a_time(), Duration::from_secs(1), String::new());
            let mut tally = Tally { delivered: 5, ..Tally::default() };
            tally.count(&Attempt { at, took, outcome: Ok(status), answer, retry_after: Some(retry_after) });
            tally
        };
        let minute = Duration::from_secs(60);
        let until = a_time().later(Duration::from_secs(61));
        for status in [429, 503] {
            let round = busy(status, minute);
            assert!(round.is_over());
            assert_eq!(Health::default().resting(round).paused_until, Some(until));
            let later = Health { paused_until: Some(until.later(minute)), ..Health::default() };
            assert_eq!(later.resting(round), later);
        }
        for status in [200, 500] {
            assert_eq!(busy(status, minute).not_before, None, "{status}");
        }
        let longest = a_time().later(Duration::from_secs(1) + MAX_RETRY_AFTER);
        assert_eq!(busy(503, 10 * MAX_RETRY_AFTER).not_before, Some(longest));
    }

    #[test]
    fn a_round_with_only_failures_ends_early() {
        assert!(Tally { failed: 16, ..Tally::default() }.is_over());
        assert!(!Tally { failed: 15, ..Tally::default() }.is_over());
        assert!(!Tally { failed: 99, delivered: 1, ..Tally::default() }.is_over());
    }
}
