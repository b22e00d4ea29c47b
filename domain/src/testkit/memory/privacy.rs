//! The privacy port in memory.

mod retention;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use async_trait::async_trait;

use super::{MemoryStore, Registry, State, onboarding::StoredRun};
use crate::{
    audit::Act,
    custom_field::{CustomFieldFacts, UniqueValue},
    customer::{CustomerAggregate, ExternalId, found_by_external_id},
    event::{EventEntity, EventRecord},
    idempotency::{IdempotencyKey, Outcome},
    ids::{CustomerId, DeletionRequestId},
    lifecycle::{Owner, Status},
    privacy::{
        CancelDeletion, CancelFacts, Cancellation, Category, CategoryCount, DeletionDecision, DeletionFacts,
        DeletionQuery, DeletionRequest, DeletionState, ErasureClaim, NamedSubject, NewDeletionRequest, PersonalRecord,
        PrivacyError, PrivacyRepository, Redaction, RedactionStep, Requested, StorageKind, SubjectKey, SubjectTag,
        Suppression,
    },
    store::StoreError,
    tenancy::{Actor, EnvironmentScope, SystemScope},
    time::Timestamp,
};

/// The key of every store in memory.
const KEY: SubjectKey = SubjectKey::from_bytes([7; 32]);

/// A customer out of sight, with its onboarding run.
#[derive(Clone)]
pub(super) struct Withheld {
    customer: CustomerAggregate,
    run: Option<StoredRun>,
}

/// A request, and its lease.
#[derive(Clone)]
pub(super) struct StoredDeletion {
    request: DeletionRequest,
    lease: Option<(String, Timestamp)>,
}

impl StoredDeletion {
    fn due_at(&self) -> Option<Timestamp> {
        self.request.next_at().map(|at| self.lease.as_ref().map_or(at, |(_, until)| *until))
    }

    fn is_held_by(&self, holder: &str) -> bool {
        self.lease.as_ref().is_some_and(|(held_by, _)| held_by == holder)
    }

    fn has_reason_about(&self, id: CustomerId) -> bool {
        self.request.customer_id == id && self.request.reason.is_some()
    }
}

/// A place with personal data, as the list of all of them.
type Place = (Category, fn(&Registry, CustomerId) -> usize, fn(&mut Registry, CustomerId, usize) -> usize);

/// Every place with personal data, in the order of redaction.
const PLACES: &[Place] = &[
    (
        Category::KeptAnswers,
        |registry, id| registry.kept_about(id).len(),
        |registry, id, limit| {
            let keys: Vec<_> = registry.kept_about(id).into_iter().take(limit).collect();
            for key in &keys {
                registry.idempotency.entry(key.clone()).and_modify(|record| record.outcome = Outcome::Gone);
            }
            keys.len()
        },
    ),
    (
        Category::Events,
        |registry, id| registry.log.iter().filter(|event| is_about(event, id) && event.state.is_some()).count(),
        |registry, id, limit| {
            let about = registry.log.iter_mut().filter(|event| is_about(event, id) && event.state.is_some());
            let erase = |event: &mut EventRecord| {
                event.state = None;
                registry.chain.erase(event.position);
            };
            about.take(limit).map(erase).count()
        },
    ),
    (
        Category::WebhookDeliveries,
        |registry, id| registry.answers_about(id),
        |registry, id, limit| registry.forget_answers_about(id, limit),
    ),
    (
        Category::OnboardingRuns,
        |registry, id| registry.withheld.get(&id).map_or(0, |withheld| usize::from(withheld.run.is_some())),
        |registry, id, _| registry.withheld.get_mut(&id).map_or(0, |one| usize::from(one.run.take().is_some())),
    ),
    (
        Category::DeletionRequests,
        |registry, id| registry.deletions.values().filter(|one| one.has_reason_about(id)).count(),
        |registry, id, limit| {
            let about = registry.deletions.values_mut().filter(|one| one.has_reason_about(id));
            about.take(limit).map(|one| one.request.reason = None).count()
        },
    ),
    // The store in memory has no imports, and finds customers without entries.
    (Category::Imports, |_, _| 0, |_, _, _| 0),
    (Category::FormerExternalIds, |_, _| 0, |_, _, _| 0),
    (Category::IndexEntries, |_, _| 0, |_, _, _| 0),
    (
        Category::Document,
        |registry, id| usize::from(registry.withheld.contains_key(&id)),
        |registry, id, _| usize::from(registry.withheld.remove(&id).is_some()),
    ),
];

