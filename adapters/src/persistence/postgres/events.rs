//! The log of events over PostgreSQL. See `watermark` for how far it can be read.

use async_trait::async_trait;
use diesel::{OptionalExtension, QueryDsl, pg::Pg};
use diesel_async::RunQueryDsl;
use futures_util::{TryStreamExt, future::try_join};
use patron_domain::{
    event::{EventEntity, EventLog, EventPosition, EventQuery, EventRecord, EventSink, HandOver, Reached},
    ids::EventId,
    lifecycle::Owner,
    page::{Page, PageRequest},
    store::StoreError,
    tenancy::{EnvironmentScope, SystemScope},
};

use super::{PostgresStore, names};
use crate::persistence::{
    event::{
        log::{self, STRETCH},
        queries,
        record::StoredRecord,
    },
    page::{Window, page_of},
};

#[async_trait]
impl EventLog for PostgresStore {
    async fn read_each<'a>(
        &self,
        _scope: &SystemScope,
        owner: Owner,
        query: &EventQuery,
        sink: Box<dyn EventSink + 'a>,
    ) -> Result<Reached, StoreError> {
        let (tenant, environment) = names(owner);
        let session = self.pool.session().await?;
        // First of all: what is read afterwards is there, as far as that.
        let settled = self.watermark.settled(&session).await?;
        let last = match query.is_sparse() {
            true => {
                let last = queries::end_of_stretch(&tenant, &environment, query.after.stored(), STRETCH);
                session.answer(async { last.first::<i64>(&mut session.pg()).await.optional() }).await?
            }
            false => None,
        };
        let (end, goes_on) = log::end(last, settled);
        let rows = log::records!(Pg, (&tenant, &environment), query, end);
        let mut over = HandOver::new(query, sink);
        let handed = async {
            let mut rows = rows.load_stream::<StoredRecord>(&mut session.pg()).await?;
            while let Some(row) = rows.try_next().await? {
                match row.of(owner) {
                    Ok(event) => over.take(event),
                    Err(corrupt) => return Ok(Err(corrupt)),
                }
            }
            Ok(Ok(()))
        };
        session.answer(handed).await??;
        Ok(over.reached(end, goes_on))
    }

    async fn end(&self, _scope: &SystemScope) -> Result<EventPosition, StoreError> {
        let session = self.pool.session().await?;
        let settled = self.watermark.settled(&session).await?;
        Ok(EventPosition::from_stored(settled).unwrap_or_default())
    }

    async fn find(&self, scope: &EnvironmentScope, id: EventId) -> Result<Option<EventRecord>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let id = id.to_string();
        let session = self.pool.session().await?;
        let query = queries::record(&tenant, &environment, &id);
        let row = async { query.first::<StoredRecord>(&mut session.pg()).await.optional() };
        session.answer(row).await?.map(|row| row.of(scope.owner)).transpose()
    }

    async fn history(
        &self,
        scope: &EnvironmentScope,
        entity: EventEntity,
        page_request: PageRequest,
    ) -> Result<Page<EventRecord>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let (kind, id) = (entity.kind().as_str(), entity.id());
        let Window { limit, offset } = page_request.into();
        let session = self.pool.session().await?;
        let events = queries::records_of_entity(&tenant, &environment, kind, &id).limit(limit).offset(offset);
        let count = queries::of_entity(&tenant, &environment, kind, &id).count();
        let (rows, total) = (&mut session.pg(), &mut session.pg());
        let found = session.snapshot(try_join(events.load::<StoredRecord>(rows), count.get_result(total))).await?;
        page_of(found, |row: StoredRecord| row.of(scope.owner))
    }
}
