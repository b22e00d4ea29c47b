//! Writes that report what they do, and dry runs: the environment is compared with a copy, and put back.

use std::{
    collections::BTreeMap,
    ops::{Deref, DerefMut},
    sync::MutexGuard,
};

use super::{MemoryStore, Registry, State};
use crate::{
    event::EventRecord,
    ids::{EnvironmentId, TenantId},
    lifecycle::Owner,
    report::{ObjectChange, ObjectState, WriteReport, Written},
    tenancy::{Environment, EnvironmentScope, Origin, TenantScope},
};

/// The state, for one write.
pub(super) struct Writing<'a> {
    state: MutexGuard<'a, State>,
    /// What a write that reports what it does may change.
    before: Option<(Before, WriteReport)>,
}

/// The parts of the state before a write.
struct Before {
    environments: BTreeMap<(TenantId, EnvironmentId), Environment>,
    /// The environments that the write may change; `None` for one that had nothing.
    registries: Vec<(Owner, Option<Registry>)>,
}

impl MemoryStore {
    /// The state, for a write within an environment.
    pub(super) fn write(&self, scope: &EnvironmentScope) -> Writing<'_> {
        let EnvironmentScope { owner: Owner { tenant_id, environment_id }, origin, .. } = scope;
        let places = origin.places(*environment_id);
        let owners = places.map(|environment_id| Owner { tenant_id: *tenant_id, environment_id }).collect();
        self.write_in(owners, origin)
    }

    /// The state, for a write of an environment of a tenant.
    pub(super) fn write_of_tenant(&self, scope: &TenantScope) -> Writing<'_> {
        let owners: Vec<_> = self.lock().registries.keys().copied().collect();
        self.write_in(owners, &scope.origin)
    }

    fn write_in(&self, owners: Vec<Owner>, origin: &Origin) -> Writing<'_> {
        let state = self.lock();
        let before = origin.report().map(|report| {
            let registry = |owner| (owner, state.registries.get(&owner).cloned());
            let registries = owners.into_iter().map(registry).collect();
            (Before { environments: state.environments.clone(), registries }, report.clone())
        });
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
        if !report.is_dry_run() {
            return;
        }
        let Before { environments, registries } = before;
        let new: Vec<_> =
            self.state.environments.keys().filter(|key| !environments.contains_key(*key)).copied().collect();
        for (tenant_id, environment_id) in new {
            self.state.registries.remove(&Owner { tenant_id, environment_id });
        }
        self.state.environments = environments;
        for (owner, registry) in registries {
            match registry {
                Some(registry) => drop(self.state.registries.insert(owner, registry)),
                None => drop(self.state.registries.remove(&owner)),
            }
        }
    }
}

/// What a write has changed.
fn difference(before: &Before, after: &State) -> Written {
    let mut written = Written::default();
    let environment = |one: &Environment| ObjectState::Environment(Box::new(one.clone()));
    compare(&mut written, &before.environments, &after.environments, environment);
    let nothing = Registry::default();
    for (owner, before) in &before.registries {
        let before = before.as_ref().unwrap_or(&nothing);
        let Some(after) = after.registries.get(owner) else { continue };
        let known = before.log.last().map(EventRecord::cursor);
        let new = after.log.iter().filter(|event| known.is_none_or(|known| event.position > known.position()));
        written.events.extend(new.map(|event| event.kind.clone()));
        compare(&mut written, &before.customers, &after.customers, |one| ObjectState::Customer(Box::new(one.clone())));
        compare(&mut written, &before.rates, &after.rates, |one| ObjectState::TaxRate(Box::new(one.clone())));
        compare(&mut written, &before.defaults, &after.defaults, |one| ObjectState::TaxDefault(Box::new(one.clone())));
        compare(&mut written, &before.api_keys(), &after.api_keys(), |one| ObjectState::ApiKey(Box::new(one.clone())));
        compare(&mut written, &before.custom_fields, &after.custom_fields, |one| {
            ObjectState::CustomField(Box::new(one.clone()))
        });
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
