//! Writes that report what they do, and dry runs: the state is compared with a copy, and put back.

use std::{
    collections::BTreeMap,
    ops::{Deref, DerefMut},
    sync::MutexGuard,
};

use super::{MemoryStore, Registry, State};
use crate::{
    event::EventRecord,
    report::{ObjectChange, ObjectState, WriteReport, Written},
    tenancy::Origin,
};

/// The state, for one write.
pub(super) struct Writing<'a> {
    state: MutexGuard<'a, State>,
    /// The state before a write that reports what it does.
    before: Option<(State, WriteReport)>,
}

impl MemoryStore {
    /// The state, for a write from this origin.
    pub(super) fn write(&self, origin: &Origin) -> Writing<'_> {
        let state = self.lock();
        let before = origin.report().map(|report| (state.clone(), report.clone()));
        Writing { state, before }
    }
}

impl Deref for Writing<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for Writing<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        let Some((before, report)) = self.before.take() else { return };
        report.tell(difference(&before, &self.state));
        if report.is_dry_run() {
            *self.state = before;
        }
    }
}

/// What a write has changed.
fn difference(before: &State, after: &State) -> Written {
    let mut written = Written::default();
    let environment = |one: &_| ObjectState::Environment(Box::new(Clone::clone(one)));
    compare(&mut written, &before.environments, &after.environments, environment);
    let nothing = Registry::default();
    for (owner, after) in &after.registries {
        let before = before.registries.get(owner).unwrap_or(&nothing);
        let known = before.log.last().map(EventRecord::cursor);
        let new = after.log.iter().filter(|event| known.is_none_or(|known| event.position > known.position()));
        written.events.extend(new.map(|event| event.kind.clone()));
        compare(&mut written, &before.customers, &after.customers, |one| ObjectState::Customer(Box::new(one.clone())));
        compare(&mut written, &before.rates, &after.rates, |one| ObjectState::TaxRate(Box::new(one.clone())));
        compare(&mut written, &before.defaults, &after.defaults, |one| ObjectState::TaxDefault(Box::new(one.clone())));
        compare(&mut written, &before.api_keys(), &after.api_keys(), |one| ObjectState::ApiKey(Box::new(one.clone())));
        compare(&mut written, &before.live_endpoints(), &after.live_endpoints(), |one| {
            ObjectState::Endpoint(Box::new(one.clone()))
        });
        compare(&mut written, &before.current_workflows(), &after.current_workflows(), |one| {
            ObjectState::Workflow(Box::new(one.clone()))
        });
        // The runs of new customers are part of their creation.
        let (before, after) = (before.changed_runs(&after.runs), after.changed_runs(&before.runs));
        compare(&mut written, &before, &after, |one| ObjectState::Run(Box::new(one.clone())));
    }
    written
}

fn compare<K: Ord, T: PartialEq>(
    written: &mut Written,
    before: &BTreeMap<K, T>,
    after: &BTreeMap<K, T>,
    state: impl Fn(&T) -> ObjectState,
) {
    let gone = before.keys().filter(|key| !after.contains_key(*key));
    for key in gone.chain(after.keys()) {
        let (old, new) = (before.get(key), after.get(key));
        if old != new {
            written.objects.push(ObjectChange { before: old.map(&state), after: new.map(&state) });
        }
    }
}
