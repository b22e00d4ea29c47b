//! Records of idempotency keys over SQLite, within the writer's transaction: it writes alone, so what it finds stays so.

use async_trait::async_trait;
use diesel::{prelude::*, replace_into};
use patron_domain::{
    event::{CustomerEvent, EventRecord},
    idempotency::{
        Answer, CallersClaim, IdempotencyClaim, IdempotencyKey, IdempotencyKeyReused, IdempotencyRecord,
        IdempotencyRecords, OnceError,
    },
    lifecycle::Owner,
    store::StoreError,
    tax::TaxRate,
    tenancy::EnvironmentScope,
};

use super::{SqliteStore, customers::names};
use crate::persistence::{
    error::Failure,
    event::{self, record::StoredRecord},
    idempotency::{customer_event_of, queries, rate_of, row::IdempotencyRow},
    schema::idempotency_records,
};

#[async_trait]
impl IdempotencyRecords for SqliteStore {
    async fn find(
        &self,
        scope: &EnvironmentScope,
        key: &IdempotencyKey,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let key = key.as_str().to_owned();
        let query = move |connection: &mut SqliteConnection| {
            queries::by_key(&tenant, &environment, &key).get_result::<IdempotencyRow>(connection).optional()
        };
        self.readers.read(query).await?.map(IdempotencyRecord::try_from).transpose()
    }
}

/// What was answered to a request that was done before under its key, where no event holds it.
pub(super) fn kept_before<T, E>(
    connection: &mut SqliteConnection,
    claim: Option<&CallersClaim>,
) -> Result<Option<T>, Failure<E>>
where
    T: Answer,
    E: From<StoreError> + From<OnceError>,
{
    let Some(CallersClaim { owner, claim }) = claim else { return Ok(None) };
    let record = record(connection, *owner, claim)?;
    claim.settle_kept(*owner, record.as_ref()).map_err(|reused| Failure::Refused(reused.into()))
}

/// The tax rate as a request left it that was done before under its key.
pub(super) fn rate_before<E: From<StoreError> + From<IdempotencyKeyReused>>(
    connection: &mut SqliteConnection,
    claim: Option<&CallersClaim>,
) -> Result<Option<TaxRate>, Failure<E>> {
    let Some(CallersClaim { owner, claim }) = claim else { return Ok(None) };
    event_before(connection, *owner, claim)?.map(rate_of).transpose()
}

/// The event of a change of a customer that was made before under its key.
pub(super) fn customer_before<E: From<StoreError> + From<IdempotencyKeyReused>>(
    connection: &mut SqliteConnection,
    owner: Owner,
    claim: Option<&IdempotencyClaim>,
) -> Result<Option<CustomerEvent>, Failure<E>> {
    let Some(claim) = claim else { return Ok(None) };
    event_before(connection, owner, claim)?.map(customer_event_of).transpose()
}

fn event_before<E: From<StoreError> + From<IdempotencyKeyReused>>(
    connection: &mut SqliteConnection,
    owner: Owner,
    claim: &IdempotencyClaim,
) -> Result<Option<EventRecord>, Failure<E>> {
    let record = record(connection, owner, claim)?;
    let id = claim.settle(record.as_ref()).map_err(|reused| Failure::Refused(reused.into()))?;
    let Some(id) = id else { return Ok(None) };
    let (tenant, environment) = names(owner);
    let stored: StoredRecord = event::queries::record(&tenant, &environment, &id.to_string()).get_result(connection)?;
    stored.of(owner).map(Some).map_err(|error| Failure::Refused(error.into()))
}

fn record<E: From<StoreError>>(
    connection: &mut SqliteConnection,
    owner: Owner,
    claim: &IdempotencyClaim,
) -> Result<Option<IdempotencyRecord>, Failure<E>> {
    let (tenant, environment) = names(owner);
    let row = queries::by_key(&tenant, &environment, claim.key.as_str());
    let row: Option<IdempotencyRow> = row.get_result(connection).optional()?;
    row.map(IdempotencyRecord::try_from).transpose().map_err(|error| Failure::Refused(error.into()))
}

/// Keeps the record of a key. One that is there is too old to count: the one that counts was answered from.
pub(super) fn keep(connection: &mut SqliteConnection, record: Option<&IdempotencyRow>) -> QueryResult<()> {
    let Some(record) = record else { return Ok(()) };
    replace_into(idempotency_records::table).values(record).execute(connection).map(drop)
}
