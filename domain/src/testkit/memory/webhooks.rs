//! The webhook port in memory.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;

use super::{MemoryStore, Registry, id_taken, newest_first};
use crate::{
    audit::Act,
    event::EventPosition,
    idempotency::{Answer, CallersClaim, Done, OnceError},
    ids::{CustomerId, WebhookDeliveryId, WebhookEndpointId},
    lifecycle::{Owner, Precondition},
    page::{Page, PageRequest},
    store::StoreError,
    tenancy::{EnvironmentScope, Quota, SystemScope},
    time::Timestamp,
    webhook::{
        ChangeEndpoint, Delivery, DeliveryKind, DeliveryQuery, DeliveryState, DeliveryStatus, Disabled, LeaseClaim,
        Resealed, Resealing, RoundRecord, SecretVault, WebhookEndpoint, WebhookError, WebhookRepository,
        check_endpoints,
    },
};

/// An endpoint, its lease holder, and its deliveries.
#[derive(Clone)]
pub(super) struct StoredEndpoint {
    endpoint: WebhookEndpoint,
    lease: Option<(String, Timestamp)>,
    deliveries: BTreeMap<WebhookDeliveryId, Delivery>,
}

impl StoredEndpoint {
    fn is_waiting_for(&self, now: Timestamp) -> bool {
        self.deliveries.values().any(|delivery| delivery.is_due(now))
    }

    fn is_claimable(&self, registry_end: EventPosition, claim: &LeaseClaim) -> bool {
        let StoredEndpoint { endpoint, lease, .. } = self;
        let free = lease.as_ref().is_none_or(|(holder, until)| *until <= claim.now || *holder == claim.holder);
        let awake = endpoint.health.paused_until.is_none_or(|until| until <= claim.now);
        let has_work = registry_end > endpoint.position || self.is_waiting_for(claim.now);
        endpoint.disabled.is_none() && awake && free && has_work && !claim.serves(endpoint.id)
    }

    fn is_held_by(&self, name: &str) -> bool {
        self.lease.as_ref().is_some_and(|(holder, _)| holder == name)
    }

    fn keep(&mut self, deliveries: Vec<Delivery>) {
        let owner = self.endpoint.owner;
        self.deliveries.extend(deliveries.into_iter().map(|one| (one.id, Delivery { owner, ..one })));
    }
}

impl Registry {
    fn deliveries_about(&mut self, customer: CustomerId) -> impl Iterator<Item = &mut Delivery> {
        let entity = customer.to_string();
        let all = self.endpoints.values_mut().flat_map(|stored| stored.deliveries.values_mut());
        all.filter(move |delivery| delivery.entity_id == entity)
    }

    /// The number of stored answers to deliveries about a customer.
    pub(super) fn answers_about(&self, customer: CustomerId) -> usize {
        self.recorded_deliveries_about(customer).into_iter().filter(has_answer).count()
    }

    /// The deliveries about a customer that wait or have an answer.
    pub(super) fn recorded_deliveries_about(&self, customer: CustomerId) -> Vec<Delivery> {
        let entity = customer.to_string();
        let all = self.endpoints.values().flat_map(|stored| stored.deliveries.values());
        let about = all.filter(|one| one.entity_id == entity);
        about.filter(|one| has_answer(one) || one.state.status() == DeliveryStatus::Waiting).cloned().collect()
    }

    /// Removes stored answers to deliveries about a customer.
    pub(super) fn forget_answers_about(&mut self, customer: CustomerId, limit: usize) -> usize {
        let last = self.deliveries_about(customer).filter_map(|delivery| delivery.last.as_mut());
        last.filter(|last| !last.answer.is_empty()).take(limit).map(|last| last.answer.clear()).count()
    }

    /// Makes the waiting deliveries about a customer due.
    pub(super) fn wake_deliveries_about(&mut self, customer: CustomerId, at: Timestamp) {
        for delivery in self.deliveries_about(customer) {
            if let DeliveryState::Waiting { next_attempt_at: Some(next) } = &mut delivery.state {
                *next = at.min(*next);
            }
        }
    }
}

