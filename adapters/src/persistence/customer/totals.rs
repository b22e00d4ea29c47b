//! Totals of filtered lists, which this process keeps: counting again would read every match for each page.
//!
//! A total is kept with the last event of the environment's log, and is valid until another event follows. Then the later
//! events are read, if that costs less than counting: each changed customer counts by its state before and after.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use diesel::QueryResult;
use futures_util::future::try_join_all;
use patron_domain::{
    customer::{
        CustomerAggregate,
        query::{Condition, CustomerQuery},
    },
    lifecycle::{Owner, Status},
    stored::Stored,
};

use crate::persistence::{
    unit::Reads,
    value::{Document, Key},
};

/// The most totals that are kept.
const MOST: usize = 512;
/// Totals of queries with longer texts are not kept.
const MOST_BYTES: usize = 2_048;
/// The most events that are read instead of counting.
const MOST_EVENTS: i64 = 1_000;
/// The number of rows that are counted at the cost of one event, which reads two documents.
const ROWS_FOR_AN_EVENT: i64 = 20;

/// The query of a total, without its order and page.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Whose {
    environment: i32,
    status: Status,
    conditions: Vec<Condition>,
}

/// A total, after an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Kept {
    after: Place,
    total: i64,
}

/// The end of a log: the position and the id of the last event. After a restore another event may have the position.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Place {
    position: i64,
    id: Option<Key>,
}

/// The totals that this process keeps.
#[derive(Default)]
pub(crate) struct Totals(Mutex<HashMap<Whose, Kept>>);

impl Totals {
    fn all(&self) -> MutexGuard<'_, HashMap<Whose, Kept>> {
        // Each change is one call, so a poisoned map is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, whose: Whose, kept: Kept) {
        let mut all = self.all();
        if all.len() >= MOST && !all.contains_key(&whose) {
            // Any of them: a lost one is counted again.
            let one = all.keys().next().cloned();
            one.and_then(|one| all.remove(&one));
        }
        all.insert(whose, kept);
    }
}

impl std::fmt::Debug for Totals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Totals({})", self.all().len())
    }
}

/// The number of customers that a query finds. `count` counts them. All statements must see one state of the database.
pub(super) async fn total(
    unit: &dyn Reads,
    totals: &Totals,
    (owner, environment): (Owner, i32),
    query: &CustomerQuery,
    count: impl AsyncFnOnce() -> QueryResult<i64>,
) -> QueryResult<i64> {
    if query.conditions().iter().map(Condition::bytes).sum::<usize>() > MOST_BYTES {
        return count().await;
    }
    let whose = Whose { environment, status: query.status(), conditions: query.conditions().to_vec() };
    let position = unit.last_position(environment).await?.unwrap_or_default();
    let end = Place { position, id: unit.event_id_at(environment, position).await? };
    let known = totals.all().get(&whose).copied();
    let known = match known {
        Some(known) if known.after == end => return Ok(known.total),
        Some(known) => since(unit, (owner, environment), query, known, end).await?,
        None => None,
    };
    let total = match known {
        Some(total) => total,
        None => count().await?,
    };
    totals.keep(whose, Kept { after: end, total });
    Ok(total)
}

/// A kept total brought up to date. `None` if counting is cheaper, or if the events were removed.
async fn since(
    unit: &dyn Reads,
    (owner, environment): (Owner, i32),
    query: &CustomerQuery,
    known: Kept,
    end: Place,
) -> QueryResult<Option<i64>> {
    let events = end.position - known.after.position;
    let (published, archived) = unit.customer_counts(environment).await?.unwrap_or_default();
    let is_cheaper = events.saturating_mul(ROWS_FOR_AN_EVENT) < published.saturating_add(archived);
    if !(1..=MOST_EVENTS).contains(&events) || !is_cheaper {
        return Ok(None);
    }
    if unit.event_id_at(environment, known.after.position).await? != known.after.id {
        return Ok(None);
    }
    // The version that each changed customer had before: 0 if it is new.
    let mut before: BTreeMap<Key, i64> = BTreeMap::new();
    for (customer, sequence) in unit.customer_changes(environment, known.after.position, end.position).await? {
        let first = before.entry(customer).or_insert(sequence - 1);
        *first = (*first).min(sequence - 1);
    }
    let ids: Vec<Key> = before.keys().copied().collect();
    let now = unit.documents_of(environment, &ids).await?;
    let earlier = before.iter().filter(|(_, version)| **version > 0);
    let earlier = earlier.map(|(id, version)| unit.event_by_version(environment, *id, *version));
    let earlier = try_join_all(earlier).await?;
    let mut total = known.total;
    for (_, document) in &now {
        let Some(finds) = finds(query, owner, Some(document)) else { return Ok(None) };
        total += i64::from(finds);
    }
    for event in earlier {
        let document = event.and_then(|event| event.document);
        let Some(finds) = finds(query, owner, document.as_ref()) else { return Ok(None) };
        total -= i64::from(finds);
    }
    Ok(Some(total))
}

/// Whether a query finds a customer in a state. `None` if the state cannot be read.
fn finds(query: &CustomerQuery, owner: Owner, document: Option<&Document>) -> Option<bool> {
    let aggregate = CustomerAggregate::from_document(owner, &document?.0).ok()?;
    Some(query.finds(&aggregate.customer))
}
