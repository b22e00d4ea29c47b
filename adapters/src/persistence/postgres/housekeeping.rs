//! Clearing away over PostgreSQL. Several instances may do it at once: who comes second finds less.

use async_trait::async_trait;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, delete};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use patron_domain::{
    lifecycle::Owner,
    retention::{Housekeeping, OldEvents},
    store::StoreError,
    tenancy::SystemScope,
    time::Timestamp,
};

use super::{PostgresStore, names, write::Change};
use crate::persistence::{
    error::Failure,
    event, idempotency,
    schema::{event_payloads, events, idempotency_records},
};

#[async_trait]
impl Housekeeping for PostgresStore {
    async fn remove_idempotency_records(
        &self,
        _scope: &SystemScope,
        made_before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let session = self.pool.session().await?;
        let old = idempotency::queries::made_before(made_before.micros()).limit(limit.into());
        let old = session.answer(old.load::<(String, String, String)>(&mut session.pg())).await?;
        let mut removed = 0;
        for (tenant, environment, key) in &old {
            let record = idempotency::queries::by_key(tenant, environment, key);
            // It may have been made anew since it was found.
            let record = delete(record.filter(idempotency_records::at.lt(made_before.micros())));
            removed += session.answer(record.execute(&mut session.pg())).await?;
        }
        Ok(removed as u64)
    }

    async fn remove_events(
        &self,
        _scope: &SystemScope,
        owner: Owner,
        old: OldEvents,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let (tenant, environment) = names(owner);
        self.write(RemoveEvents { tenant, environment, old, limit }).await
    }
}

struct RemoveEvents {
    tenant: String,
    environment: String,
    old: OldEvents,
    limit: u32,
}

#[async_trait]
impl Change for RemoveEvents {
    type Answer = u64;
    type Refusal = StoreError;

    async fn write(&self, mut pg: &AsyncPgConnection) -> Result<u64, Failure<StoreError>> {
        let Self { tenant, environment, old, limit } = self;
        let last = event::queries::positions(tenant, environment).first::<i64>(&mut pg).await.optional()?;
        let Some(last) = last else { return Ok(0) };
        let up_to = old.up_to.stored().min(last - 1);
        let first = event::queries::first(tenant, environment, up_to).limit((*limit).into());
        let first = first.load::<(String, i64)>(&mut pg).await?.into_iter();
        let ids: Vec<String> = first.filter(|(_, at)| *at < old.happened_before.micros()).map(|(id, _)| id).collect();
        if ids.is_empty() {
            return Ok(0);
        }
        let payloads = event_payloads::table
            .filter(event_payloads::tenant_id.eq(tenant))
            .filter(event_payloads::environment_id.eq(environment))
            .filter(event_payloads::event_id.eq_any(&ids));
        delete(payloads).execute(&mut pg).await?;
        let envelopes = events::table
            .filter(events::tenant_id.eq(tenant))
            .filter(events::environment_id.eq(environment))
            .filter(events::id.eq_any(&ids));
        Ok(delete(envelopes).execute(&mut pg).await? as u64)
    }

    async fn is_written(&self, _: &AsyncPgConnection, _: &u64) -> QueryResult<bool> {
        // Removing twice is as good as once, so there is no need to know.
        Ok(false)
    }
}
