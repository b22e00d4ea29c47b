//! The printed output.

use std::time::Duration;

use crate::turns::Outcome;

/// A target, as an upper or lower bound.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    /// At least this much.
    AtLeast(f64),
    /// At most this much.
    AtMost(f64),
}

/// Prints a heading.
pub(crate) fn heading(text: &str) {
    println!("\n{text}");
}

/// Prints one line for each side.
pub(crate) fn sides(outcomes: &[Outcome]) {
    println!("  {:<34}{:>10}{:>21}{:>9}{:>9}{:>9}", "", "median/s", "least … most", "p50 ms", "p99 ms", "max ms");
    for outcome in outcomes {
        let [least, median, most] = outcome.per_second;
        let spread = format!("{} … {}", count(least), count(most));
        let latency = outcome.latency.as_ref();
        let quantile = |share| millis(latency.and_then(|latency| latency.quantile(share)));
        let longest = millis(latency.map(|latency| latency.longest()));
        let (p50, p99) = (quantile(0.5), quantile(0.99));
        println!("  {:<34}{:>10}{spread:>21}{p50:>9}{p99:>9}{longest:>9}", outcome.name, count(median));
        for faults in &outcome.faults {
            println!("    not counted: {faults}");
        }
    }
}

/// Prints a figure with its target.
pub(crate) fn verdict(name: &str, value: f64, unit: &str, target: Target) {
    let (sign, bound, met) = match target {
        Target::AtLeast(bound) => ('≥', bound, value.is_finite() && value >= bound),
        Target::AtMost(bound) => ('≤', bound, value <= bound),
    };
    let judged = if met {
        "met".to_owned()
    } else if !value.is_finite() {
        "not measured".to_owned()
    } else if bound == 0.0 {
        "missed".to_owned()
    } else {
        format!("missed by {:.1} %", (value - bound).abs() / bound * 100.0)
    };
    println!("  {name:<52}{value:>8.2}{unit}   target {sign} {bound}{unit}: {judged}");
}

/// Prints a remark.
pub(crate) fn note(text: &str) {
    println!("  {text}");
}

/// A duration in milliseconds.
pub(crate) fn millis(time: Option<Duration>) -> String {
    time.map_or_else(|| "–".to_owned(), |time| format!("{:.2}", time.as_secs_f64() * 1000.0))
}

/// A whole number with separators.
pub(crate) fn count(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn separators() {
        assert_eq!([0.0, 999.0, 1000.0, 1_234_567.0].map(super::count), ["0", "999", "1,000", "1,234,567"]);
    }
}
