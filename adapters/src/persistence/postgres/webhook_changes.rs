//! Changing webhook endpoints and deliveries over PostgreSQL, each in a transaction.

use async_trait::async_trait;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, insert_into, update};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use patron_domain::{
    idempotency::{Answer, CallersClaim, Done, OnceError},
    store::StoreError,
    tenancy::EnvironmentScope,
    time::Timestamp,
    webhook::{ChangeEndpoint, LeaseClaim, MAX_ENDPOINTS, RoundRecord, WebhookEndpoint, WebhookError},
};

use super::{
    idempotency::{keep, kept_before},
    names,
    statements::{InsertDeliveries, WriteDeliveries},
    write,
};
use crate::persistence::{
    error::Failure,
    idempotency::row::IdempotencyRow,
    schema::{webhook_deliveries, webhook_endpoints},
    webhook::{
        delivery_row::DeliveryRow,
        endpoint_row::{Disables, EndpointChanges, EndpointRow, RoundChanges},
        queries,
    },
};

/// The most rows of one statement, so that its parameters do not fill the memory.
const ROWS: usize = 1_000;

pub(super) struct Create {
    pub(super) row: EndpointRow,
    pub(super) endpoint: WebhookEndpoint,
    pub(super) claim: Option<CallersClaim>,
    pub(super) record: Option<IdempotencyRow>,
}

#[async_trait]
impl write::Change for Create {
    type Answer = Done<WebhookEndpoint>;
    type Refusal = WebhookError;

    async fn write(&self, mut pg: &AsyncPgConnection) -> Result<Done<WebhookEndpoint>, Failure<WebhookError>> {
        if let Some(made) = kept_before(pg, self.claim.as_ref()).await? {
            return Ok(Done::before(made));
        }
        // Before it is counted, so that a repetition that comes at the same time is not refused as one too many.
        keep(pg, self.claim.as_ref(), self.record.as_ref()).await?;
        let known = queries::endpoints_of(&self.row.tenant_id, &self.row.environment_id).count();
        if u64::try_from(known.get_result::<i64>(&mut pg).await?).unwrap_or_default() >= MAX_ENDPOINTS {
            return Err(Failure::Refused(WebhookError::TooManyEndpoints));
        }
        insert_into(webhook_endpoints::table).values(&self.row).execute(&mut pg).await?;
        Ok(Done::now(self.endpoint.clone()))
    }

    async fn is_written(&self, mut pg: &AsyncPgConnection, made: &Done<WebhookEndpoint>) -> QueryResult<bool> {
        let known = queries::any_endpoint(&self.row.id).count();
        Ok(made.replayed || known.get_result::<i64>(&mut pg).await? == 1)
    }
}

pub(super) struct Change {
    pub(super) scope: EnvironmentScope,
    pub(super) change: ChangeEndpoint,
    pub(super) claim: Option<CallersClaim>,
}

#[async_trait]
impl write::Change for Change {
    type Answer = Done<WebhookEndpoint>;
    type Refusal = WebhookError;

    async fn write(&self, mut pg: &AsyncPgConnection) -> Result<Done<WebhookEndpoint>, Failure<WebhookError>> {
        let refused = |error: StoreError| Failure::Refused(WebhookError::from(error));
        let (tenant, environment) = names(self.scope.owner);
        let id = self.change.id.to_string();
        let own = || queries::endpoint(&tenant, &environment, &id);
        let row = own().for_update().first::<EndpointRow>(&mut pg).await.optional()?;
        let claim = self.claim.as_ref();
        if let Some(changed) = kept_before(pg, claim).await? {
            return Ok(Done::before(changed));
        }
        let current = row.ok_or(Failure::Refused(WebhookError::UnknownEndpoint))?;
        let endpoint = self.change.clone().decide(&self.scope, current.try_into().map_err(refused)?);
        let record = IdempotencyRow::kept(claim, &endpoint, self.change.at).map_err(refused)?;
        keep(pg, claim, record.as_ref()).await?;
        update(own()).set(EndpointChanges::from(&endpoint)).execute(&mut pg).await?;
        Ok(Done::now(endpoint))
    }

    async fn is_written(&self, mut pg: &AsyncPgConnection, changed: &Done<WebhookEndpoint>) -> QueryResult<bool> {
        let row = EndpointRow::from(&changed.value);
        let same = queries::any_endpoint(&row.id).filter(webhook_endpoints::updated_at.eq(row.updated_at));
        let same = same.filter(webhook_endpoints::secret.eq(row.secret)).count();
        Ok(changed.replayed || same.get_result::<i64>(&mut pg).await? == 1)
    }
}