fn is_about(event: &EventRecord, id: CustomerId) -> bool {
    event.entity == EventEntity::Customer(id)
}

impl Registry {
    /// An event as readers see it: without the state of a customer that is suppressed or erased.
    pub(super) fn shown(&self, event: &EventRecord) -> EventRecord {
        let mut event = event.clone();
        if let EventEntity::Customer(id) = event.entity
            && !self.customers.contains_key(&id)
        {
            let hidden = event.state.take().is_some();
            event.withheld = hidden && self.withheld.contains_key(&id);
        }
        event
    }

    /// Whether an external id belonged to a customer that is suppressed or erased.
    pub(super) fn is_erased(&self, owner: Owner, external_id: &ExternalId) -> bool {
        let tag = KEY.tag(owner, external_id.as_str());
        self.subjects.iter().any(|(known, _)| *known == tag)
    }

    fn kept_about(&self, id: CustomerId) -> Vec<IdempotencyKey> {
        let of_customer = |outcome: &Outcome| match outcome {
            Outcome::Event(event) => self.log.iter().any(|one| one.id == *event && is_about(one, id)),
            Outcome::Kept(kept) => kept.json().contains(&id.to_string()),
            Outcome::Gone => false,
        };
        self.idempotency.iter().filter(|(_, kept)| of_customer(&kept.outcome)).map(|(key, _)| key.clone()).collect()
    }

    fn found_as(&self, subject: &NamedSubject) -> Option<&CustomerAggregate> {
        let id = match subject {
            NamedSubject::Id(id) => Some(*id),
            NamedSubject::ExternalId(external_id) => {
                let terms = self.customers.values().flat_map(|customer| customer.terms_of(external_id));
                found_by_external_id(terms).or_else(|| {
                    let mut archived = self.customers.values().filter(|one| {
                        one.customer.external_id == *external_id && one.customer.status == Status::Archived
                    });
                    archived.next().filter(|_| archived.next().is_none()).map(|one| one.customer.id)
                })
            }
        };
        self.customers.get(&id?)
    }

    fn earlier(&self, owner: Owner, subject: &NamedSubject) -> Option<&DeletionRequest> {
        let all = self.deletions.values().map(|one| &one.request).rev();
        let mut in_force = all.filter(|request| request.state != DeletionState::Cancelled);
        match subject {
            NamedSubject::Id(id) => in_force.find(|request| request.customer_id == *id),
            NamedSubject::ExternalId(external_id) => {
                let tag = KEY.tag(owner, external_id.as_str());
                in_force.find(|request| self.subjects.contains(&(tag, request.id)))
            }
        }
    }
}

impl State {
    /// Hides a customer, with its request and event.
    fn suppress(&mut self, scope: &EnvironmentScope, suppression: Suppression) {
        let Suppression { request, customer, mark } = suppression;
        let registry = self.registry(scope.owner);
        let former = customer.former_external_ids.iter();
        let former = former.map(|former| KEY.tag(scope.owner, former.external_id.as_str()));
        let tags = former.chain([request.subject]).map(|tag| (tag, request.id));
        registry.subjects.extend(tags);
        registry.customers.remove(&request.customer_id);
        let run = registry.runs.remove(&request.customer_id).map(|stored| StoredRun { holder: None, ..stored });
        registry.withheld.insert(request.customer_id, Withheld { customer, run });
        registry.deletions.insert(request.id, StoredDeletion { request: request.clone(), lease: None });
        registry.append(|position| mark.record(position));
        self.audit(scope, Act::deletion(&request), request.audit.created_at);
    }
}

impl Registry {
    /// Redacts records about one customer, as many as are left of a step; `None` if the holder does not have the lease.
    fn redact(&mut self, id: DeletionRequestId, step: &RedactionStep, left: &mut usize) -> Option<Redaction> {
        let stored = self.deletions.get(&id).filter(|stored| stored.is_held_by(&step.holder))?;
        let mut request = stored.request.clone();
        for (category, _, redact) in PLACES {
            if *left == 0 {
                return Some(Redaction { request, more: true });
            }
            let redacted = redact(self, request.customer_id, *left);
            *left = left.saturating_sub(redacted);
            // The step may have redacted the reason of this request.
            request.reason = self.deletions.get(&id).and_then(|one| one.request.reason.clone());
            request.add_redacted(*category, redacted as u64);
            let lease = Some((step.holder.clone(), step.until));
            self.deletions.insert(id, StoredDeletion { request: request.clone(), lease });
        }
        Some(Redaction { request, more: false })
    }
}

