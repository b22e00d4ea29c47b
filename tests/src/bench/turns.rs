//! Sides take turns: A B A B …, so that a disturbance of the machine affects both. Medians are compared.

use std::time::Duration;

use crate::{cli::Options, histogram::Histogram, load::Tally};

/// The result of one turn.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    /// Successes per second.
    pub(crate) per_second: f64,
    /// The latencies, where known.
    pub(crate) latency: Option<Histogram>,
    /// A description of failures; empty when there were none.
    pub(crate) faults: String,
}

impl From<Tally> for Turn {
    fn from(tally: Tally) -> Self {
        let mut faults: Vec<_> = tally.other.iter().map(|(status, count)| format!("{count} × {status}")).collect();
        if tally.broken > 0 {
            faults.push(format!("{} × no answer", tally.broken));
        }
        Self { per_second: tally.per_second, latency: Some(tally.latency), faults: faults.join(", ") }
    }
}

/// One side of a comparison.
pub(crate) struct Side<'a> {
    /// Its name in the table.
    pub(crate) name: String,
    /// Runs a turn of this length.
    pub(crate) turn: Box<dyn FnMut(Duration) -> Turn + 'a>,
}

impl<'a> Side<'a> {
    /// A side.
    pub(crate) fn new(name: &str, turn: impl FnMut(Duration) -> Turn + 'a) -> Self {
        Self { name: name.to_owned(), turn: Box::new(turn) }
    }
}

/// All turns of a side.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The side.
    pub(crate) name: String,
    /// The least, the median and the most successes per second.
    pub(crate) per_second: [f64; 3],
    /// The latencies over all turns.
    pub(crate) latency: Option<Histogram>,
    /// A description of failures.
    pub(crate) faults: Vec<String>,
}

impl Outcome {
    /// The median latency, in seconds.
    pub(crate) fn p50(&self) -> f64 {
        let median = self.latency.as_ref().and_then(|latency| latency.quantile(0.5));
        median.map_or(f64::NAN, |time| time.as_secs_f64())
    }

    /// The median of successes per second.
    pub(crate) fn median(&self) -> f64 {
        self.per_second[1]
    }
}

/// Gives every side one turn to warm up, then the requested number of turns.
pub(crate) fn take(options: &Options, mut sides: Vec<Side<'_>>) -> Vec<Outcome> {
    let mut turns = vec![Vec::new(); sides.len()];
    for side in &mut sides {
        (side.turn)((options.turn() / 2).max(Duration::from_secs(1)));
    }
    for _ in 0..options.rounds.max(1) {
        for (side, turns) in sides.iter_mut().zip(&mut turns) {
            turns.push((side.turn)(options.turn()));
        }
    }
    sides.into_iter().zip(turns).map(|(side, turns)| outcome(side.name, &turns)).collect()
}

fn outcome(name: String, turns: &[Turn]) -> Outcome {
    let mut latency: Option<Histogram> = None;
    for more in turns.iter().filter_map(|turn| turn.latency.as_ref()) {
        latency.get_or_insert_default().add(more);
    }
    let faults = turns.iter().map(|turn| turn.faults.clone()).filter(|faults| !faults.is_empty()).collect();
    Outcome { name, per_second: spread(turns.iter().map(|turn| turn.per_second)), latency, faults }
}

/// The least, the median and the most.
pub(crate) fn spread(values: impl Iterator<Item = f64>) -> [f64; 3] {
    let mut values: Vec<_> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    let middle = |half: usize| values.get(half).copied().unwrap_or(f64::NAN);
    let median = (middle(values.len().saturating_sub(1) / 2) + middle(values.len() / 2)) / 2.0;
    [middle(0), median, middle(values.len().saturating_sub(1))]
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn medians() {
        assert_eq!(spread([3.0, 1.0, 2.0].into_iter()), [1.0, 2.0, 3.0]);
        assert_eq!(spread([4.0, 1.0].into_iter()), [1.0, 2.5, 4.0]);
    }
}