pub(super) struct Delete {
    pub(super) tenant: String,
    pub(super) environment: String,
    pub(super) id: String,
    pub(super) at: Timestamp,
    pub(super) by: String,
    pub(super) claim: Option<CallersClaim>,
}

#[async_trait]
impl write::Change for Delete {
    type Answer = Option<Done<()>>;
    type Refusal = OnceError;

    async fn write(&self, mut pg: &AsyncPgConnection) -> Result<Option<Done<()>>, Failure<OnceError>> {
        let own = queries::endpoint(&self.tenant, &self.environment, &self.id);
        let deleted = update(own).set(queries::deletion(self.at.micros(), &self.by)).execute(&mut pg).await?;
        let claim = self.claim.as_ref();
        if let Some(()) = kept_before(pg, claim).await? {
            return Ok(Some(Done::before(())));
        }
        if deleted == 0 {
            return Ok(None);
        }
        let record = IdempotencyRow::kept(claim, &(), self.at);
        keep(pg, claim, record.map_err(|error| Failure::Refused(error.into()))?.as_ref()).await?;
        Ok(Some(Done::now(())))
    }

    async fn is_written(&self, mut pg: &AsyncPgConnection, deleted: &Option<Done<()>>) -> QueryResult<bool> {
        let left = queries::endpoint(&self.tenant, &self.environment, &self.id).count();
        Ok(deleted.is_none() || left.get_result::<i64>(&mut pg).await? == 0)
    }
}

/// New deliveries, and what is answered when they are written.
pub(super) struct Add<T> {
    pub(super) rows: Vec<DeliveryRow>,
    pub(super) answer: T,
    pub(super) claim: Option<CallersClaim>,
    pub(super) record: Option<IdempotencyRow>,
}

#[async_trait]
impl<T> write::Change for Add<T>
where
    T: Clone + Send + Sync + Answer + 'static,
{
    type Answer = Done<T>;
    type Refusal = OnceError;

    async fn write(&self, pg: &AsyncPgConnection) -> Result<Done<T>, Failure<OnceError>> {
        if let Some(added) = kept_before(pg, self.claim.as_ref()).await? {
            return Ok(Done::before(added));
        }
        keep(pg, self.claim.as_ref(), self.record.as_ref()).await?;
        upsert(pg, &self.rows).await?;
        Ok(Done::now(self.answer.clone()))
    }

    async fn is_written(&self, _: &AsyncPgConnection, _: &Done<T>) -> QueryResult<bool> {
        // Their ids are their own, so writing them twice is as good as once; and under a key they are found.
        Ok(false)
    }
}

pub(super) struct RetryFailed {
    pub(super) tenant: String,
    pub(super) environment: String,
    pub(super) id: String,
    pub(super) at: Timestamp,
    pub(super) limit: i64,
    pub(super) claim: Option<CallersClaim>,
}

#[async_trait]
impl write::Change for RetryFailed {
    type Answer = Done<u64>;
    type Refusal = OnceError;

    async fn write(&self, mut pg: &AsyncPgConnection) -> Result<Done<u64>, Failure<OnceError>> {
        let failed = queries::failed(&self.tenant, &self.environment, &self.id).limit(self.limit);
        let failed: Vec<String> = failed.select(webhook_deliveries::id).for_update().load(&mut pg).await?;
        let claim = self.claim.as_ref();
        if let Some(count) = kept_before(pg, claim).await? {
            return Ok(Done::before(count));
        }
        let count = failed.len() as u64;
        let record = IdempotencyRow::kept(claim, &count, self.at);
        keep(pg, claim, record.map_err(|error| Failure::Refused(error.into()))?.as_ref()).await?;
        let own = queries::deliveries_of(&self.tenant, &self.environment, &self.id);
        let own = own.filter(webhook_deliveries::id.eq_any(&failed));
        update(own).set(queries::replay(self.at.micros())).execute(&mut pg).await?;
        Ok(Done::now(count))
    }

    async fn is_written(&self, _: &AsyncPgConnection, _: &Done<u64>) -> QueryResult<bool> {
        // What waits again does not fail any more, so the second time finds the others; under a key it finds the first.
        Ok(false)
    }
}

pub(super) struct Claim {
    claim: LeaseClaim,
    serving: Vec<String>,
}

