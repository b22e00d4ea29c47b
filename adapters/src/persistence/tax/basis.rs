//! The facts about a customer's taxes, as known now or at an earlier time.

use std::collections::BTreeSet;

use diesel::QueryResult;
use futures_util::FutureExt;
use patron_domain::{
    customer::CustomerAggregate,
    ids::{CustomerId, TaxRateId},
    lifecycle::{Owner, Status},
    store::StoreError,
    tax::{BasisError, TaxAssociation, TaxBasis, TaxRate},
    time::Timestamp,
};

use super::{
    port::{default, rate},
    row::{DefaultRow, RateRow},
};
use crate::persistence::{
    engine::Pace,
    store::Store,
    unit::Reads,
    value::{Document, Key, corrupt},
    word::Word,
};

/// The state of an entity that the log had at a time.
enum Known {
    /// It did not exist yet.
    Nothing,
    /// The events of that time were removed.
    Removed,
    /// The state.
    As(Document),
}

/// The rows, all of one moment.
struct Found {
    /// The time in the log.
    known_at: i64,
    customer: Known,
    defaults: Vec<DefaultRow>,
    rates: Vec<RateRow>,
    /// With a time: the states of these rates that the log had then.
    rates_then: Vec<(Key, Known)>,
}

/// Reads the facts. `asked` is the time at which they were known, by default now.
pub(super) async fn read(
    store: &Store,
    owner: Owner,
    environment: i32,
    id: CustomerId,
    asked: Option<Timestamp>,
) -> Result<Option<TaxBasis>, BasisError> {
    let read =
        store.read(Pace::Snapshot(environment.into()), move |unit| found(unit, owner, environment, id, asked).boxed());
    let Some(found) = read.await? else { return Ok(None) };
    let customer: CustomerAggregate = match found.customer {
        Known::Nothing => return Ok(None),
        Known::Removed => return Err(BasisError::Removed),
        Known::As(document) => document.read(owner, id)?,
    };
    let mut defaults = found.defaults.iter().map(|row| default(owner, row)).collect::<Result<Vec<_>, _>>()?;
    defaults.sort_by_key(|default| default.id);
    let mut rates = Vec::new();
    if asked.is_none() {
        for row in &found.rates {
            rates.push(rate(owner, row)?);
        }
    }
    for (key, known) in found.rates_then {
        match known {
            Known::Nothing => {}
            Known::Removed => return Err(BasisError::Removed),
            Known::As(document) => rates.push(document.read(owner, key.id::<patron_domain::ids::TaxRateKind>())?),
        }
    }
    rates.sort_by_key(|rate: &TaxRate| rate.id);
    let known_at = Timestamp::from_micros(found.known_at);
    let known_at = known_at.map_err(|_| corrupt("logs", "at", owner.environment_id))?;
    Ok(Some(TaxBasis::of(customer, defaults, rates, known_at)))
}

async fn found(
    unit: &dyn Reads,
    owner: Owner,
    environment: i32,
    id: CustomerId,
    asked: Option<Timestamp>,
) -> QueryResult<Option<Found>> {
    let Some(last) = unit.log_time(environment).await? else { return Ok(None) };
    let known_at = asked.map_or(last, |asked| asked.micros().min(last));
    let current = unit.document(environment, id.into()).await?;
    let is_now = known_at == last;
    let customer = match current {
        None => Known::Nothing,
        Some(current) if is_now => Known::As(current),
        Some(current) => state(unit, environment, id.into(), known_at, current).await?,
    };
    let defaults = unit.defaults(environment, Status::Published.code()).await?;
    let mut named: BTreeSet<TaxRateId> = BTreeSet::new();
    if let Known::As(document) = &customer {
        // A document that cannot be read is reported later.
        let aggregate: Result<CustomerAggregate, StoreError> = document.read(owner, id);
        let of_customer = aggregate.iter().flat_map(|one| one.associations.iter().chain(&one.removed_associations));
        named.extend(of_customer.map(|association: &TaxAssociation| association.tax_rate_id));
    }
    let named = named.into_iter().map(Key::from).chain(defaults.iter().map(|default| default.tax_rate));
    let named: Vec<Key> = named.collect::<BTreeSet<_>>().into_iter().collect();
    let rates = unit.rates_of_ids(environment, &named).await?;
    let mut rates_then = Vec::new();
    if asked.is_some() {
        for row in &rates {
            let document = row.document.clone();
            let then =
                if is_now { Known::As(document) } else { state(unit, environment, row.id, known_at, document).await? };
            rates_then.push((row.id, then));
        }
    }
    Ok(Some(Found { known_at, customer, defaults, rates, rates_then }))
}

/// The state of an entity that the log had at a time. `current` is its state now, which the latest event of a customer does
/// not repeat.
async fn state(
    unit: &dyn Reads,
    environment: i32,
    entity: Key,
    known_at: i64,
    current: Document,
) -> QueryResult<Known> {
    if let Some(event) = unit.last_event_by(environment, entity, known_at).await? {
        return Ok(Known::As(event.document.unwrap_or(current)));
    }
    // Without an event by then: the entity is younger, or its events were removed.
    let first = unit.events_of(environment, entity, 1, 0).await?;
    Ok(if first.first().is_some_and(|first| first.sequence == 1) { Known::Nothing } else { Known::Removed })
}
