//! Random chains, and every way of changing one.

use proptest::prelude::*;

use super::*;
use crate::event::chain::{ChainHash, Salt};

/// A chain of events about three customers. The last event of the first customer suppresses it.
fn chain(states: &[u8]) -> Vec<SealedEvent<'static>> {
    let mut all: Vec<_> = states.iter().map(|state| event("customer.updated", state % 3, Some(*state))).collect();
    all.push(event("customer.suppressed", 0, None));
    all.push(event("tax_rate.created", 3, Some(1)));
    sealed(all, 0, ChainHash::START)
}

fn event(event_type: &'static str, entity: u8, state: Option<u8>) -> SealedEvent<'static> {
    let document = state.map(|state| format!(r#"{{"name":"{state}"}}"#));
    let salt = state.map(|state| Salt::random(&[state; 32]));
    SealedEvent {
        position: 0,
        id: "evt_1".into(),
        event_type: event_type.into(),
        entity: format!("cust_{entity}").into(),
        sequence: 1,
        at: 5,
        logged_at: 5,
        actor: "system".into(),
        request_id: None,
        detail: None,
        commitment: salt.iter().zip(&document).map(|(salt, document)| Commitment::new(salt, document)).next(),
        salt,
        document: document.map(Into::into),
        hash: ChainHash::START,
        withheld: false,
    }
}

/// The events with their positions and hashes.
fn sealed(mut events: Vec<SealedEvent<'static>>, mut position: i64, mut hash: ChainHash) -> Vec<SealedEvent<'static>> {
    for event in &mut events {
        position += 1;
        event.position = position;
        hash = event.hash_after(&hash);
        event.hash = hash;
    }
    events
}

fn place(number: usize) -> EventPosition {
    EventPosition::from_stored(i64::try_from(number).unwrap() + 1).unwrap()
}

fn head(event: &SealedEvent<'_>) -> ChainHead {
    ChainHead { position: EventPosition::from_stored(event.position).unwrap(), hash: event.hash }
}

fn verify(events: &[SealedEvent<'_>], kept: Option<ChainHead>) -> Result<Verified, ChainFault> {
    let mut verifier = ChainVerifier::new(ChainHead::START, kept)?;
    events.iter().try_for_each(|event| verifier.next(event))?;
    verifier.end(None)
}

proptest! {
    #[test]
    fn a_whole_chain_is_verified_from_any_anchor(states: Vec<u8>, from: prop::sample::Index) {
        let events = chain(&states);
        let verified = verify(&events, events.last().map(head)).unwrap();
        prop_assert_eq!((verified.events, verified.erased), (events.len() as u64, 0));
        prop_assert_eq!(Some(verified.head), events.last().map(head));

        let from = from.index(events.len());
        let mut verifier = ChainVerifier::new(head(&events[from]), None).unwrap();
        events[from + 1..].iter().try_for_each(|event| verifier.next(event)).unwrap();
        prop_assert_eq!(verifier.end(events.last().map(head)).unwrap().events, (events.len() - from - 1) as u64);
    }

    #[test]
    fn a_changed_a_removed_and_an_inserted_event_are_named(states: Vec<u8>, at: prop::sample::Index, how in 0..5_u8) {
        let events = chain(&states);
        let at = at.index(events.len() - 1);
        let position = place(at);
        let mut changed = events.clone();
        match how {
            0 => changed[at].actor = "secret_1".into(),
            1 => changed[at].hash = ChainHash::START,
            2 => changed[at].commitment = Some(Commitment::new(&Salt::random(&[9; 32]), "{}")),
            3 => changed[at].sequence += 1,
            _ => changed[at].event_type = "customer.erased".into(),
        }
        prop_assert_eq!(verify(&changed, None), Err(ChainFault::Changed { position, part: Part::Envelope }));

        let mut removed = events.clone();
        removed.remove(at);
        prop_assert_eq!(verify(&removed, None), Err(ChainFault::Removed { position }));

        let mut inserted = events.clone();
        inserted.insert(at + 1, events[at].clone());
        prop_assert_eq!(verify(&inserted, None), Err(ChainFault::Inserted { position }));
        // With positions of their own, the events behind an inserted one are changed ones.
        inserted[at + 1..].iter_mut().for_each(|event| event.position += 1);
        let fault = Err(ChainFault::Changed { position: place(at + 1), part: Part::Envelope });
        prop_assert_eq!(verify(&inserted, None), fault);
    }

    #[test]
    fn a_changed_state_is_named(states in prop::collection::vec(any::<u8>(), 1..20), at: prop::sample::Index, how in 0..4_u8) {
        let mut events = chain(&states);
        let at = at.index(states.len());
        match how {
            0 => events[at].document = Some("{}".into()),
            1 => events[at].salt = Some(Salt::random(&[255 - states[at] / 2; 32])).filter(|salt| Some(*salt) != events[at].salt),
            2 => events[at].document = None,
            _ => events[at].salt = None,
        }
        prop_assert_eq!(verify(&events, None), Err(ChainFault::Changed { position: place(at), part: Part::State }));
    }

    #[test]
    fn an_erasure_keeps_the_chain_whole_and_needs_its_event(states in prop::collection::vec(any::<u8>(), 1..20)) {
        let events = chain(&states);
        let erase = |customer: u8| -> Vec<_> {
            let of = |event: &SealedEvent<'_>| event.entity == format!("cust_{customer}");
            events.iter().map(|event| if of(event) { event.clone().without_state() } else { event.clone() }).collect()
        };
        let of_first = states.iter().filter(|state| *state % 3 == 0).count() as u64;
        prop_assert_eq!(verify(&erase(0), None).unwrap().erased, of_first);
        let fault = states.iter().position(|state| state % 3 == 1).map(|at| ChainFault::StateRemoved { position: place(at) });
        prop_assert_eq!(verify(&erase(1), None).err(), fault);
    }

    #[test]
    fn a_cut_tail_and_a_recomputed_chain_are_found_by_a_kept_head(states: Vec<u8>, at: prop::sample::Index) {
        let events = chain(&states);
        let kept = head(events.last().unwrap());
        let at = at.index(events.len());
        let end = EventPosition::from_stored(i64::try_from(at).unwrap()).unwrap();
        prop_assert!(verify(&events[..at], None).is_ok(), "the chain alone does not show it");
        prop_assert_eq!(verify(&events[..at], Some(kept)), Err(ChainFault::Cut { end, known: kept.position }));

        let mut recomputed = events.clone();
        recomputed[at].actor = "secret_1".into();
        let recomputed = sealed(recomputed, 0, ChainHash::START);
        prop_assert!(verify(&recomputed, None).is_ok(), "the chain alone does not show it");
        let fault = Err(ChainFault::Recomputed { position: kept.position });
        prop_assert_eq!(verify(&recomputed, Some(kept)), fault);
        // A head from before the change does not show it.
        if at > 0 {
            prop_assert!(verify(&recomputed, Some(head(&events[at - 1]))).is_ok());
        }
    }
}

#[test]
fn the_store_s_own_head_is_compared() {
    let events = chain(&[1, 2]);
    let end = |count: usize, stored: ChainHead| {
        let mut verifier = ChainVerifier::new(ChainHead::START, None).unwrap();
        events[..count].iter().try_for_each(|event| verifier.next(event)).unwrap();
        verifier.end(Some(stored)).map(|verified| verified.events)
    };
    assert_eq!(end(4, head(&events[3])), Ok(4));
    assert_eq!(end(3, head(&events[3])), Err(ChainFault::Cut { end: place(2), known: place(3) }));
    assert_eq!(end(4, head(&events[2])), Err(ChainFault::Inserted { position: place(3) }));
    let other = ChainHead { hash: ChainHash::START, ..head(&events[3]) };
    assert_eq!(end(4, other), Err(ChainFault::Recomputed { position: place(3) }));
}

#[test]
fn a_kept_head_that_is_older_than_the_log_cannot_be_compared() {
    let events = chain(&[1, 2]);
    let anchor = head(&events[1]);
    assert!(ChainVerifier::new(anchor, Some(anchor)).is_ok());
    let other = ChainHead { hash: ChainHash::START, ..anchor };
    assert_eq!(ChainVerifier::new(anchor, Some(other)).err(), Some(ChainFault::Recomputed { position: place(1) }));
    let fault = ChainFault::Expired { position: place(0), anchor: place(1) };
    assert_eq!(ChainVerifier::new(anchor, Some(head(&events[0]))).err(), Some(fault));
}
