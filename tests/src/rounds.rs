//! The length of the crash tests: short along with the other tests, long when run alone (`tests/crash`).

/// How many times each crash is repeated: `PATRON_CRASH_ROUNDS`, or this default.
///
/// # Panics
/// When the variable is not a number.
#[must_use]
pub fn rounds(few: usize) -> usize {
    match std::env::var("PATRON_CRASH_ROUNDS") {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("PATRON_CRASH_ROUNDS must be a number, but is {text:?}")),
        Err(_) => few,
    }
}
