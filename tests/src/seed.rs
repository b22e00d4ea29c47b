//! The seed of randomised tests: different in each run, unless it is set.

use std::time::{SystemTime, UNIX_EPOCH};

/// `PATRON_TEST_SEED`, or a new one. It is printed, and cargo shows it with a failed test.
///
/// # Panics
/// When the variable is not a number below 2^32.
#[must_use]
pub fn seed() -> u32 {
    let seed = match std::env::var("PATRON_TEST_SEED") {
        Ok(text) => {
            text.parse().unwrap_or_else(|_| panic!("PATRON_TEST_SEED must be a number below 2^32, it is {text:?}"))
        }
        Err(_) => SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |time| time.subsec_nanos().max(1)),
    };
    println!("to repeat: PATRON_TEST_SEED={seed}");
    seed
}
