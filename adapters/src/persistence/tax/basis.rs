//! The facts about a customer's taxes, as known now or at an earlier time.

use std::collections::BTreeSet;

use diesel::QueryResult;
use futures_util::FutureExt;
use patron_domain::{
    customer::CustomerAggregate,
    ids::{CustomerId, TaxRateKind},
    lifecycle::{Owner, Status},
    store::StoreError,
    tax::{BasisError, TaxBasis, TaxRate},
    time::Timestamp,
};

use super::{port::default, row::DefaultRow};
use crate::persistence::{
    engine::Pace,
    event::past::{Times, with_state},
    store::Store,
    unit::Reads,
    value::{Document, Key, corrupt},
    word::Word,
};

/// The state of an entity in the log at a time.
enum Known {
    /// It did not exist yet.
    Nothing,
    /// The events of that time were removed.
    Removed,
    /// The state.
    As(Document),
}

/// Why there are no facts about a customer.
enum Absent {
    /// It did not exist.
    Unknown,
    /// The events of that time were removed.
    Removed,
}

/// The facts, all of one moment.
struct Found {
    /// The time in the log.
    known_at: i64,
    customer: Result<CustomerAggregate, StoreError>,
    defaults: Vec<DefaultRow>,
    rates: Vec<(Key, Known)>,
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
    let found = match read.await? {
        Ok(found) => found,
        Err(Absent::Unknown) => return Ok(None),
        Err(Absent::Removed) => return Err(BasisError::Removed),
    };
    let mut defaults = found.defaults.iter().map(|row| default(owner, row)).collect::<Result<Vec<_>, _>>()?;
    defaults.sort_by_key(|default| default.id);
    let mut rates: Vec<TaxRate> = Vec::new();
    for (key, known) in found.rates {
        match known {
            Known::Nothing => {}
            Known::Removed => return Err(BasisError::Removed),
            Known::As(document) => rates.push(document.read(owner, key.id::<TaxRateKind>())?),
        }
    }
    rates.sort_by_key(|rate| rate.id);
    let known_at = Timestamp::from_micros(found.known_at);
    let known_at = known_at.map_err(|_| corrupt("logs", "at", owner.environment_id))?;
    Ok(Some(TaxBasis::of(found.customer?, defaults, rates, known_at)))
}

async fn found(
    unit: &dyn Reads,
    owner: Owner,
    environment: i32,
    id: CustomerId,
    asked: Option<Timestamp>,
) -> QueryResult<Result<Found, Absent>> {
    let Some(last) = unit.log_time(environment).await? else { return Ok(Err(Absent::Unknown)) };
    let known_at = asked.map_or(last, |asked| asked.micros().min(last));
    let past = (known_at < last).then_some(known_at);
    let Some(current) = unit.document(environment, id.into()).await? else { return Ok(Err(Absent::Unknown)) };
    let customer: Result<CustomerAggregate, _> = match state(unit, environment, id.into(), past, current).await? {
        Known::Nothing => return Ok(Err(Absent::Unknown)),
        Known::Removed => return Ok(Err(Absent::Removed)),
        Known::As(document) => document.read(owner, id),
    };
    let defaults = unit.defaults(environment, Status::Published.code()).await?;
    let own = customer.iter().flat_map(|one| one.associations.iter().chain(&one.removed_associations));
    let own = own.map(|association| Key::from(association.tax_rate_id));
    let named: BTreeSet<Key> = own.chain(defaults.iter().map(|default| default.tax_rate)).collect();
    let named: Vec<Key> = named.into_iter().collect();
    let mut rates = Vec::new();
    for row in unit.rates_of_ids(environment, &named).await? {
        rates.push((row.id, state(unit, environment, row.id, past, row.document).await?));
    }
    Ok(Ok(Found { known_at, customer, defaults, rates }))
}

/// The state of an entity in the log at a time in the past, by default now. `current` is its state now, which the latest
/// event of a customer does not repeat.
async fn state(
    unit: &dyn Reads,
    environment: i32,
    entity: Key,
    past: Option<i64>,
    current: Document,
) -> QueryResult<Known> {
    let Some(known_at) = past else { return Ok(Known::As(current)) };
    let last = unit.last_event_by(environment, entity, known_at, Times::Logged).await?;
    if let Some(event) = with_state(unit, environment, last).await? {
        return Ok(Known::As(event.document.unwrap_or(current)));
    }
    // Without an event up to that time, the entity is younger or its events were removed.
    let first = unit.first_event_of(environment, entity).await?;
    Ok(if first.is_some_and(|(sequence, _)| sequence == 1) { Known::Nothing } else { Known::Removed })
}
