//! The port of the log of events.
//!
//! Positions are assigned under the lock of the environment's log, which is held until the commit. So everything up to
//! the log's last position is complete: no event is ever added before it.

use async_trait::async_trait;
use futures_util::FutureExt;
use patron_domain::{
    event::{EventEntity, EventLog, EventPosition, EventQuery, EventRecord, EventSink, HandOver, Reached},
    ids::EventId,
    lifecycle::Owner,
    page::{Page, PageRequest},
    store::StoreError,
    tenancy::{EnvironmentScope, SystemScope},
};

use super::entity_key;
use crate::persistence::{
    engine::Pace,
    page::{Window, page_of},
    store::Store,
};

/// The most events that one read examines, because filters may skip many.
const STRETCH: i64 = 10_000;

#[async_trait]
impl EventLog for Store {
    async fn read_each<'a>(
        &self,
        _scope: &SystemScope,
        owner: Owner,
        query: &EventQuery,
        sink: Box<dyn EventSink + 'a>,
    ) -> Result<Reached, StoreError> {
        let mut over = HandOver::new(query, sink);
        let Some(environment) = self.environment(owner).await? else {
            return Ok(over.reached(EventPosition::START, false));
        };
        let asked = query.clone();
        let read = self.read(Pace::List, move |unit| {
            let read = async move {
                // Read first: everything up to this position is visible to the statements after it.
                let last = unit.last_position(environment).await?.unwrap_or_default();
                let stretch = match asked.is_sparse() {
                    true => unit.end_of_stretch(environment, asked.after.stored(), STRETCH).await?,
                    false => None,
                };
                let end = stretch.filter(|end| *end < last);
                let rows = unit.events_after(environment, &asked, end.unwrap_or(last)).await?;
                Ok((rows, end.unwrap_or(last), end.is_some()))
            };
            read.boxed()
        });
        let (rows, end, goes_on) = read.await?;
        for row in rows {
            over.take(row.record(owner)?);
        }
        Ok(over.reached(EventPosition::from_stored(end).unwrap_or_default(), goes_on))
    }

    async fn end(&self, _scope: &SystemScope, owner: Owner) -> Result<EventPosition, StoreError> {
        let Some(environment) = self.environment(owner).await? else { return Ok(EventPosition::START) };
        let last = self.read(Pace::LookUp, move |unit| unit.last_position(environment).boxed()).await?;
        Ok(last.and_then(EventPosition::from_stored).unwrap_or_default())
    }

    async fn find(&self, scope: &EnvironmentScope, id: EventId) -> Result<Option<EventRecord>, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(None) };
        let row = self.read(Pace::LookUp, move |unit| unit.event(environment, id.into()).boxed()).await?;
        row.map(|row| row.record(scope.owner)).transpose()
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
        let read = self.read(Pace::List, move |unit| {
            let rows = async move {
                let rows = unit.events_of(environment, entity, limit, offset).await?;
                Ok((rows, unit.count_events_of(environment, entity).await?))
            };
            rows.boxed()
        });
        page_of(read.await?, |row| row.record(scope.owner))
    }
}
