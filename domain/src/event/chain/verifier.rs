//! Verifying a chain, event by event.

use std::collections::BTreeMap;

use super::{ChainHead, Commitment, SealedEvent};
use crate::event::{EventPosition, EventType};

/// What a verification found.
///
/// ```
/// use patron_domain::event::{EventPosition, chain::ChainFault};
///
/// let fault = ChainFault::Removed { position: EventPosition::from_stored(7).unwrap() };
/// assert_eq!(fault.to_string(), "the event at position 7 was removed");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChainFault {
    /// An event, or its hash, was changed.
    #[error("the event at position {position} was changed: its {part}")]
    Changed {
        /// The first such position.
        position: EventPosition,
        /// The part.
        part: Part,
    },
    /// An event is missing.
    #[error("the event at position {position} was removed")]
    Removed {
        /// The first such position.
        position: EventPosition,
    },
    /// There are more events than were written.
    #[error("an event was inserted at position {position}")]
    Inserted {
        /// The first such position.
        position: EventPosition,
    },
    /// A state and its salt are gone, as after an erasure that did not happen.
    #[error("the state of the event at position {position} was removed, and the log has no erasure of its customer")]
    StateRemoved {
        /// The first such position.
        position: EventPosition,
    },
    /// The last events are missing.
    #[error("the log was cut: it ends at position {end}, and had an event at position {known}")]
    Cut {
        /// The position of the last event.
        end: EventPosition,
        /// A position that the log had.
        known: EventPosition,
    },
    /// The chain is whole, but another one.
    #[error("the hashes were computed again: the event at position {position} has another hash than the known head")]
    Recomputed {
        /// The position of the known head.
        position: EventPosition,
    },
    /// The head that was kept is older than the log.
    #[error(
        "the head at position {position} cannot be compared, because expired events up to position {anchor} were \
         removed; keep a later one"
    )]
    Expired {
        /// The position of the head.
        position: EventPosition,
        /// The position of the last removed event.
        anchor: EventPosition,
    },
}

/// The part of an event that was changed.
///
/// ```
/// use patron_domain::event::chain::Part;
///
/// assert_eq!(Part::State.to_string(), "state does not match its commitment");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Part {
    /// The envelope or the hash.
    #[error("envelope does not match its hash")]
    Envelope,
    /// The state.
    #[error("state does not match its commitment")]
    State,
}

/// The result of a verification without a fault.
///
/// ```
/// use patron_domain::event::chain::{ChainHead, ChainVerifier};
///
/// let empty = ChainVerifier::new(ChainHead::START, None).unwrap().end(None).unwrap();
/// assert_eq!((empty.events, empty.head), (0, ChainHead::START));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Where the chain begins.
    pub anchor: ChainHead,
    /// Where it ends.
    pub head: ChainHead,
    /// The number of events.
    pub events: u64,
    /// How many of them have states that were erased.
    pub erased: u64,
}

/// Verifies a chain whose events are given in the order of the log.
///
/// ```
/// use patron_domain::event::chain::{ChainFault, ChainHead, ChainVerifier};
///
/// // A head that was kept elsewhere shows that the log was cut.
/// let kept: ChainHead = format!("3:{}", "ab".repeat(32)).parse().unwrap();
/// let fault = ChainVerifier::new(ChainHead::START, Some(kept)).unwrap().end(None).unwrap_err();
/// assert!(matches!(fault, ChainFault::Cut { .. }));
/// ```
#[derive(Debug)]
pub struct ChainVerifier {
    kept: Option<ChainHead>,
    verified: Verified,
    /// The first erased state of each entity that was not suppressed or erased afterwards.
    unexplained: BTreeMap<String, EventPosition>,
}

impl ChainVerifier {
    /// Begins behind an anchor: the start of the log, or the last event that the retention job removed. The chain must
    /// contain the head that was kept elsewhere, if there is one.
    ///
    /// # Errors
    /// If the head is not behind the anchor, or is another hash of it.
    pub fn new(anchor: ChainHead, kept: Option<ChainHead>) -> Result<Self, ChainFault> {
        if let Some(ChainHead { position, .. }) = kept
            && position < anchor.position
        {
            return Err(ChainFault::Expired { position, anchor: anchor.position });
        }
        let verified = Verified { anchor, head: anchor, events: 0, erased: 0 };
        let verifier = Self { kept, verified, unexplained: BTreeMap::new() };
        verifier.compare(kept)?;
        Ok(verifier)
    }

    /// The position of the last event so far.
    #[must_use]
    pub fn position(&self) -> EventPosition {
        self.verified.head.position
    }

    /// Verifies the next event.
    ///
    /// # Errors
    /// The first fault.
    pub fn next(&mut self, event: &SealedEvent<'_>) -> Result<(), ChainFault> {
        let Verified { head, .. } = self.verified;
        let found = EventPosition::from_stored(event.position).unwrap_or_default();
        let position = head.position.next();
        if found < position {
            return Err(ChainFault::Inserted { position: found });
        }
        if found > position {
            return Err(ChainFault::Removed { position });
        }
        if event.hash_after(&head.hash) != event.hash {
            return Err(ChainFault::Changed { position, part: Part::Envelope });
        }
        self.verified.head = ChainHead { position, hash: event.hash };
        self.verified.events += 1;
        self.verify_state(event, position)?;
        self.compare(self.kept)
    }

    /// Ends with the head that the store itself names, if it does.
    ///
    /// # Errors
    /// If events are missing at the end, there are too many, or the chain is another one.
    pub fn end(self, stored: Option<ChainHead>) -> Result<Verified, ChainFault> {
        let end = self.position();
        if let Some(known) = stored.into_iter().chain(self.kept).map(|head| head.position).find(|known| *known > end) {
            return Err(ChainFault::Cut { end, known });
        }
        if let Some(ChainHead { position, .. }) = stored.filter(|stored| stored.position < end) {
            return Err(ChainFault::Inserted { position: position.next() });
        }
        self.compare(stored)?;
        match self.unexplained.values().min() {
            Some(position) => Err(ChainFault::StateRemoved { position: *position }),
            None => Ok(self.verified),
        }
    }

    fn verify_state(&mut self, event: &SealedEvent<'_>, position: EventPosition) -> Result<(), ChainFault> {
        if [EventType::CustomerSuppressed, EventType::CustomerErased].iter().any(|one| event.event_type == one.as_str())
        {
            self.unexplained.remove(event.entity.as_ref());
        }
        let Some(commitment) = &event.commitment else { return Ok(()) };
        match (&event.salt, &event.document) {
            (Some(salt), Some(document)) if Commitment::new(salt, document) == *commitment => Ok(()),
            (None, None) => {
                self.verified.erased += 1;
                self.unexplained.entry(event.entity.clone().into_owned()).or_insert(position);
                Ok(())
            }
            _ => Err(ChainFault::Changed { position, part: Part::State }),
        }
    }

    /// Compares the last event with a head at its position.
    fn compare(&self, known: Option<ChainHead>) -> Result<(), ChainFault> {
        let ChainHead { position, hash } = self.verified.head;
        match known {
            Some(known) if known.position == position && known.hash != hash => Err(ChainFault::Recomputed { position }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
