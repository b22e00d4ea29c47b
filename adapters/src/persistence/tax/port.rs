//! The port for tax rates and tax associations.

use async_trait::async_trait;
use futures_util::FutureExt;
use patron_domain::{
    customer::{CustomerAggregate, IndexEntry},
    event::{EventState, TaxRateEvent},
    idempotency::{CallersClaim, Done, IdempotencyClaim, OnceError},
    ids::{CustomerId, IdSequence, TaxAssociationId, TaxRateId},
    lifecycle::{Owner, Status},
    page::{Page, PageBytes, PageRequest},
    store::StoreError,
    tax::{
        BasisError, ChangeTaxDefault, ChangeTaxDefaultError, ChangeTaxRate, ChangeTaxRateError, CreateTaxDefaultError,
        CreateTaxRateError, TaxAssociation, TaxAssociationFilter, TaxBasis, TaxRate, TaxRateFacts, TaxRateFilter,
        TaxRepository, TaxedEntities, TaxedEntity,
    },
    tenancy::{EnvironmentScope, SystemScope},
    time::Timestamp,
};

use super::{
    associations, basis, begin,
    row::{DefaultRow, RateRow},
};
use crate::persistence::{
    author::Author,
    engine::{Decision, Pace},
    error::{Failure, refused},
    event::row::EventRow,
    idempotency::{self, Before, Keeping, Once},
    page::{Window, cut, page_of},
    store::Store,
    unit::Reads,
    value::Key,
    word::Word,
    writes::Writes,
};

/// The rate that an earlier request with the same key returned.
async fn rate_before<E>(unit: &dyn Reads, once: Option<&Once>) -> Result<Before<TaxRate>, Failure<E>>
where
    E: From<OnceError> + From<StoreError>,
{
    let event = match idempotency::event_before::<E>(unit, once).await? {
        Before::Free(keeping) => return Ok(Before::Free(keeping)),
        Before::Done(event) => event,
    };
    match event.state {
        Some(EventState::TaxRate(rate)) => Ok(Before::Done(*rate)),
        // The key was used for a customer.
        _ => Err(Failure::Refused(OnceError::from(patron_domain::idempotency::IdempotencyKeyReused::default()).into())),
    }
}

/// The rows of a decision about a rate.
fn rate_writes(environment: i32, event: &TaxRateEvent, keeping: Box<Keeping>) -> Result<(RateRow, Writes), StoreError> {
    let row = RateRow::new(environment, &event.state);
    let mut writes = Writes::default();
    writes.events.push(EventRow::of_tax_rate(environment, event, &row.document)?);
    keeping.event(&mut writes, event.id, None, event.at);
    Ok((row, writes))
}

