//! Ready-made mocks of the ports for ids and secrets.

use super::{IdSequence, MockIdGenerator, MockRandomness, RandomnessUnavailable};

impl MockIdGenerator {
    /// Ids that depend only on the time: the same operation at the same time gets the same ids.
    #[must_use]
    pub fn from_time() -> Self {
        let mut ids = Self::new();
        ids.expect_start().returning(|at| IdSequence::start(at, [7; 10]));
        ids
    }
}

impl MockRandomness {
    /// The same 256 bits each time.
    #[must_use]
    pub fn always(bits: [u8; 32]) -> Self {
        let mut randomness = Self::new();
        randomness.expect_secret_bytes().returning(move || Ok(bits));
        randomness
    }

    /// A source that always fails.
    #[must_use]
    pub fn always_unavailable() -> Self {
        let mut randomness = Self::new();
        randomness.expect_secret_bytes().returning(|| Err(RandomnessUnavailable));
        randomness
    }
}
