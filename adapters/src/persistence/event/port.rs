//! The port of the log of events.
//!
//! Positions are assigned under the lock of the environment's log, which is held until the commit. So everything up to
//! the log's last position is complete: no event is ever added before it.

use std::collections::{BTreeSet, HashSet};

use async_trait::async_trait;
use diesel::QueryResult;
use futures_util::FutureExt;
use patron_domain::{
    customer::{CustomerAggregate, ExternalId, ExternalIdTerm, IndexEntry},
    event::{
        EventCursor, EventEntity, EventEntityType, EventLog, EventLogError, EventPosition, EventQuery, EventRecord,
        EventSink, HandOver, LogTakenBack, Moment, Past, Reached,
    },
    ids::EventId,
    lifecycle::Owner,
    page::{Page, PageBytes, PageRequest},
    store::StoreError,
    tenancy::{EnvironmentScope, SystemScope},
};

use super::{entity_key, past, row::EventRow};
use crate::persistence::{
    author::Author,
    engine::{CustomerKey, Decision, Pace},
    error::Failure,
    metrics,
    page::{Window, cut, page_of},
    store::Store,
    unit::Reads,
    value::Key,
    word::Word,
};

/// The most events that one read examines, because filters may skip many.
const MAX_SCAN: i64 = 10_000;

#[async_trait]
impl EventLog for Store {
    async fn read_each<'a>(
        &self,
        _scope: &SystemScope,
        owner: Owner,
        query: &EventQuery,
        sink: Box<dyn EventSink + 'a>,
    ) -> Result<Reached, EventLogError> {
        let mut over = HandOver::new(query, sink);
        let Some(environment) = self.environment(owner).await? else {
            return match query.after.was_taken_back(EventPosition::START, None) {
                true => Err(LogTakenBack { resume_from: EventCursor::START }.into()),
                false => Ok(over.reached(EventCursor::START, false)),
            };
        };
        let asked = query.clone();
        let read = self.read(Pace::list(environment), move |unit| {
            let read = async move {
                let after = asked.after.position().stored();
                // Read first: everything up to this position is visible to the statements after it.
                let last = unit.last_position(environment).await?.unwrap_or_default();
                let found = unit.event_id_at(environment, after).await?;
                if asked.after.was_taken_back(position(last), found.map(Key::id)) {
                    return Ok(Err(resume(unit, environment, asked.after).await?));
                }
                let scanned = match asked.is_sparse() {
                    true => unit.end_of_scan(environment, after, MAX_SCAN).await?,
                    false => None,
                };
                let end = scanned.filter(|end| *end < last).unwrap_or(last);
                let mut rows = unit.events_after(environment, &asked, end).await?;
                let early = cut(&mut rows, asked.bytes);
                let reached = match unit.event_id_at(environment, end).await? {
                    Some(id) => EventCursor::behind(position(end), id.id()),
                    None => EventCursor::unmarked(position(end)),
                };
                let suppressed = suppressed_among(unit, environment, &rows).await?;
                Ok(Ok((rows, suppressed, early, reached, end < last)))
            };
            read.boxed()
        });
        let (rows, suppressed, early, end, goes_on) = match read.await? {
            Ok(read) => read,
            Err(_) => return Err(self.taken_back(environment, query.after).await?),
        };
        for row in rows {
            over.take(shown(row, &suppressed, owner)?);
        }
        if early {
            over.ends_early();
        }
        Ok(over.reached(end, goes_on))
    }

    async fn end(&self, _scope: &SystemScope, owner: Owner) -> Result<EventCursor, StoreError> {
        let Some(environment) = self.environment(owner).await? else { return Ok(EventCursor::START) };
        let read = self.read(Pace::LookUp, move |unit| {
            let read = async move {
                let last = unit.last_position(environment).await?.unwrap_or_default();
                Ok((last, unit.event_id_at(environment, last).await?))
            };
            read.boxed()
        });
        let (last, id) = read.await?;
        Ok(id.map_or(EventCursor::unmarked(position(last)), |id| EventCursor::behind(position(last), id.id())))
    }

    async fn find(&self, scope: &EnvironmentScope, id: EventId) -> Result<Option<EventRecord>, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(None) };
        let read = self.read(Pace::LookUp, move |unit| {
            let read = async move {
                let rows: Vec<_> = unit.event(environment, id.into()).await?.into_iter().collect();
                let suppressed = suppressed_among(unit, environment, &rows).await?;
                Ok((rows, suppressed))
            };
            read.boxed()
        });
        let (mut rows, suppressed) = read.await?;
        rows.pop().map(|row| shown(row, &suppressed, scope.owner)).transpose()
    }

    async fn history(
        &self,
        scope: &EnvironmentScope,
        entity: EventEntity,
        page_request: PageRequest,
    ) -> Result<Page<EventRecord>, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(Page::empty()) };
        let Window { limit, offset } = page_request.into();
        let entity = entity_key(entity);
        // From one state of the database: a page shorter than requested, of a longer list, has ended early.
        let read = self.read(Pace::Snapshot(environment.into()), move |unit| {
            let rows = async move {
                let mut rows = unit.events_of(environment, entity, limit, offset).await?;
                cut(&mut rows, PageBytes::default());
                Ok((rows, unit.count_events_of(environment, entity).await?))
            };
            rows.boxed()
        });
        page_of(read.await?, |row| row.record(scope.owner))
    }

    async fn latest(
        &self,
        scope: &EnvironmentScope,
        entity: Option<EventEntity>,
        before: Option<EventPosition>,
        limit: u16,
    ) -> Result<Vec<EventRecord>, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(Vec::new()) };
        let (whose, before) = (entity.map(entity_key), before.map_or(i64::MAX, EventPosition::stored));
        let read = self.read(Pace::list(environment), move |unit| {
            async move { unit.latest_events(environment, whose, before, limit.into()).await }.boxed()
        });
        read.await?.into_iter().map(|row| row.record(scope.owner)).collect()
    }

    async fn past(&self, scope: &EnvironmentScope, entity: EventEntity, moment: Moment) -> Result<Past, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(Past::Absent) };
        let read = self.read(Pace::LookUp, move |unit| past::read(unit, environment, entity, moment).boxed());
        read.await?.past(scope.owner, entity, moment)
    }

    async fn external_id_terms(
        &self,
        scope: &EnvironmentScope,
        external_id: &ExternalId,
    ) -> Result<Vec<ExternalIdTerm>, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(Vec::new()) };
        let terms = |customer: CustomerAggregate| customer.terms_of(external_id).collect::<Vec<_>>();
        let key = CustomerKey::ExternalId(external_id.as_str().to_owned());
        let current = self.engine.customer(environment, key).await?;
        let current = current.map(|document| document.read(scope.owner, "by external id")).transpose()?;
        let entry = IndexEntry::external_id(external_id.as_str());
        let others = self.indexed(scope.owner, environment, entry, terms).await?;
        Ok(current.map(terms).into_iter().chain(others).flatten().collect())
    }
}

