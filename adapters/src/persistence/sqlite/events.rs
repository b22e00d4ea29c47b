//! The log of events over SQLite. There is one writer, which gives positions in the order of its commits: whatever a reader
//! sees is settled.

use async_trait::async_trait;
use diesel::{Connection, OptionalExtension, QueryDsl, RunQueryDsl, SqliteConnection, result::Error, sqlite::Sqlite};
use patron_domain::{
    event::{EventEntity, EventLog, EventPosition, EventQuery, EventRecord, EventSink, HandOver, Reached},
    ids::EventId,
    lifecycle::Owner,
    page::{Page, PageRequest},
    store::StoreError,
    tenancy::{EnvironmentScope, SystemScope},
};

use super::{SqliteStore, customers::names, positions};
use crate::persistence::{
    event::{
        log::{self, STRETCH},
        queries,
        record::StoredRecord,
    },
    page::{Window, page_of},
};

#[async_trait]
impl EventLog for SqliteStore {
    async fn read_each<'a>(
        &self,
        _scope: &SystemScope,
        owner: Owner,
        query: &EventQuery,
        sink: Box<dyn EventSink + 'a>,
    ) -> Result<Reached, StoreError> {
        let (tenant, environment) = names(owner);
        let asked = query.clone();
        let read = move |connection: &mut SqliteConnection| {
            connection.transaction::<_, Error, _>(|connection| {
                let settled = positions::last(connection)?;
                let last = match asked.is_sparse() {
                    true => {
                        let after = asked.after.stored();
                        let last = queries::end_of_stretch(&tenant, &environment, after, STRETCH);
                        last.first::<i64>(connection).optional()?
                    }
                    false => None,
                };
                let (end, goes_on) = log::end(last, settled);
                let rows = log::records!(Sqlite, (&tenant, &environment), &asked, end);
                Ok((rows.load::<StoredRecord>(connection)?, end, goes_on))
            })
        };
        let (rows, end, goes_on) = self.readers.read(read).await?;
        let mut over = HandOver::new(query, sink);
        for row in rows {
            over.take(row.of(owner)?);
        }
        Ok(over.reached(end, goes_on))
    }

    async fn end(&self, _scope: &SystemScope) -> Result<EventPosition, StoreError> {
        let last = self.readers.look_up(positions::last).await?;
        Ok(EventPosition::from_stored(last).unwrap_or_default())
    }

    async fn find(&self, scope: &EnvironmentScope, id: EventId) -> Result<Option<EventRecord>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let id = id.to_string();
        let query = move |connection: &mut SqliteConnection| {
            queries::record(&tenant, &environment, &id).first::<StoredRecord>(connection).optional()
        };
        self.readers.read(query).await?.map(|row| row.of(scope.owner)).transpose()
    }

    async fn history(
        &self,
        scope: &EnvironmentScope,
        entity: EventEntity,
        page_request: PageRequest,
    ) -> Result<Page<EventRecord>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let window = Window::from(page_request);
        let query = move |connection: &mut SqliteConnection| {
            connection.transaction::<(Vec<StoredRecord>, i64), Error, _>(|connection| {
                let (kind, id) = (entity.kind().as_str(), entity.id());
                let all = queries::records_of_entity(&tenant, &environment, kind, &id);
                let rows = all.limit(window.limit).offset(window.offset).load(connection)?;
                let total = queries::of_entity(&tenant, &environment, kind, &id).count().get_result(connection)?;
                Ok((rows, total))
            })
        };
        page_of(self.readers.read(query).await?, |row: StoredRecord| row.of(scope.owner))
    }
}