fn has_answer(delivery: &Delivery) -> bool {
    delivery.last.as_ref().is_some_and(|last| !last.answer.is_empty())
}

impl MemoryStore {
    /// Adds deliveries to an existing endpoint, once per key.
    fn add<T: Answer>(
        &self,
        scope: &EnvironmentScope,
        deliveries: Vec<Delivery>,
        (answer, at): (T, Timestamp),
        claim: Option<CallersClaim>,
    ) -> Result<Done<T>, OnceError> {
        let mut state = self.write(scope);
        if let Some(added) = state.answered_before(claim.as_ref())? {
            return Ok(Done::before(added));
        }
        let endpoints = &mut state.registry(scope.owner).endpoints;
        for delivery in deliveries {
            if let Some(stored) = endpoints.get_mut(&delivery.endpoint_id) {
                stored.keep(vec![delivery]);
            }
        }
        state.keep(claim.as_ref(), &answer, at);
        Ok(Done::now(answer))
    }
}

#[async_trait]
impl WebhookRepository for MemoryStore {
    async fn create_endpoint(
        &self,
        scope: &EnvironmentScope,
        endpoint: WebhookEndpoint,
        quota: Quota,
        claim: Option<CallersClaim>,
    ) -> Result<Done<WebhookEndpoint>, WebhookError> {
        let mut state = self.write(scope);
        if let Some(made) = state.answered_before(claim.as_ref())? {
            return Ok(Done::before(made));
        }
        if state.registries.values().any(|registry| registry.endpoints.contains_key(&endpoint.id)) {
            return Err(id_taken("webhook endpoint").into());
        }
        let endpoints = &mut state.registry(scope.owner).endpoints;
        check_endpoints(endpoints.len() as u64, quota)?;
        let endpoint = WebhookEndpoint { owner: scope.owner, ..endpoint };
        let stored = StoredEndpoint { endpoint: endpoint.clone(), lease: None, deliveries: BTreeMap::new() };
        endpoints.insert(stored.endpoint.id, stored);
        state.audit(scope, Act::endpoint_created(&endpoint), endpoint.audit.updated_at);
        state.keep(claim.as_ref(), &endpoint, endpoint.audit.updated_at);
        Ok(Done::now(endpoint))
    }

    async fn endpoints(
        &self,
        scope: &EnvironmentScope,
        request: PageRequest,
    ) -> Result<Page<WebhookEndpoint>, StoreError> {
        let mut state = self.lock();
        let all = state.registry(scope.owner).endpoints.values().map(|stored| &stored.endpoint);
        Ok(newest_first(all, |endpoint| (endpoint.audit.created_at, endpoint.id), request))
    }

    async fn find_endpoint(
        &self,
        scope: &EnvironmentScope,
        id: WebhookEndpointId,
    ) -> Result<Option<WebhookEndpoint>, StoreError> {
        Ok(self.lock().registry(scope.owner).endpoints.get(&id).map(|stored| stored.endpoint.clone()))
    }

    async fn find_any_endpoint(
        &self,
        _scope: &SystemScope,
        id: WebhookEndpointId,
    ) -> Result<Option<WebhookEndpoint>, StoreError> {
        let state = self.lock();
        let found = state.registries.values().find_map(|registry| registry.endpoints.get(&id));
        Ok(found.map(|stored| stored.endpoint.clone()))
    }

    async fn change_endpoint(
        &self,
        scope: &EnvironmentScope,
        change: ChangeEndpoint,
        claim: Option<CallersClaim>,
    ) -> Result<Done<WebhookEndpoint>, WebhookError> {
        let mut state = self.write(scope);
        if let Some(changed) = state.answered_before(claim.as_ref())? {
            return Ok(Done::before(changed));
        }
        let found = state.registry(scope.owner).endpoints.get_mut(&change.id);
        let stored = found.ok_or(WebhookError::UnknownEndpoint)?;
        let at = change.at;
        let endpoint = change.decide(scope, &stored.endpoint)?;
        let before = std::mem::replace(&mut stored.endpoint, endpoint.clone());
        state.audit(scope, Act::endpoint_changed(&before, &endpoint), at);
        state.keep(claim.as_ref(), &endpoint, at);
        Ok(Done::now(endpoint))
    }