impl Claim {
    pub(super) fn new(claim: LeaseClaim) -> Self {
        let serving = claim.serving.iter().map(ToString::to_string).collect();
        Self { claim, serving }
    }
}

/// The ids of the endpoints that can be claimed.
macro_rules! found {
    ($claim:expr) => {
        queries::claimable(&$claim.claim.holder, $claim.claim.now.micros())
            .filter(webhook_endpoints::id.ne_all(&$claim.serving))
            .select(webhook_endpoints::id)
    };
}

#[async_trait]
impl write::Change for Claim {
    type Answer = Vec<EndpointRow>;
    type Refusal = StoreError;

    async fn write(&self, mut pg: &AsyncPgConnection) -> Result<Vec<EndpointRow>, Failure<StoreError>> {
        // Whoever claims at the same time passes over what is locked here.
        let found = found!(self).limit(self.claim.limit.into()).for_update().skip_locked();
        let found: Vec<String> = found.load(&mut pg).await?;
        let claimed = update(queries::claimable_among(&self.claim.holder, self.claim.now.micros(), &found));
        let claimed = claimed.set(queries::lease(&self.claim.holder, self.claim.until.micros()));
        Ok(claimed.get_results(&mut pg).await?)
    }

    async fn is_written(&self, _: &AsyncPgConnection, _: &Vec<EndpointRow>) -> QueryResult<bool> {
        // A holder's own leases are given to it again.
        Ok(false)
    }
}

impl Claim {
    /// Whether there is anything to claim.
    pub(super) async fn finds(&self, mut pg: &AsyncPgConnection) -> QueryResult<bool> {
        Ok(found!(self).first::<String>(&mut pg).await.optional()?.is_some())
    }
}

pub(super) struct Renew {
    pub(super) id: String,
    pub(super) holder: String,
    pub(super) until: i64,
}

#[async_trait]
impl write::Change for Renew {
    type Answer = bool;
    type Refusal = StoreError;

    async fn write(&self, mut pg: &AsyncPgConnection) -> Result<bool, Failure<StoreError>> {
        let held = queries::held(&self.id, &self.holder).filter(webhook_endpoints::disabled_at.is_null());
        Ok(update(held).set(webhook_endpoints::lease_until.eq(self.until)).execute(&mut pg).await? == 1)
    }

    async fn is_written(&self, _: &AsyncPgConnection, _: &bool) -> QueryResult<bool> {
        // Twice is as good as once.
        Ok(false)
    }
}

pub(super) struct Record {
    pub(super) record: RoundRecord,
    pub(super) fresh: Vec<DeliveryRow>,
    pub(super) changed: Vec<DeliveryRow>,
}

#[async_trait]
impl write::Change for Record {
    type Answer = bool;
    type Refusal = StoreError;

    async fn write(&self, mut pg: &AsyncPgConnection) -> Result<bool, Failure<StoreError>> {
        let id = self.record.endpoint_id.to_string();
        let held = update(queries::held(&id, &self.record.holder)).set(RoundChanges::from(&self.record));
        if held.execute(&mut pg).await? == 0 {
            return Ok(false);
        }
        if let Some(disables) = Disables::of(&self.record) {
            update(queries::enabled(&id)).set(disables).execute(&mut pg).await?;
        }
        for rows in self.fresh.chunks(ROWS) {
            InsertDeliveries::new(rows).execute(&mut pg).await?;
        }
        upsert(pg, &self.changed).await?;
        Ok(true)
    }

    async fn is_written(&self, mut pg: &AsyncPgConnection, written: &bool) -> QueryResult<bool> {
        let id = self.record.endpoint_id.to_string();
        let there =
            queries::any_endpoint(&id).filter(webhook_endpoints::position.ge(self.record.position.stored())).count();
        let Some(row) = self.fresh.iter().chain(&self.changed).next() else {
            return Ok(!written || there.get_result::<i64>(&mut pg).await? == 1);
        };
        let one = queries::delivery(&row.tenant_id, &row.environment_id, &row.endpoint_id, &row.id);
        let one = one.filter(webhook_deliveries::updated_at.eq(row.updated_at)).count();
        Ok(!written || one.get_result::<i64>(&mut pg).await? == 1)
    }
}

/// Writes rows, new or known.
async fn upsert(mut pg: &AsyncPgConnection, rows: &[DeliveryRow]) -> QueryResult<()> {
    for rows in rows.chunks(ROWS) {
        WriteDeliveries::new(rows).execute(&mut pg).await?;
    }
    Ok(())
}
