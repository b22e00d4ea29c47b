//! Time, ids and secrets from the operating system. Nothing else reads them from there.

use chrono::Utc;
use patron_domain::{
    Clock,
    ids::{IdGenerator, IdSequence, Randomness, RandomnessUnavailable},
    time::Timestamp,
};

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the adapter behind the Clock port")]
    fn now(&self) -> Timestamp {
        // A clock outside the years 1 to 9999 is broken. The epoch shows that better than a panic.
        Timestamp::from_datetime(Utc::now()).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// Ids with random bits of a generator that the operating system seeds: unique, but not secret.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemIds;

impl IdGenerator for SystemIds {
    #[expect(clippy::disallowed_methods, reason = "the adapter behind the IdGenerator port")]
    fn start(&self, at: Timestamp) -> IdSequence {
        let mut random = [0; 10];
        fastrand::fill(&mut random);
        IdSequence::start(at, random)
    }
}

/// Secrets from the operating system's random source.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsRandomness;

impl Randomness for OsRandomness {
    #[expect(clippy::disallowed_methods, reason = "the adapter behind the Randomness port")]
    fn secret_bytes(&self) -> Result<[u8; 32], RandomnessUnavailable> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|_| RandomnessUnavailable)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use patron_domain::{
        Clock,
        ids::{CustomerId, IdGenerator, Randomness},
    };

    use super::{OsRandomness, SystemClock, SystemIds};

    #[test]
    fn ids_and_secrets_are_unique() {
        let now = SystemClock.now();
        let ids: HashSet<CustomerId> = (0..1_000).map(|_| SystemIds.start(now).next_id()).collect();
        assert_eq!(ids.len(), 1_000);
        assert_ne!(OsRandomness.secret_bytes().unwrap(), OsRandomness.secret_bytes().unwrap());
    }
}
