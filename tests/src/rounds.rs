//! How long the crash tests run: a short form with the other tests, a long one by itself (`tests/crash`).

/// How often each crash is repeated: `PATRON_CRASH_ROUNDS`, or a few.
///
/// # Panics
/// When the variable is no number.
#[must_use]
pub fn rounds(few: usize) -> usize {
    match std::env::var("PATRON_CRASH_ROUNDS") {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("PATRON_CRASH_ROUNDS must be a number, it is {text:?}")),
        Err(_) => few,
    }
}
