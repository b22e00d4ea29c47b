//! A histogram of latencies, in buckets no wider than 3 %.

use std::time::Duration;

/// Each doubling of the time has this many buckets, and its binary logarithm.
const STEPS: u64 = 32;
const STEP_BITS: u32 = STEPS.ilog2();

/// Counts of times in microseconds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    longest: Duration,
}

impl Histogram {
    /// Counts one time.
    pub(crate) fn record(&mut self, time: Duration) {
        let bucket = bucket(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
        if self.counts.len() <= bucket {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] += 1;
        self.longest = self.longest.max(time);
    }

    /// Adds the counts of another histogram.
    pub(crate) fn add(&mut self, other: &Self) {
        self.counts.resize(self.counts.len().max(other.counts.len()), 0);
        self.counts.iter_mut().zip(&other.counts).for_each(|(mine, more)| *mine += more);
        self.longest = self.longest.max(other.longest);
    }

    /// The longest time.
    pub(crate) fn longest(&self) -> Duration {
        self.longest
    }

    /// The quantile of the times; `None` when there are none.
    pub(crate) fn quantile(&self, share: f64) -> Option<Duration> {
        let total: u64 = self.counts.iter().sum();
        let mut left = (total as f64 * share).ceil() as u64;
        for (bucket, count) in self.counts.iter().enumerate() {
            if *count >= left && total > 0 {
                return Some(Duration::from_micros(upper_end(bucket)).min(self.longest));
            }
            left -= count;
        }
        None
    }
}

fn bucket(micros: u64) -> usize {
    let octave = micros.max(1).ilog2().saturating_sub(STEP_BITS);
    let bucket = u64::from(octave) * STEPS + (micros >> octave);
    usize::try_from(bucket).unwrap_or(usize::MAX)
}

fn upper_end(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    let octave = (bucket / STEPS).saturating_sub(1);
    ((bucket - octave * STEPS + 1) << octave) - 1
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Histogram, bucket, upper_end};

    #[test]
    fn buckets_are_in_order_and_narrow() {
        for micros in (0..100_000).chain([1_000_000, 123_456_789]) {
            let end = upper_end(bucket(micros));
            assert!(micros <= end && end <= micros + micros / 31, "{micros} is below {end}");
            assert_eq!(bucket(end), bucket(micros));
            assert_eq!(bucket(end + 1), bucket(micros) + 1);
        }
    }

    #[test]
    fn quantiles_of_merged_histograms() {
        let (mut fast, mut slow) = (Histogram::default(), Histogram::default());
        assert_eq!(fast.quantile(0.5), None);
        (0..99).for_each(|_| fast.record(Duration::from_micros(10)));
        slow.record(Duration::from_secs(1));
        fast.add(&slow);
        assert_eq!(fast.quantile(0.5), Some(Duration::from_micros(10)));
        assert_eq!(fast.quantile(0.99), Some(Duration::from_micros(10)));
        assert_eq!(fast.quantile(1.0), Some(Duration::from_secs(1)));
    }
}
