//! Wrong chains of events.

use super::{Fault, Wrong, now};
use crate::event::chain::{ChainEnds, ChainHash, ChainHead, EventChain, SealedEvent};

pub(super) fn pass_on(wrong: &mut Wrong) {
    let store = wrong.store.clone();
    wrong.chain.expect_ends().returning(move |scope, owner| now(store.ends(scope, owner)));
    let store = wrong.store.clone();
    wrong
        .chain
        .expect_sealed()
        .returning(move |scope, owner, after, limit| now(store.sealed(scope, owner, after, limit)));
}

/// A chain with changed ends.
fn ending(wrong: &mut Wrong, spoil: fn(ChainEnds) -> ChainEnds) {
    let store = wrong.store.clone();
    wrong.chain.expect_ends().returning(move |scope, owner| now(store.ends(scope, owner)).map(spoil));
}

/// A chain with changed events.
fn sealing(wrong: &mut Wrong, spoil: fn(SealedEvent<'static>) -> SealedEvent<'static>) {
    let store = wrong.store.clone();
    wrong.chain.expect_sealed().returning(move |scope, owner, after, limit| {
        Ok(now(store.sealed(scope, owner, after, limit))?.into_iter().map(spoil).collect())
    });
}

pub(super) const FAULTS: &[(&str, Fault)] = &[
    ("keeps no hash of the events that it removed", |wrong| {
        ending(wrong, |ends| ChainEnds { anchor: ChainHead::START, ..ends });
    }),
    ("names another head than the last event", |wrong| {
        ending(wrong, |ends| ChainEnds { head: ChainHead { hash: ChainHash::START, ..ends.head }, ..ends });
    }),
    ("loses the states of events", |wrong| sealing(wrong, SealedEvent::without_state)),
    ("seals another entity", |wrong| {
        sealing(wrong, |event| SealedEvent { entity: "cust_1".into(), ..event });
    }),
];
