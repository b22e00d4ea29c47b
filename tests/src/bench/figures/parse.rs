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

/// Nanoseconds for each, of a full create and of one with every field.
pub(crate) fn parse(options: &Options) {
    let id = "bench-1234567890123456";
    of_body(options, "a full create", &requests::full(id), 1.0);
    let mut everything = requests::everything(id);
    everything["custom_fields"] = requests::custom_values();
    of_body(options, "a create with every field", &everything, 1.3);
}

fn of_body(options: &Options, name: &str, body: &Value, target: f64) {
    let body = body.to_string().into_bytes();
    assert!(parse_create_customer(&body).is_some(), "{name} is valid");
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..options.rounds.max(1) * TURNS {
        times[0].push(nanoseconds(|| parse_create_customer(black_box(&body)).is_some()));
        times[1].push(nanoseconds(|| serde_json::from_slice::<Value>(black_box(&body)).is_ok()));
    }
    heading(&format!("Parse and validate the body of {name}"));
    let [ours, theirs] = times.map(|times| spread(times.into_iter()));
    for (name, [least, median, most]) in [("patron, to a valid command", ours), ("serde_json, to a Value", theirs)] {
        note(&format!("{name:<34}{median:>8.0} ns   ({least:.0} … {most:.0})"));
    }
    note(&format!("the body has {} bytes", body.len()));
    verdict("patron ÷ serde_json::Value", ours[1] / theirs[1], "", Target::AtMost(target));
}

fn nanoseconds(work: impl Fn() -> bool) -> f64 {
    let started = Instant::now();
    for _ in 0..REPETITIONS {
        assert!(black_box(work()));
    }
    started.elapsed().as_nanos() as f64 / f64::from(REPETITIONS)
}
