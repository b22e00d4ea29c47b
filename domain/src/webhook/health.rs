//! How an endpoint is doing, and when it is left alone.

use std::time::Duration;

use super::retry::Retries;
use crate::{time::Timestamp, words::words};

/// How an endpoint has answered lately.
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
    /// Since when nothing was taken any more; `None` while things are.
    pub failing_since: Option<Timestamp>,
    /// How many rounds in a row brought only failures.
    pub failed_rounds: u32,
    /// Until when it is left in peace.
    pub paused_until: Option<Timestamp>,
}

/// What the attempts of a round came to.
///
/// ```
/// use patron_domain::{testkit::a_time, webhook::{DISABLE_AFTER, Health, Retries, Tally}};
///
/// let round = Tally { delivered: 1, failed: 9, gone: false };
/// let ill = Health { failed_rounds: 3, ..Health::default() };
/// assert_eq!(ill.after(round, a_time(), &Retries::default(), DISABLE_AFTER, 0), (Health::default(), None));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many were taken.
    pub delivered: u32,
    /// How many were not.
    pub failed: u32,
    /// Whether the endpoint said that it wants nothing more.
    pub gone: bool,
}

/// Why an endpoint was disabled.
///
/// ```
/// use patron_domain::webhook::DisabledReason;
///
/// assert_eq!(DisabledReason::Gone.as_str(), "gone");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DisabledReason {
    /// By its owner.
    Request,
    /// It took nothing for too long.
    Failing,
    /// It answered 410 Gone.
    Gone,
}

words!(
    DisabledReason, "request, failing, gone",
    Request => "request", Failing => "failing", Gone => "gone",
);

/// After how many failures, without one success, a round is given up.
const HOPELESS: u32 = 16;
/// The shortest rest of an endpoint for which there was nothing to do.
const SHORTEST_REST: Duration = Duration::from_secs(1);

impl Tally {
    /// Whether a round had better end: so many failures and nothing taken.
    #[must_use]
    pub fn is_hopeless(&self) -> bool {
        self.delivered == 0 && self.failed >= HOPELESS
    }
}

/// When an endpoint that takes nothing is disabled, unless it is configured: after five days.
pub const DISABLE_AFTER: Duration = Duration::from_secs(5 * 24 * 3_600);

impl Health {
    /// How an endpoint is doing after a round, and whether it is to be disabled. Pure.
    ///
    /// Anything taken makes it well. A round of failures alone makes it pause, longer each time; when it has taken nothing
    /// for `disable_after`, or has answered 410, it is disabled.
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

    /// The same with the rest it is given after a round. One in which there was something to do is followed by another, unless
    /// the endpoint fails; otherwise nothing is read for it until a delivery is due, and for a second at least.
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

    /// Whether it failed the last time: then a few attempts find out how it is.
    #[must_use]
    pub fn is_suspect(&self) -> bool {
        self.failed_rounds > 0
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{DISABLE_AFTER, DisabledReason, Health, Tally};
    use crate::{testkit::a_time, webhook::Retries};

    #[test]
    fn failures_alone_pause_and_one_success_makes_well() {
        let bad = Tally { failed: 3, ..Tally::default() };
        let after = |health: Health, tally| health.after(tally, a_time(), &Retries::default(), DISABLE_AFTER, 0).0;
        let once = after(Health::default(), bad);
        assert!(once.is_suspect() && once.paused_until > Some(a_time()));
        let twice = after(once, bad);
        assert!(twice.paused_until > once.paused_until);
        assert_eq!(after(twice, Tally { delivered: 1, failed: 9, gone: false }), Health::default());
        assert_eq!(after(twice, Tally::default()), twice);
    }

    #[test]
    fn five_days_of_nothing_or_a_410_disable() {
        let bad = Tally { failed: 1, ..Tally::default() };
        let (health, _) = Health::default().after(bad, a_time(), &Retries::default(), DISABLE_AFTER, 0);
        let almost = a_time().later(DISABLE_AFTER - Duration::from_secs(1));
        let (health, disabled) = health.after(bad, almost, &Retries::default(), DISABLE_AFTER, 0);
        assert_eq!(disabled, None);
        let at = a_time().later(DISABLE_AFTER);
        assert_eq!(health.after(bad, at, &Retries::default(), DISABLE_AFTER, 0).1, Some(DisabledReason::Failing));
        let gone = Tally { gone: true, failed: 1, delivered: 5 };
        assert_eq!(
            Health::default().after(gone, at, &Retries::default(), DISABLE_AFTER, 0).1,
            Some(DisabledReason::Gone)
        );
    }

    #[test]
    fn an_endpoint_rests_until_there_is_something_to_do_and_an_ill_one_as_long_as_its_failures_say() {
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
    fn a_round_of_nothing_but_failures_is_given_up() {
        assert!(Tally { failed: 16, ..Tally::default() }.is_hopeless());
        assert!(!Tally { failed: 15, ..Tally::default() }.is_hopeless());
        assert!(!Tally { failed: 99, delivered: 1, gone: false }.is_hopeless());
    }
}
