//! The tax port in memory.

use std::{collections::BTreeSet, time::Duration};

use async_trait::async_trait;

use super::{MemoryStore, Registry, id_taken, page};
use crate::{
    customer::query::Direction,
    event::{EventEntity, EventRecord, EventState, TaxRateEvent},
    idempotency::{Done, IdempotencyClaim, IdempotencyKeyReused, Outcome},
    ids::{CustomerId, IdSequence, TaxAssociationId, TaxRateId},
    lifecycle::{Status, Version},
    page::{Page, PageRequest},
    store::StoreError,
    tax::{
        BasisError, ChangeTaxDefault, ChangeTaxDefaultError, ChangeTaxRate, ChangeTaxRateError, CreateTaxDefaultError,
        CreateTaxRateError, TaxAssociation, TaxAssociationFilter, TaxBasis, TaxRate, TaxRateCode, TaxRateFacts,
        TaxRateFilter, TaxRepository, TaxedEntity,
    },
    tenancy::{EnvironmentScope, SystemScope},
    time::Timestamp,
};

#[async_trait]
impl TaxRepository for MemoryStore {
    async fn create_rate(
        &self,
        scope: &EnvironmentScope,
        created: TaxRateEvent,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<TaxRate>, CreateTaxRateError> {
        let created = TaxRateEvent { state: TaxRate { owner: scope.owner, ..created.state }, ..created };
        let rate = created.state.clone();
        let mut state = self.write(scope);
        let registry = state.registry(scope.owner);
        if let Some(made) = registry.rate_before(claim.as_ref())? {
            return Ok(Done::before(made));
        }
        if let Some(existing) = registry.rate_with_code(&rate.code) {
            return Err(CreateTaxRateError::CodeTaken { existing });
        }
        let rates = &mut registry.rates;
        if rates.contains_key(&rate.id) {
            return Err(id_taken("tax rate").into());
        }
        rates.insert(rate.id, rate.clone());
        registry.keep(claim.as_ref(), Outcome::Event(created.id), created.at);
        registry.append(|position| EventRecord::of_tax_rate(position, created));
        Ok(Done::now(rate))
    }

    async fn find_rate(&self, scope: &EnvironmentScope, id: TaxRateId) -> Result<Option<TaxRate>, StoreError> {
        Ok(self.lock().registry(scope.owner).rates.get(&id).cloned())
    }

    async fn create_default(
        &self,
        scope: &EnvironmentScope,
        association: TaxAssociation,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<TaxAssociation>, CreateTaxDefaultError> {
        let mut state = self.write(scope);
        let registry = state.registry(scope.owner);
        if let Some(made) = registry.kept_before(scope.owner, claim.as_ref())? {
            return Ok(Done::before(made));
        }
        let association = TaxAssociation { owner: scope.owner, entity: TaxedEntity::Tenant, ..association };
        let rate = registry.rates.get(&association.tax_rate_id).map(|rate| rate.status);
        CreateTaxDefaultError::check(rate, &association, &registry.defaults_of(association.tax_rate_id))?;
        if registry.associations().any(|other| other.id == association.id) {
            return Err(id_taken("tax association").into());
        }
        registry.defaults.insert(association.id, association.clone());
        registry.keep(claim.as_ref(), Outcome::kept(&association), association.audit.updated_at);
        Ok(Done::now(association))
    }

    async fn rates(
        &self,
        scope: &EnvironmentScope,
        filter: &TaxRateFilter,
        request: PageRequest,
    ) -> Result<Page<TaxRate>, StoreError> {
        let mut state = self.lock();
        let named = state.registry(scope.owner).rates.values().filter(|rate| filter.admits(rate));
        Ok(by_creation(named, filter.order, |rate| (rate.audit.created_at, rate.id), request))
    }

    async fn change_rate(
        &self,
        scope: &EnvironmentScope,
        command: ChangeTaxRate,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<TaxRate>, ChangeTaxRateError> {
        let mut state = self.write(scope);
        let registry = state.registry(scope.owner);
        if let Some(changed) = registry.rate_before(claim.as_ref())? {
            return Ok(Done::before(changed));
        }
        let in_use = |one: &TaxAssociation| one.tax_rate_id == command.id && one.status != Status::Deleted;
        let facts = TaxRateFacts {
            current: registry.rates.get(&command.id).cloned(),
            in_use: registry.associations().any(in_use),
            holder: command.wanted_code().and_then(|code| registry.rate_with_code(code)),
            was_used: registry.associations().any(|one| one.tax_rate_id == command.id),
        };
        let at = command.at;
        let event = command.decide(scope, &facts)?;
        let rate = event.state.clone();
        if facts.current.as_ref() == Some(&rate) {
            let entity = EventEntity::TaxRate(rate.id);
            let latest = registry.log.iter().rev().find(|one| one.entity == entity).map(|one| one.id);
            if let Some(latest) = latest {
                registry.keep(claim.as_ref(), Outcome::Event(latest), at);
            }
            return Ok(Done::now(rate));
        }
        registry.rates.insert(rate.id, rate.clone());
        registry.keep(claim.as_ref(), Outcome::Event(event.id), event.at);
        registry.append(|position| EventRecord::of_tax_rate(position, event));
        Ok(Done::now(rate))
    }

    async fn begin_changes(
        &self,
        _scope: &SystemScope,
        at: Timestamp,
        mut ids: IdSequence,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let mut state = self.lock();
        let mut count = 0;
        for registry in state.registries.values_mut() {
            let due =
                registry.rates.values().filter(|rate| rate.next_change().is_some_and(|next| next.effective_from <= at));
            let due: Vec<_> = due.map(|rate| rate.id).take(usize::try_from(limit).unwrap_or(usize::MAX)).collect();
            for id in due {
                if count == u64::from(limit) {
                    return Ok(count);
                }
                count += 1;
                while let Some(event) = registry.rates.get(&id).and_then(|rate| rate.begin(at, ids.next_id())) {
                    registry.rates.insert(id, event.state.clone());
                    registry.append(|position| EventRecord::of_tax_rate(position, event));
                }
            }
        }
        Ok(count)
    }

    async fn change_default(
        &self,
        scope: &EnvironmentScope,
        command: ChangeTaxDefault,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<TaxAssociation>, ChangeTaxDefaultError> {
        let mut state = self.write(scope);
        let registry = state.registry(scope.owner);
        if let Some(changed) = registry.kept_before(scope.owner, claim.as_ref())? {
            return Ok(Done::before(changed));
        }
        let current = registry.associations().find(|one| one.id == command.id).cloned();
        let others = current.as_ref().map(|current| registry.defaults_of(current.tax_rate_id)).unwrap_or_default();
        let at = command.at;
        let default = command.decide(scope, current.as_ref(), &others)?;
        registry.defaults.insert(default.id, default.clone());
        registry.keep(claim.as_ref(), Outcome::kept(&default), at);
        Ok(Done::now(default))
    }

    async fn find_association(
        &self,
        scope: &EnvironmentScope,
        id: TaxAssociationId,
    ) -> Result<Option<TaxAssociation>, StoreError> {
        Ok(self.lock().registry(scope.owner).associations().find(|one| one.id == id).cloned())
    }

    async fn associations(
        &self,
        scope: &EnvironmentScope,
        filter: &TaxAssociationFilter,
        request: PageRequest,
    ) -> Result<Page<TaxAssociation>, StoreError> {
        let mut state = self.lock();
        let named = state.registry(scope.owner).associations().filter(|one| filter.admits(one));
        Ok(by_creation(named, filter.order, |one| (one.audit.created_at, one.id), request))
    }

    async fn basis(
        &self,
        scope: &EnvironmentScope,
        customer_id: CustomerId,
        known_at: Option<Timestamp>,
    ) -> Result<Option<TaxBasis>, BasisError> {
        let mut state = self.lock();
        let registry = state.registry(scope.owner);
        let last = registry.timed_log().last().map(|(at, _)| at);
        let known = match (known_at, last) {
            (Some(known_at), Some(last)) => known_at.min(last),
            (_, Some(last)) => last,
            (_, None) => return Ok(None),
        };
        let customer = registry.state_known(EventEntity::Customer(customer_id), known)?;
        let Some(EventState::Customer(aggregate)) = customer else { return Ok(None) };
        let own: Vec<_> = aggregate.associations.iter().chain(&aggregate.removed_associations).cloned().collect();
        let published = |default: &&TaxAssociation| default.status == Status::Published;
        let defaults: Vec<_> = registry.defaults.values().filter(published).cloned().collect();
        let named: BTreeSet<_> = own.iter().chain(&defaults).map(|one| one.tax_rate_id).collect();
        let mut rates = Vec::new();
        for id in named {
            if let Some(EventState::TaxRate(rate)) = registry.state_known(EventEntity::TaxRate(id), known)? {
                rates.push(*rate);
            }
        }
        Ok(Some(TaxBasis::of(*aggregate, defaults, rates, known)))
    }
}

impl Registry {
    /// All tax associations, including removed ones: the defaults and those of customers.
    fn associations(&self) -> impl Iterator<Item = &TaxAssociation> {
        let customers = self.customers.values();
        let theirs = customers.flat_map(|one| one.associations.iter().chain(&one.removed_associations));
        self.defaults.values().chain(theirs)
    }

    /// The published defaults with a rate.
    fn defaults_of(&self, rate: TaxRateId) -> Vec<TaxAssociation> {
        let of_rate = |one: &&TaxAssociation| one.tax_rate_id == rate && one.status == Status::Published;
        self.defaults.values().filter(of_rate).cloned().collect()
    }

    /// The log with its own times, which rise strictly.
    fn timed_log(&self) -> impl Iterator<Item = (Timestamp, &EventRecord)> {
        let mut last: Option<Timestamp> = None;
        self.log.iter().map(move |record| {
            let next = last.map_or(record.at, |last| record.at.max(last.later(Duration::from_micros(1))));
            last = Some(next);
            (next, record)
        })
    }

    /// The state of an entity as of the last event that the log had at a time; `None` if it did not exist then.
    fn state_known(&self, entity: EventEntity, known: Timestamp) -> Result<Option<EventState>, BasisError> {
        let mut of_entity = self.timed_log().filter(|(_, record)| record.entity == entity).peekable();
        let begins_later = of_entity.peek().is_some_and(|(_, record)| record.sequence != Version::FIRST);
        let before = of_entity.take_while(|(at, _)| *at <= known).last();
        match before {
            Some((_, record)) => Ok(record.state.clone()),
            None if begins_later => Err(BasisError::Removed),
            None => Ok(None),
        }
    }

    /// The rate after an earlier request with the same key.
    fn rate_before(&self, claim: Option<&IdempotencyClaim>) -> Result<Option<TaxRate>, IdempotencyKeyReused> {
        match self.event_before(claim)?.map(|event| &event.state) {
            None => Ok(None),
            Some(Some(EventState::TaxRate(rate))) => Ok(Some(TaxRate::clone(rate))),
            // The key has another kind of outcome, so it was used for a different request.
            Some(_) => Err(IdempotencyKeyReused::default()),
        }
    }

    fn rate_with_code(&self, code: &TaxRateCode) -> Option<TaxRateId> {
        let holder = |rate: &&TaxRate| rate.status == Status::Published && rate.code == *code;
        self.rates.values().find(holder).map(|rate| rate.id)
    }
}

/// Sorts a list by creation and cuts a page from it.
fn by_creation<'a, T: Clone + 'a, I: Ord>(
    all: impl Iterator<Item = &'a T>,
    order: Direction,
    created: impl Fn(&T) -> (Timestamp, I),
    request: PageRequest,
) -> Page<T> {
    let mut all: Vec<&T> = all.collect();
    all.sort_by_key(|item| created(item));
    if order == Direction::Desc {
        all.reverse();
    }
    page(all, request)
}
