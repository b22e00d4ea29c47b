//! Clearing away over SQLite, in transactions of the one writer.

use async_trait::async_trait;
use diesel::{delete, prelude::*};
use patron_domain::{
    lifecycle::Owner,
    retention::{Housekeeping, OldEvents},
    store::StoreError,
    tenancy::SystemScope,
    time::Timestamp,
};

use super::{SqliteStore, customers::names};
use crate::persistence::{event, idempotency};

#[async_trait]
impl Housekeeping for SqliteStore {
    async fn remove_idempotency_records(
        &self,
        _scope: &SystemScope,
        made_before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let remove = move |connection: &mut SqliteConnection| {
            let old = idempotency::queries::made_before(made_before.micros()).limit(limit.into());
            let old: Vec<(String, String, String)> = old.load(connection)?;
            for (tenant, environment, key) in &old {
                delete(idempotency::queries::by_key(tenant, environment, key)).execute(connection)?;
            }
            Ok(old.len() as u64)
        };
        self.writer.write(remove).await
    }

    async fn remove_events(
        &self,
        _scope: &SystemScope,
        owner: Owner,
        old: OldEvents,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let (tenant, environment) = names(owner);
        let remove = move |connection: &mut SqliteConnection| {
            let last = event::queries::positions(&tenant, &environment).first::<i64>(connection).optional()?;
            let Some(last) = last else { return Ok(0) };
            let up_to = old.up_to.stored().min(last - 1);
            let first = event::queries::first(&tenant, &environment, up_to).limit(limit.into());
            let mut removed = 0;
            for (id, at) in first.load::<(String, i64)>(connection)? {
                if at < old.happened_before.micros() {
                    delete(event::queries::payload(&tenant, &environment, &id)).execute(connection)?;
                    removed += delete(event::queries::envelope(&tenant, &environment, &id)).execute(connection)?;
                }
            }
            Ok(removed as u64)
        };
        self.writer.write(remove).await
    }
}
