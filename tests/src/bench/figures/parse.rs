//! Parsing and validating the body of a full create, against parsing it as a JSON value.

use std::{hint::black_box, time::Instant};

use patron_adapters::http::parse_create_customer;
use patron_tests::requests;
use serde_json::Value;

use crate::{
    cli::Options,
    table::{Target, heading, note, verdict},
    turns::spread,
};

/// How often each is done before the other has its turn again: about 10 ms.
const REPETITIONS: u32 = 5_000;
/// How many turns each has in one round of the other figures.
const TURNS: usize = 40;

/// Nanoseconds for each.
pub(crate) fn parse(options: &Options) {
    let body = requests::full("bench-1234567890123456").to_string().into_bytes();
    assert!(parse_create_customer(&body).is_some(), "the full create is valid");
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..options.rounds.max(1) * TURNS {
        times[0].push(nanoseconds(|| parse_create_customer(black_box(&body)).is_some()));
        times[1].push(nanoseconds(|| serde_json::from_slice::<Value>(black_box(&body)).is_ok()));
    }
    heading("Parse and validate the body of a full create");
    let [ours, theirs] = times.map(|times| spread(times.into_iter()));
    for (name, [least, median, most]) in [("patron, to a valid command", ours), ("serde_json, to a Value", theirs)] {
        note(&format!("{name:<34}{median:>8.0} ns   ({least:.0} … {most:.0})"));
    }
    note(&format!("the body has {} bytes", body.len()));
    verdict("patron ÷ serde_json::Value", ours[1] / theirs[1], "", Target::AtMost(1.0));
}

fn nanoseconds(work: impl Fn() -> bool) -> f64 {
    let started = Instant::now();
    for _ in 0..REPETITIONS {
        assert!(black_box(work()));
    }
    started.elapsed().as_nanos() as f64 / f64::from(REPETITIONS)
}