    async fn delete_endpoint(
        &self,
        scope: &EnvironmentScope,
        id: WebhookEndpointId,
        at: Timestamp,
        only_if: Precondition,
        claim: Option<CallersClaim>,
    ) -> Result<Option<Done<()>>, WebhookError> {
        let mut state = self.write(scope);
        if let Some(()) = state.answered_before(claim.as_ref())? {
            return Ok(Some(Done::before(())));
        }
        let endpoints = &mut state.registry(scope.owner).endpoints;
        let Some(stored) = endpoints.get(&id) else { return Ok(None) };
        only_if.check(Some(stored.endpoint.version()))?;
        endpoints.remove(&id);
        state.audit(scope, Act::endpoint_deleted(id), at);
        state.keep(claim.as_ref(), &(), at);
        Ok(Some(Done::now(())))
    }

    async fn deliveries(
        &self,
        scope: &EnvironmentScope,
        id: WebhookEndpointId,
        query: DeliveryQuery,
    ) -> Result<Vec<Delivery>, StoreError> {
        let mut state = self.lock();
        let Some(stored) = state.registry(scope.owner).endpoints.get(&id) else { return Ok(Vec::new()) };
        let wanted = stored.deliveries.values().rev().filter(|one| {
            query.status.is_none_or(|status| one.state.status() == status)
                && query.before.is_none_or(|before| one.id < before)
        });
        Ok(wanted.take(query.limit.into()).cloned().collect())
    }

    async fn add_deliveries(
        &self,
        scope: &EnvironmentScope,
        deliveries: Vec<Delivery>,
        at: Timestamp,
        claim: Option<CallersClaim>,
    ) -> Result<Done<u64>, OnceError> {
        let count = deliveries.len() as u64;
        self.add(scope, deliveries, (count, at), claim)
    }

    async fn add_test(
        &self,
        scope: &EnvironmentScope,
        test: Delivery,
        claim: Option<CallersClaim>,
    ) -> Result<Done<Delivery>, OnceError> {
        let at = test.created_at;
        self.add(scope, vec![test.clone()], (test, at), claim)
    }

    async fn retry_failed(
        &self,
        scope: &EnvironmentScope,
        id: WebhookEndpointId,
        at: Timestamp,
        limit: u32,
        claim: Option<CallersClaim>,
    ) -> Result<Done<u64>, OnceError> {
        let mut state = self.write(scope);
        if let Some(count) = state.answered_before(claim.as_ref())? {
            return Ok(Done::before(count));
        }
        let found = state.registry(scope.owner).endpoints.get_mut(&id).into_iter();
        let failed =
            found.flat_map(|stored| stored.deliveries.values_mut()).filter(|one| one.state == DeliveryState::Failed);
        let retried = failed.take(usize::try_from(limit).unwrap_or(usize::MAX)).map(|one| {
            one.kind = DeliveryKind::Replay;
            one.state = DeliveryState::Waiting { next_attempt_at: Some(at) };
            one.attempts = 0;
            one.updated_at = at;
        });
        let count = retried.count() as u64;
        state.keep(claim.as_ref(), &count, at);
        Ok(Done::now(count))
    }

    async fn claim(&self, _scope: &SystemScope, claim: LeaseClaim) -> Result<Vec<WebhookEndpoint>, StoreError> {
        let mut state = self.lock();
        let party = |owner: Owner| (owner.tenant_id, owner.environment_id);
        let mut waiting = Vec::new();
        for registry in state.awake() {
            let end = registry.last_position();
            let claimable = registry.endpoints.values().filter(|stored| stored.is_claimable(end, &claim));
            waiting.extend(claimable.map(|stored| (party(stored.endpoint.owner), stored.endpoint.id)));
        }
        let served = claim.serving.iter().map(|(_, owner)| party(*owner));
        let chosen: Vec<_> = claim.choose(served, waiting).into_iter().map(|(_, id)| id).collect();
        let mut claimed = Vec::new();
        for stored in state.awake().flat_map(|registry| registry.endpoints.values_mut()) {
            if chosen.contains(&stored.endpoint.id) {
                stored.lease = Some((claim.holder.clone(), claim.until));
                claimed.push(stored.endpoint.clone());
            }
        }
        Ok(claimed)
    }