impl Store {
    /// Checks again whether the log was taken back behind a reader, in a transaction for writing. So a standby that
    /// lags behind resets no reader.
    async fn taken_back(&self, environment: i32, cursor: EventCursor) -> Result<EventLogError, StoreError> {
        let check = self.write(Author::system(), environment, move |unit| {
            let check = async move {
                let last = unit.last_position(environment).await?.unwrap_or_default();
                let found = unit.event_id_at(environment, cursor.position().stored()).await?;
                let taken_back = match cursor.was_taken_back(position(last), found.map(Key::id)) {
                    true => Some(resume(unit, environment, cursor).await?),
                    false => None,
                };
                Ok::<_, Failure<StoreError>>(Decision::nothing(taken_back))
            };
            check.boxed()
        });
        let Some(error) = check.await? else {
            return Ok(StoreError::unavailable("the database server lags behind").into());
        };
        metrics::log_taken_back("api");
        tracing::warn!(position = %cursor.position(), "the log was taken back behind a reader");
        Ok(error.into())
    }
}

/// The suppressed customers among those whose events are shown without a state. Usually there are none, and nothing is
/// looked up.
async fn suppressed_among(unit: &dyn Reads, environment: i32, rows: &[EventRow]) -> QueryResult<HashSet<Key>> {
    let of_customer = EventEntityType::Customer.code();
    let without = rows.iter().filter(|row| row.document.is_none() && row.entity_kind == of_customer);
    let customers: BTreeSet<Key> = without.map(|row| row.entity).collect();
    if customers.is_empty() {
        return Ok(HashSet::new());
    }
    let customers: Vec<Key> = customers.into_iter().collect();
    Ok(unit.suppressed_among(environment, &customers).await?.into_iter().collect())
}

/// An event as it is shown. Its state is withheld if it has one and the customer is suppressed.
fn shown(row: EventRow, suppressed: &HashSet<Key>, owner: Owner) -> Result<EventRecord, StoreError> {
    let withheld = row.document.is_none() && suppressed.contains(&row.entity);
    let event = row.record(owner)?;
    Ok(EventRecord { withheld: withheld && event.kind.event_type().has_state(), ..event })
}

fn position(stored: i64) -> EventPosition {
    EventPosition::from_stored(stored).unwrap_or_default()
}

/// The place where a reader continues if the log does not know its cursor.
async fn resume(unit: &dyn Reads, environment: i32, cursor: EventCursor) -> QueryResult<LogTakenBack> {
    let before = match cursor.first_doubtful() {
        Some(doubtful) => unit.last_before(environment, doubtful.into()).await?,
        None => None,
    };
    let cursor = before.map(|(last, id)| EventCursor::behind(position(last), id.id()));
    Ok(LogTakenBack { resume_from: cursor.unwrap_or_default() })
}