#[async_trait]
impl TaxRepository for Store {
    async fn create_rate(
        &self,
        scope: &EnvironmentScope,
        created: TaxRateEvent,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<TaxRate>, CreateTaxRateError> {
        let mut created = created;
        created.state.owner = scope.owner;
        let environment = self.environment_to_write(&scope.origin, scope.owner).await?;
        let once = Once::of(self, CallersClaim::within(scope, claim)).await?;
        let create = self.write(Author::from(scope), environment, move |unit| {
            let (created, once) = (created.clone(), once.clone());
            let create = async move {
                let holder = unit.rate_of_code(environment, created.state.code.as_str()).await?;
                let keeping = match rate_before(unit, once.as_ref()).await? {
                    Before::Done(rate) => return Ok(Decision::nothing(Done::before(rate))),
                    Before::Free(keeping) => keeping,
                };
                if let Some(holder) = holder {
                    return Err(Failure::Refused(CreateTaxRateError::CodeTaken { existing: holder.id() }));
                }
                let written = rate_writes(environment, &created, keeping);
                let (row, mut writes) = written.map_err(|error| Failure::Refused(error.into()))?;
                writes.new_rates.push(row);
                Ok(Decision { answer: Done::now(created.state), writes })
            };
            create.boxed()
        });
        create.await
    }

    async fn find_rate(&self, scope: &EnvironmentScope, id: TaxRateId) -> Result<Option<TaxRate>, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(None) };
        let row = self.read(Pace::LookUp, move |unit| unit.rate(environment, id.into()).boxed()).await?;
        row.map(|row| row.document.read(scope.owner, id)).transpose()
    }

    async fn rates(
        &self,
        scope: &EnvironmentScope,
        filter: &TaxRateFilter,
        page: PageRequest,
    ) -> Result<Page<TaxRate>, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(Page::empty()) };
        let (filter, window) = (filter.clone(), Window::from(page));
        // From one state of the database: a page shorter than requested, of a longer list, has ended early.
        let read = self.read(Pace::Snapshot(environment.into()), move |unit| {
            let read = async move {
                let mut rows = unit.rates_admitted(environment, &filter, window).await?;
                cut(&mut rows, PageBytes::default());
                Ok((rows, unit.count_rates_admitted(environment, &filter).await?))
            };
            read.boxed()
        });
        page_of(read.await?, |row| rate(scope.owner, &row))
    }

    async fn change_rate(
        &self,
        scope: &EnvironmentScope,
        command: ChangeTaxRate,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<TaxRate>, ChangeTaxRateError> {
        let environment = self.environment(scope.owner).await?.ok_or(ChangeTaxRateError::Unknown)?;
        let once = Once::of(self, CallersClaim::within(scope, claim)).await?;
        let scope = scope.clone();
        let change = self.write(Author::from(&scope), environment, move |unit| {
            let (scope, command, once) = (scope.clone(), command.clone(), once.clone());
            let change = async move {
                // Lock first: a repeated request that waited for the lock then finds the answer that the first one
                // kept.
                let current = unit.lock_rate(environment, command.id.into()).await?;
                let keeping = match rate_before(unit, once.as_ref()).await? {
                    Before::Done(rate) => return Ok(Decision::nothing(Done::before(rate))),
                    Before::Free(keeping) => keeping,
                };
                let id = Key::from(command.id);
                let holder = match command.wanted_code() {
                    None => None,
                    Some(code) => unit.rate_of_code(environment, code.as_str()).await?,
                };
                let current = current.map(|row| rate(scope.owner, &row)).transpose().map_err(refused)?;
                let in_use =
                    unit.is_default(environment, id).await? || unit.is_associated(environment, id, false).await?;
                let was_used = in_use || unit.is_associated(environment, id, true).await?;
                let facts = TaxRateFacts::new(current, in_use, holder.map(Key::id));
                let facts = if was_used { facts.used_before() } else { facts };
                let at = command.at;
                let event = command.decide(&scope, &facts).map_err(Failure::Refused)?;
                if facts.current.as_ref() == Some(&event.state) {
                    let mut writes = Writes { marked: Some(environment), ..Writes::default() };
                    keeping.latest(unit, &mut writes, (id, None), event.sequence, at).await?;
                    return Ok(Decision { answer: Done::now(event.state), writes });
                }
                let written = rate_writes(environment, &event, keeping);
                let (row, mut writes) = written.map_err(|error| Failure::Refused(error.into()))?;
                writes.rates.push(row);
                Ok(Decision { answer: Done::now(event.state), writes })
            };
            change.boxed()
        });
        change.await
    }

    async fn begin_changes(
        &self,
        _scope: &SystemScope,
        at: Timestamp,
        ids: IdSequence,
        limit: u32,
    ) -> Result<u64, StoreError> {
        begin::begin(self, at, ids, limit).await
    }

    async fn create_default(
        &self,
        scope: &EnvironmentScope,
        association: TaxAssociation,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<TaxAssociation>, CreateTaxDefaultError> {
        let default = TaxAssociation { owner: scope.owner, ..association };
        let environment = self.environment_to_write(&scope.origin, scope.owner).await?;
        let once = Once::of(self, CallersClaim::within(scope, claim)).await?;
        let owner = scope.owner;
        let create = self.write(Author::from(scope), environment, move |unit| {
            let (default, once) = (default.clone(), once.clone());
            let create = async move {
                // Under this lock all defaults with the rate are visible, and no other can be added.
                let rate = unit.lock_rate(environment, default.tax_rate_id.into()).await?;
                let others = defaults_of(unit, owner, environment, default.tax_rate_id.into()).await?;
                let keeping = match idempotency::before(unit, once.as_ref()).await? {
                    Before::Done(made) => return Ok(Decision::nothing(Done::before(made))),
                    Before::Free(keeping) => keeping,
                };
                let status = rate.as_ref().map(|rate| Status::of(rate.status, "tax_rates", "status"));
                let status = status.transpose().map_err(refused)?;
                CreateTaxDefaultError::check(status, &default, &others).map_err(Failure::Refused)?;
                let mut writes = Writes { marked: Some(environment), ..Writes::default() };
                writes.new_defaults.push(DefaultRow::new(environment, &default));
                keeping.answer(&mut writes, &default, default.audit.updated_at);
                Ok(Decision { answer: Done::now(default), writes })
            };
            create.boxed()
        });
        create.await
    }

    async fn change_default(
        &self,
        scope: &EnvironmentScope,
        command: ChangeTaxDefault,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<TaxAssociation>, ChangeTaxDefaultError> {
        let environment = self.environment(scope.owner).await?.ok_or(ChangeTaxDefaultError::Unknown)?;
        let once = Once::of(self, CallersClaim::within(scope, claim)).await?;
        let scope = scope.clone();
        let change = self.write(Author::from(&scope), environment, move |unit| {
            let (scope, command, once) = (scope.clone(), command.clone(), once.clone());
            let change = async move {
                // The rate of a default never changes. It is locked first, as in a create.
                let rate = unit.default(environment, command.id.into()).await?.map(|default| default.tax_rate);
                let others = match rate {
                    Some(rate) => {
                        unit.lock_rate(environment, rate).await?;
                        defaults_of(unit, scope.owner, environment, rate).await?
                    }
                    None => Vec::new(),
                };
                let current = unit.lock_default(environment, command.id.into()).await?;
                let keeping = match idempotency::before(unit, once.as_ref()).await? {
                    Before::Done(changed) => return Ok(Decision::nothing(Done::before(changed))),
                    Before::Free(keeping) => keeping,
                };
                let current = current.map(|row| row.document.read(scope.owner, command.id));
                let current: Option<TaxAssociation> = current.transpose().map_err(refused)?;
                let at = command.at;
                let default = command.decide(&scope, current.as_ref(), &others).map_err(Failure::Refused)?;
                let mut writes = Writes { marked: Some(environment), ..Writes::default() };
                if current.as_ref() != Some(&default) {
                    writes.defaults.push(DefaultRow::new(environment, &default));
                }
                keeping.answer(&mut writes, &default, at);
                Ok(Decision { answer: Done::now(default), writes })
            };
            change.boxed()
        });
        change.await
    }

    async fn find_association(
        &self,
        scope: &EnvironmentScope,
        id: TaxAssociationId,
    ) -> Result<Option<TaxAssociation>, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(None) };
        let entry = IndexEntry::association(id);
        let read = self.read(Pace::LookUp, move |unit| {
            let read = async move {
                let default = unit.default(environment, id.into()).await?;
                let customers = match default {
                    Some(_) => Vec::new(),
                    None => unit.customers_indexed(environment, entry.kind.code(), &entry.key, 1).await?,
                };
                Ok((default, customers))
            };
            read.boxed()
        });
        let (default, customers) = read.await?;
        if let Some(default) = default {
            return default.document.read(scope.owner, id).map(Some);
        }
        for document in customers {
            let aggregate: CustomerAggregate = document.read(scope.owner, id)?;
            if let Some(found) = take_association(aggregate, id) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    async fn associations(
        &self,
        scope: &EnvironmentScope,
        filter: &TaxAssociationFilter,
        page: PageRequest,
    ) -> Result<Page<TaxAssociation>, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(Page::empty()) };
        if let TaxedEntities::One(TaxedEntity::Customer(id)) = filter.entities {
            return self.associations_of(scope.owner, environment, id, filter, page).await;
        }
        let (wanted, owner) = (filter.clone(), scope.owner);
        let found = self.read(Pace::Snapshot(environment.into()), move |unit| {
            async move { associations::list(unit, (owner, environment), &wanted, page).await }.boxed()
        });
        associations::merge(scope.owner, filter, page, found.await?)
    }

    async fn basis(
        &self,
        scope: &EnvironmentScope,
        customer_id: CustomerId,
        known_at: Option<Timestamp>,
    ) -> Result<Option<TaxBasis>, BasisError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(None) };
        basis::read(self, scope.owner, environment, customer_id, known_at).await
    }
}

/// The published defaults with a rate.
async fn defaults_of<E: From<StoreError>>(
    unit: &dyn Reads,
    owner: Owner,
    environment: i32,
    rate: Key,
) -> Result<Vec<TaxAssociation>, Failure<E>> {
    let rows = unit.defaults_of_rate(environment, rate).await?;
    rows.iter().map(|row| default(owner, row)).collect::<Result<_, _>>().map_err(refused)
}

pub(super) fn rate(owner: Owner, row: &RateRow) -> Result<TaxRate, StoreError> {
    row.document.read(owner, row.id.id::<patron_domain::ids::TaxRateKind>())
}

pub(super) fn default(owner: Owner, row: &DefaultRow) -> Result<TaxAssociation, StoreError> {
    row.document.read(owner, row.id.id::<patron_domain::ids::TaxAssociationKind>())
}

/// Finds an association of a customer, including removed ones.
fn take_association(aggregate: CustomerAggregate, id: TaxAssociationId) -> Option<TaxAssociation> {
    let CustomerAggregate { associations, removed_associations, .. } = aggregate;
    associations.into_iter().chain(removed_associations).find(|association| association.id == id)
}