#[async_trait]
impl PrivacyRepository for MemoryStore {
    async fn request(&self, scope: &EnvironmentScope, new: NewDeletionRequest) -> Result<Requested, PrivacyError> {
        let mut state = self.write(scope);
        let registry = state.registry(scope.owner);
        let customer = registry.found_as(&new.subject).cloned();
        let tag = |external_id: &ExternalId| KEY.tag(scope.owner, external_id.as_str());
        let subject = customer.as_ref().map(|one| tag(&one.customer.external_id));
        let facts = DeletionFacts {
            earlier: registry.earlier(scope.owner, &new.subject).cloned(),
            customer,
            subject: subject.unwrap_or(SubjectTag::from_bytes([0; 32])),
            importing: false,
        };
        let suppression = match new.decide(scope, facts)? {
            DeletionDecision::Repeated(request) => return Ok(Requested { request: *request, is_new: false }),
            DeletionDecision::New(suppression) => suppression,
        };
        let request = suppression.request.clone();
        state.suppress(scope, *suppression);
        Ok(Requested { request, is_new: true })
    }

    async fn find(
        &self,
        scope: &EnvironmentScope,
        id: DeletionRequestId,
    ) -> Result<Option<DeletionRequest>, StoreError> {
        Ok(self.lock().registry(scope.owner).deletions.get(&id).map(|one| one.request.clone()))
    }

    async fn about(
        &self,
        scope: &EnvironmentScope,
        subject: NamedSubject,
    ) -> Result<Option<DeletionRequest>, StoreError> {
        Ok(self.lock().registry(scope.owner).earlier(scope.owner, &subject).cloned())
    }

    async fn requests(
        &self,
        scope: &EnvironmentScope,
        query: DeletionQuery,
    ) -> Result<Vec<DeletionRequest>, StoreError> {
        let mut state = self.lock();
        let all = state.registry(scope.owner).deletions.values().rev().map(|one| &one.request);
        let wanted = all.filter(|request| {
            query.state.is_none_or(|state| request.state == state)
                && query.before.is_none_or(|before| request.id < before)
        });
        Ok(wanted.take(query.limit.into()).cloned().collect())
    }

    async fn cancel(
        &self,
        scope: &EnvironmentScope,
        id: DeletionRequestId,
        cancel: CancelDeletion,
    ) -> Result<DeletionRequest, PrivacyError> {
        let mut state = self.write(scope);
        let registry = state.registry(scope.owner);
        let request = registry.deletions.get(&id).ok_or(PrivacyError::UnknownRequest)?.request.clone();
        let customer = registry.withheld.get(&request.customer_id).map(|one| one.customer.clone());
        let external_id = customer.as_ref().map(|one| &one.customer.external_id);
        let published = |one: &&CustomerAggregate| one.customer.status == Status::Published;
        let mut holders = registry.customers.values().filter(published);
        let holder = holders.find(|one| Some(&one.customer.external_id) == external_id).map(|one| one.customer.id);
        let definitions: Vec<_> = registry.custom_fields.values().cloned().collect();
        let held = registry.customers.values().flat_map(|one| {
            let values = UniqueValue::all_of(one, &definitions).into_iter();
            values.map(|value| (value, one.customer.id))
        });
        let custom_fields = CustomFieldFacts::new(definitions.as_slice()).with_holders(held.collect());
        let facts = CancelFacts { customer, holder, custom_fields };
        let CancelDeletion { ids, at, only_if } = cancel;
        let Some(cancelled) = request.clone().cancel(scope, facts, ids, at, &only_if)? else { return Ok(request) };
        let Cancellation { request, customer, mark, .. } = *cancelled;
        let customer_id = customer.customer.id;
        let run = registry.withheld.remove(&customer_id).and_then(|withheld| withheld.run);
        registry.runs.extend(run.map(|run| (customer_id, run)));
        registry.customers.insert(customer_id, customer);
        registry.subjects.retain(|(_, request)| *request != id);
        registry.deletions.insert(id, StoredDeletion { request: request.clone(), lease: None });
        registry.wake_deliveries_about(customer_id, at);
        registry.append(|position| mark.record(position));
        state.audit(scope, Act::deletion(&request), at);
        Ok(request)
    }

