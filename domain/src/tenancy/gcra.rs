//! The generic cell rate algorithm: limits the requests per second with one stored number (ITU-T I.371, annex A).
//!
//! The number is the time at which a bucket is empty again if no more requests come. Each accepted request moves it by
//! one interval. A request that would move it more than a second ahead is rejected. Pure: the caller stores the numbers
//! and provides the time.

use std::time::Duration;

use super::PerSecond;

/// A second in nanoseconds.
const SECOND: u64 = 1_000_000_000;

/// The state of a bucket: the time at which it is empty, in nanoseconds of the caller's clock.
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

/// A request was accepted.
///
/// ```
/// use patron_domain::tenancy::{Gcra, Passed, PerSecond};
///
/// let Passed { after, left, .. } = Gcra::default().ask(PerSecond::new(10).unwrap(), 0).unwrap();
/// assert!(after != Gcra::default() && left == 9);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passed {
    /// The bucket after the request.
    pub after: Gcra,
    /// The number of requests that would still be accepted now.
    pub left: u32,
    /// The time until the bucket is empty.
    pub empty_in: Duration,
}

impl Gcra {
    /// Whether a request is accepted at a time.
    ///
    /// # Errors
    /// The time to wait until a request is accepted.
    pub fn ask(self, limit: PerSecond, now: u64) -> Result<Passed, Duration> {
        // Rounded up, so that the limit is never exceeded.
        let interval = SECOND.div_ceil(limit.get().into());
        // The burst is a second's worth of requests. It is a number of intervals rather than a second, because the
        // rounded-up intervals together may be longer than a second.
        let burst = interval * u64::from(limit.get());
        let filled = self.0.max(now).saturating_add(interval);
        let ahead = filled - now;
        if ahead > burst {
            return Err(Duration::from_nanos(ahead - burst));
        }
        let left = u32::try_from((burst - ahead) / interval).unwrap_or(u32::MAX);
        Ok(Passed { after: Self(filled), left, empty_in: Duration::from_nanos(ahead) })
    }

    /// Whether the bucket is empty, so that it need not be stored.
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
    fn a_burst_is_accepted_and_then_one_request_per_interval() {
        let (limit, mut bucket) = (per_second(4), Gcra::default());
        // The time and the expected result.
        for (at, wanted) in [
            (0, Ok(3)),
            (0, Ok(2)),
            (0, Ok(1)),
            (0, Ok(0)),
            (0, Err(250)),
            (SECOND / 8, Err(125)),
            (SECOND / 4, Ok(0)),
            (SECOND / 4, Err(250)),
            // A pause refills the bucket, but only up to one second's worth.
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
    fn the_burst_of_every_limit_is_exact() {
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
    fn a_bucket_is_empty_after_its_time() {
        let bucket = Gcra::default().ask(per_second(1), 5).unwrap().after;
        assert!(
            Gcra::default().is_empty_at(0) && !bucket.is_empty_at(5 + SECOND - 1) && bucket.is_empty_at(5 + SECOND)
        );
    }

    proptest! {
        #[test]
        fn no_window_accepts_more_than_a_burst_and_the_rate(
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
        fn a_request_after_the_returned_wait_is_accepted(limit in 1..5_000_i64, asked in 1..200_usize) {
            let (limit, mut bucket, mut now) = (per_second(limit), Gcra::default(), 7);
            for _ in 0..asked {
                if let Err(wait) = bucket.ask(limit, now) {
                    now += u64::try_from(wait.as_nanos()).unwrap();
                }
                bucket = bucket.ask(limit, now).expect("accepted after the wait").after;
            }
        }
    }
}
