//! Records of idempotency keys over PostgreSQL, within the transaction of their work.
//!
//! Whoever looks for a record does so after the locks on what it changes: then a repetition that waited for such a lock
//! finds what the first has left. And whoever makes one does so before all that is unique: then a repetition waits for it.

use async_trait::async_trait;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, delete};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use patron_domain::{
    idempotency::{
        Answer, CallersClaim, IdempotencyKey, IdempotencyKeyReused, IdempotencyRecord, IdempotencyRecords, OnceError,
    },
    store::StoreError,
    tax::TaxRate,
    tenancy::EnvironmentScope,
};

use super::{PostgresStore, names, problem::again, statements::InsertRecords};
use crate::persistence::{
    error::Failure,
    event::{self, record::StoredRecord},
    idempotency::{queries, rate_of, row::IdempotencyRow},
    schema::idempotency_records,
};

#[async_trait]
impl IdempotencyRecords for PostgresStore {
    async fn find(
        &self,
        scope: &EnvironmentScope,
        key: &IdempotencyKey,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let session = self.pool.session().await?;
        let query = queries::by_key(&tenant, &environment, key.as_str());
        let row = async { query.first::<IdempotencyRow>(&mut session.pg()).await.optional() };
        session.answer(row).await?.map(IdempotencyRecord::try_from).transpose()
    }
}

/// What was answered to a request that was done before under its key, where no event holds it.
pub(super) async fn kept_before<T, E>(
    pg: &AsyncPgConnection,
    claim: Option<&CallersClaim>,
) -> Result<Option<T>, Failure<E>>
where
    T: Answer,
    E: From<StoreError> + From<OnceError>,
{
    let Some(claim) = claim else { return Ok(None) };
    let record = record(pg, claim).await?;
    claim.claim.settle_kept(claim.owner, record.as_ref()).map_err(|reused| Failure::Refused(reused.into()))
}

/// The tax rate as a request left it that was done before under its key.
pub(super) async fn rate_before<E: From<StoreError> + From<IdempotencyKeyReused>>(
    mut pg: &AsyncPgConnection,
    claim: Option<&CallersClaim>,
) -> Result<Option<TaxRate>, Failure<E>> {
    let Some(claim) = claim else { return Ok(None) };
    let record = record(pg, claim).await?;
    let id = claim.claim.settle(record.as_ref()).map_err(|reused| Failure::Refused(reused.into()))?;
    let Some(id) = id else { return Ok(None) };
    let (tenant, environment) = names(claim.owner);
    let id = id.to_string();
    let stored = event::queries::record(&tenant, &environment, &id).get_result::<StoredRecord>(&mut pg).await?;
    rate_of(stored.of(claim.owner).map_err(|error| Failure::Refused(error.into()))?).map(Some)
}

async fn record<E: From<StoreError>>(
    mut pg: &AsyncPgConnection,
    CallersClaim { owner, claim }: &CallersClaim,
) -> Result<Option<IdempotencyRecord>, Failure<E>> {
    let (tenant, environment) = names(*owner);
    let row = queries::by_key(&tenant, &environment, claim.key.as_str());
    let row = row.first::<IdempotencyRow>(&mut pg).await.optional()?;
    row.map(IdempotencyRecord::try_from).transpose().map_err(|error| Failure::Refused(error.into()))
}

/// Makes the record of a key, in the place of one that is too old to count. When another transaction was first, all is
/// done again: then its record is there to be found.
pub(super) async fn keep<E>(
    mut pg: &AsyncPgConnection,
    claim: Option<&CallersClaim>,
    record: Option<&IdempotencyRow>,
) -> Result<(), Failure<E>> {
    let (Some(CallersClaim { claim, .. }), Some(record)) = (claim, record) else { return Ok(()) };
    let outlived = queries::by_key(&record.tenant_id, &record.environment_id, &record.key);
    delete(outlived.filter(idempotency_records::at.lt(claim.since.micros()))).execute(&mut pg).await?;
    let made = InsertRecords::new([record]).get_results::<String>(&mut pg).await?;
    if made.len() == 1 { Ok(()) } else { Err(Failure::Database(again())) }
}