    async fn record(&self, scope: &EnvironmentScope, id: CustomerId) -> Result<Option<PersonalRecord>, StoreError> {
        let mut state = self.lock();
        let registry = state.registry(scope.owner);
        let Some(customer) = registry.customers.get(&id).cloned() else { return Ok(None) };
        let requests = registry.deletions.values().map(|one| &one.request);
        let kept = registry.kept_about(id).into_iter();
        Ok(Some(PersonalRecord {
            customer,
            run: registry.runs.get(&id).map(|stored| stored.run.clone()),
            requests: requests.filter(|request| request.customer_id == id).cloned().collect(),
            kept_answers: kept.filter_map(|key| registry.idempotency.get(&key)).map(|record| record.at).collect(),
            deliveries: registry.recorded_deliveries_about(id),
            failed_rows: Vec::new(),
            import_changes: Vec::new(),
        }))
    }

    async fn personal_data(
        &self,
        scope: &EnvironmentScope,
        subject: NamedSubject,
    ) -> Result<Option<Vec<CategoryCount>>, StoreError> {
        let mut state = self.lock();
        let registry = state.registry(scope.owner);
        let Some(id) = registry.found_as(&subject).map(|one| one.customer.id) else { return Ok(None) };
        let count = |(category, count, _): &Place| {
            let redacted = match category {
                Category::Document => 1,
                Category::OnboardingRuns => usize::from(registry.runs.contains_key(&id)),
                _ => count(registry, id),
            };
            CategoryCount { category: *category, redacted: redacted as u64, left: None }
        };
        Ok(Some(PLACES.iter().map(count).collect()))
    }

    async fn claim(&self, _scope: &SystemScope, claim: ErasureClaim) -> Result<Vec<DeletionRequest>, StoreError> {
        let mut state = self.lock();
        let all = state.awake().flat_map(|registry| registry.deletions.values_mut());
        let mut due: Vec<_> = all.filter(|one| one.due_at().is_some_and(|at| at <= claim.now)).collect();
        due.sort_by_key(|one| (one.due_at(), one.request.id));
        let mut taken: HashMap<Owner, u16> = HashMap::new();
        let mut claimed = Vec::new();
        for one in due {
            let of_one = taken.entry(one.request.owner).or_default();
            if claimed.len() < usize::from(claim.limit) && *of_one < claim.room_for(one.request.owner) {
                *of_one += 1;
                one.request = one.request.clone().begun(claim.now);
                one.lease = Some((claim.holder.clone(), claim.until));
                claimed.push(one.request.clone());
            }
        }
        Ok(claimed)
    }

    async fn redact(&self, _scope: &SystemScope, step: RedactionStep) -> Result<Vec<Redaction>, StoreError> {
        let mut state = self.lock();
        let registry = state.registry(step.owner);
        let mut left = usize::try_from(step.limit).unwrap_or(usize::MAX);
        Ok(step.requests.iter().filter_map(|id| registry.redact(*id, &step, &mut left)).collect())
    }

    async fn verify(&self, _scope: &SystemScope, step: RedactionStep) -> Result<Vec<DeletionRequest>, StoreError> {
        let mut state = self.lock();
        let (mut verified, mut ids) = (Vec::new(), step.ids);
        for id in &step.requests {
            let registry = state.registry(step.owner);
            let stored = registry.deletions.get(id).filter(|stored| stored.is_held_by(&step.holder));
            let Some(request) = stored.map(|stored| stored.request.clone()) else { continue };
            let customer = request.customer_id;
            let left = PLACES.iter().map(|(category, count, _)| (*category, count(registry, customer) as u64));
            let request = request.verified(&left.collect::<Vec<_>>(), step.at);
            let is_open = request.state == DeletionState::Redacting;
            let lease = is_open.then(|| (step.holder.clone(), step.until));
            registry.deletions.insert(*id, StoredDeletion { request: request.clone(), lease });
            if request.state == DeletionState::Completed {
                registry.wake_deliveries_about(customer, step.at);
                registry.append(|position| request.erased_mark(ids.next_id(), step.at).record(position));
                state.audit(&EnvironmentScope::new(step.owner, Actor::system()), Act::deletion(&request), step.at);
            }
            verified.push(request);
        }
        Ok(verified)
    }

    async fn forget(&self, _scope: &SystemScope) -> Result<(), StoreError> {
        Ok(())
    }

    fn storage(&self) -> StorageKind {
        StorageKind::Other
    }
}
