//! The generic cell rate algorithm: how many requests pass in a second, decided on one number (ITU-T I.371, annex A).
//!
//! The number is the time at which a bucket will be empty again if nothing more comes. Each request that passes moves it by
//! one interval; a request that would move it further than a second ahead does not pass. Pure: whoever asks keeps the
//! numbers and knows the time.

use std::time::Duration;

use super::PerSecond;

/// A second in nanoseconds.
const SECOND: u64 = 1_000_000_000;

/// How full a bucket is: until when, in nanoseconds of the asker's clock, it is not empty.
///
/// ```
/// use patron_domain::tenancy::{Gcra, PerSecond};
///
/// let (two, mut bucket) = (PerSecond::new(2).unwrap(), Gcra::default());
/// for left in [1, 0] {
///     let passed = bucket.ask(two, 0).unwrap();
///     assert_eq!(passed.left, left);
///     bucket = passed.after;
/// }
/// assert_eq!(bucket.ask(two, 0).unwrap_err().as_millis(), 500);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gcra(u64);

/// A request passes.
///
/// ```
/// use patron_domain::tenancy::{Gcra, Passed, PerSecond};
///
/// let Passed { after, left, .. } = Gcra::default().ask(PerSecond::new(10).unwrap(), 0).unwrap();
/// assert!(after != Gcra::default() && left == 9);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passed {
    /// The bucket with the request in it.
    pub after: Gcra,
    /// How many more would pass at once.
    pub left: u32,
    /// After how long it is empty again.
    pub empty_in: Duration,
}

impl Gcra {
    /// Whether a request passes at a time.
    ///
    /// # Errors
    /// After how long it would.
    pub fn ask(self, limit: PerSecond, now: u64) -> Result<Passed, Duration> {
        // Rounded up, so that never more pass than are allowed.
        let interval = SECOND.div_ceil(limit.get().into());
        // One second's worth at once: as many intervals, and not a second, which rounding makes too short for the last one.
        let burst = interval * u64::from(limit.get());
        let filled = self.0.max(now).saturating_add(interval);
        let ahead = filled - now;
        if ahead > burst {
            return Err(Duration::from_nanos(ahead - burst));
        }
        let left = u32::try_from((burst - ahead) / interval).unwrap_or(u32::MAX);
        Ok(Passed { after: Self(filled), left, empty_in: Duration::from_nanos(ahead) })
    }

    /// Whether it is as good as new: nothing has to be remembered of it.
    #[must_use]
    pub fn is_empty_at(self, now: u64) -> bool {
        self.0 <= now
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn per_second(number: i64) -> PerSecond {
        PerSecond::new(number).unwrap()
    }

    #[test]
    fn one_seconds_worth_comes_at_once_and_then_one_an_interval() {
        let (limit, mut bucket) = (per_second(4), Gcra::default());
        // When, and whether it passes.
        for (at, wanted) in [
            (0, Ok(3)),
            (0, Ok(2)),
            (0, Ok(1)),
            (0, Ok(0)),
            (0, Err(250)),
            (SECOND / 8, Err(125)),
            (SECOND / 4, Ok(0)),
            (SECOND / 4, Err(250)),
            // A pause fills it up again, and no further than one second's worth.
            (SECOND * 9, Ok(3)),
        ] {
            match bucket.ask(limit, at) {
                Ok(passed) => {
                    assert_eq!(Ok(passed.left), wanted, "{at}");
                    bucket = passed.after;
                }
                Err(wait) => assert_eq!(Err(wait.as_millis()), wanted.map_err(|wait: u128| wait), "{at}"),
            }
        }
    }

    #[test]
    fn every_limit_lets_as_many_pass_at_once_as_it_says() {
        for number in [1, 3, 7, 999, 1_000_000] {
            let mut bucket = Gcra::default();
            for left in (0..number).rev() {
                let passed = bucket.ask(per_second(number), 0).unwrap();
                assert_eq!(i64::from(passed.left), left);
                bucket = passed.after;
            }
            assert!(bucket.ask(per_second(number), 0).is_err(), "{number}");
        }
    }

    #[test]
    fn a_bucket_is_empty_when_its_time_has_come() {
        let bucket = Gcra::default().ask(per_second(1), 5).unwrap().after;
        assert!(
            Gcra::default().is_empty_at(0) && !bucket.is_empty_at(5 + SECOND - 1) && bucket.is_empty_at(5 + SECOND)
        );
    }

    proptest! {
        #[test]
        fn no_window_lets_more_pass_than_a_burst_and_what_its_time_allows(
            limit in 1..2_000_i64,
            pauses in prop::collection::vec(0..SECOND / 50, 1..600),
        ) {
            let (limit, mut bucket, mut now, mut passed) = (per_second(limit), Gcra::default(), 0, 0_u64);
            for pause in pauses {
                now += pause;
                if let Ok(one) = bucket.ask(limit, now) {
                    bucket = one.after;
                    passed += 1;
                }
                let most = u64::from(limit.get()) + now * u64::from(limit.get()) / SECOND;
                prop_assert!(passed <= most, "{passed} of {most}");
            }
        }

        #[test]
        fn who_waits_as_told_passes(limit in 1..5_000_i64, asked in 1..200_usize) {
            let (limit, mut bucket, mut now) = (per_second(limit), Gcra::default(), 7);
            for _ in 0..asked {
                if let Err(wait) = bucket.ask(limit, now) {
                    now += u64::try_from(wait.as_nanos()).unwrap();
                }
                bucket = bucket.ask(limit, now).expect("it waited").after;
            }
        }
    }
}
