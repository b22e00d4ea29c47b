//! When a failed delivery is retried, and how long a failing endpoint is paused.

use std::time::Duration;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// The wait after each failed attempt, in seconds: three days in total.
const DELAYS: [u64; 12] = [
    5,
    30,
    2 * MINUTE,
    10 * MINUTE,
    30 * MINUTE,
    HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    12 * HOUR,
    18 * HOUR,
    19 * HOUR + 17 * MINUTE + 25,
];

/// The longest pause of a failing endpoint.
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * MINUTE);

/// The longest wait that a receiver can ask for with `Retry-After`: an hour.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(HOUR);

/// The retries of failed deliveries: [`Retries::ATTEMPTS`] attempts, with growing waits between them.
///
/// ```
/// use std::time::Duration;
/// use patron_domain::webhook::Retries;
///
/// let retries = Retries::default();
/// assert!(retries.delay(1, 0).unwrap() < Duration::from_secs(6));
/// assert_eq!(retries.delay(Retries::ATTEMPTS, 0), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    span: Duration,
}

impl Retries {
    /// The attempts of one delivery, including the first.
    pub const ATTEMPTS: u32 = DELAYS.len() as u32 + 1;
    /// The default time from the first attempt to the last: three days.
    pub const SPAN: Duration = Duration::from_secs(72 * HOUR);

    /// Retries over another time span, with waits in the same proportions.
    #[must_use]
    pub fn over(span: Duration) -> Self {
        Self { span }
    }

    /// The wait after this many failed attempts; `None` when there is no further attempt. `jitter` is any number: it
    /// makes the wait up to a tenth shorter or longer, so that simultaneous failures are not all retried at the same
    /// time.
    #[must_use]
    pub fn delay(&self, failed: u32, jitter: u16) -> Option<Duration> {
        let index = usize::try_from(failed.checked_sub(1)?).ok()?;
        let base = Duration::from_secs(*DELAYS.get(index)?);
        let share = self.span.as_secs_f64() / Self::SPAN.as_secs_f64();
        Some(base.mul_f64(share * factor(jitter)))
    }

    /// The pause of an endpoint after this many failed rounds in a row.
    #[must_use]
    pub fn pause(&self, rounds: u32, jitter: u16) -> Duration {
        let doubled = Duration::from_secs(1) * 2_u32.saturating_pow(rounds.saturating_sub(1).min(16));
        // A shorter span shortens every wait.
        let longest = LONGEST_PAUSE.min(self.span / 10);
        doubled.min(longest).mul_f64(factor(jitter))
    }
}

impl Default for Retries {
    fn default() -> Self {
        Self::over(Self::SPAN)
    }
}

/// From 0.9 to 1.1.
fn factor(jitter: u16) -> f64 {
    0.9 + 0.2 * f64::from(jitter) / f64::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Retries;

    #[test]
    fn the_waits_grow_and_last_three_days() {
        let middle = u16::MAX / 2;
        let waits: Vec<_> = (1..).map_while(|failed| Retries::default().delay(failed, middle)).collect();
        assert_eq!(waits.len() + 1, Retries::ATTEMPTS as usize);
        assert!(waits.is_sorted());
        let all: Duration = waits.iter().sum();
        assert!(all.abs_diff(Retries::SPAN) < Duration::from_secs(10), "{all:?}");
        assert_eq!(Retries::default().delay(0, 0), None);
    }

    #[test]
    fn jitter_is_up_to_a_tenth_and_the_span_scales_all_waits() {
        let seconds = |jitter| Retries::default().delay(1, jitter).unwrap().as_secs_f64();
        assert!((seconds(0) - 4.5).abs() < 1e-6 && (seconds(u16::MAX) - 5.5).abs() < 1e-6);
        let short = Retries::over(Duration::from_secs(60));
        let all: Duration = (1..).map_while(|failed| short.delay(failed, u16::MAX / 2)).sum();
        assert!(all.abs_diff(Duration::from_secs(60)) < Duration::from_secs(1));
    }

    #[test]
    fn pauses_double_up_to_five_minutes() {
        let pause = |rounds| Retries::default().pause(rounds, u16::MAX / 2).as_secs_f64().round();
        assert_eq!([1, 2, 3, 4, 9, 10, 1_000].map(pause), [1.0, 2.0, 4.0, 8.0, 256.0, 300.0, 300.0]);
    }
}
