//! Time, ids and secrets from the operating system (feature `system`). The other modules do not use these sources.

use chrono::Utc;

use crate::{
    clock::Clock,
    ids::{IdGenerator, IdSequence, Randomness, RandomnessUnavailable},
    time::Timestamp,
};

/// The system's clock.
///
/// ```
/// use patron_domain::{Clock, system::SystemClock, time::Timestamp};
///
/// assert!(SystemClock.now() > Timestamp::UNIX_EPOCH);
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the implementation of the Clock port")]
    fn now(&self) -> Timestamp {
        // A clock outside the years 1 to 9999 is broken. The epoch shows that better than a panic.
        Timestamp::from_datetime(Utc::now()).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// Ids with random bits of the operating system.
///
/// ```
/// use patron_domain::{Clock, ids::{CustomerId, IdGenerator}, system::{SystemClock, SystemIds}};
///
/// let id: CustomerId = SystemIds.start(SystemClock.now()).next_id();
/// assert!(id.to_string().starts_with("cust_"));
/// ```
///
/// # Panics
/// When the operating system returns no random bytes. Without them ids would not be unique.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemIds;

impl IdGenerator for SystemIds {
    #[expect(clippy::disallowed_methods, reason = "the implementation of the IdGenerator port")]
    #[expect(clippy::panic, reason = "no input reaches it: a system without random bytes runs nothing that needs ids")]
    fn start(&self, at: Timestamp) -> IdSequence {
        let mut random = [0; 10];
        if getrandom::fill(&mut random).is_err() {
            panic!("the operating system returned no random bytes");
        }
        IdSequence::start(at, random)
    }
}

/// Secrets from the operating system's random source.
///
/// ```
/// use patron_domain::{ids::Randomness, system::OsRandomness};
///
/// assert_ne!(OsRandomness.secret_bytes(), OsRandomness.secret_bytes());
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct OsRandomness;

impl Randomness for OsRandomness {
    #[expect(clippy::disallowed_methods, reason = "the implementation of the Randomness port")]
    fn secret_bytes(&self) -> Result<[u8; 32], RandomnessUnavailable> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|_| RandomnessUnavailable)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{OsRandomness, SystemClock, SystemIds};
    use crate::{
        clock::Clock,
        ids::{CustomerId, IdGenerator, Randomness},
    };

    #[test]
    fn ids_and_secrets_do_not_repeat() {
        let now = SystemClock.now();
        let ids: HashSet<CustomerId> = (0..1_000).map(|_| SystemIds.start(now).next_id()).collect();
        assert_eq!(ids.len(), 1_000);
        assert_ne!(OsRandomness.secret_bytes().unwrap(), OsRandomness.secret_bytes().unwrap());
    }
}