    async fn renew(
        &self,
        _scope: &SystemScope,
        id: WebhookEndpointId,
        holder: &str,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut state = self.lock();
        let found = state.awake().find_map(|registry| registry.endpoints.get_mut(&id));
        let held = found.filter(|stored| stored.is_held_by(holder) && stored.endpoint.disabled.is_none());
        Ok(held.map(|stored| stored.lease = Some((holder.to_owned(), until))).is_some())
    }

    async fn waiting(
        &self,
        scope: &EnvironmentScope,
        id: WebhookEndpointId,
        now: Timestamp,
        first: u32,
        replays: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        let mut state = self.lock();
        let Some(stored) = state.registry(scope.owner).endpoints.get(&id) else { return Ok(Vec::new()) };
        let mut waiting: Vec<_> =
            stored.deliveries.values().filter(|one| one.state.status() == DeliveryStatus::Waiting).cloned().collect();
        waiting.sort_by_key(|one| (one.position, one.id));
        let of = |kind: DeliveryKind, limit: u32| {
            let own =
                waiting.iter().filter(move |one| one.kind == kind && (kind == DeliveryKind::First || one.is_due(now)));
            own.take(usize::try_from(limit).unwrap_or(usize::MAX)).cloned()
        };
        Ok(of(DeliveryKind::First, first).chain(of(DeliveryKind::Replay, replays)).collect())
    }

    async fn record(&self, _scope: &SystemScope, record: RoundRecord) -> Result<bool, StoreError> {
        let mut state = self.lock();
        let registry = state.registry(record.owner);
        if registry.continues(record.position).is_err() {
            return Ok(false);
        }
        let found = registry.endpoints.get_mut(&record.endpoint_id);
        let Some(stored) = found.filter(|stored| stored.is_held_by(&record.holder)) else { return Ok(false) };
        stored.keep(record.fresh);
        stored.keep(record.changed);
        stored.endpoint.position = record.position.position();
        stored.endpoint.health = record.health;
        if let Some(reason) = record.disabled {
            stored.endpoint.disabled.get_or_insert(Disabled { reason, at: record.at });
        }
        stored.lease = record.lease_until.map(|until| (record.holder, until));
        Ok(true)
    }

    async fn remove_deliveries(
        &self,
        _scope: &SystemScope,
        changed_before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let mut state = self.lock();
        let mut removed = 0;
        for stored in state.registries.values_mut().flat_map(|registry| registry.endpoints.values_mut()) {
            stored.deliveries.retain(|_, one| {
                let waits = one.state.status() == DeliveryStatus::Waiting;
                let stays = waits || one.updated_at >= changed_before || removed >= u64::from(limit);
                removed += u64::from(!stays);
                stays
            });
        }
        Ok(removed)
    }
}

#[async_trait]
impl Resealing for MemoryStore {
    async fn reseal(&self, _scope: &SystemScope, vault: Arc<dyn SecretVault>) -> Result<Resealed, StoreError> {
        let mut counts = Resealed::default();
        for registry in self.lock().registries.values_mut() {
            for stored in registry.endpoints.values_mut() {
                if let Some(resealed) = counts.count(stored.endpoint.resealed(vault.as_ref())) {
                    stored.endpoint = resealed;
                }
            }
            for workflow in registry.versions.values_mut() {
                if let Some(resealed) = counts.count(workflow.resealed(vault.as_ref())) {
                    *workflow = resealed;
                }
            }
        }
        Ok(counts)
    }
}

impl Registry {
    /// The endpoints that are not deleted.
    pub(super) fn live_endpoints(&self) -> BTreeMap<WebhookEndpointId, WebhookEndpoint> {
        self.endpoints.iter().map(|(id, stored)| (*id, stored.endpoint.clone())).collect()
    }
}
