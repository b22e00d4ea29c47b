//! Changing webhook endpoints and deliveries over PostgreSQL, each in a transaction.

use async_trait::async_trait;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, insert_into, update, upsert::excluded};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use patron_domain::{
    store::StoreError,
    tenancy::EnvironmentScope,
    webhook::{ChangeEndpoint, LeaseClaim, MAX_ENDPOINTS, RoundRecord, WebhookEndpoint, WebhookError},
};

use super::{names, write};
use crate::persistence::{
    error::Failure,
    schema::{webhook_deliveries, webhook_endpoints},
    webhook::{
        delivery_row::DeliveryRow,
        endpoint_row::{Disables, EndpointChanges, EndpointRow, RoundChanges},
        queries,
    },
};

/// The most rows of one statement: a statement has at most 65,535 parameters.
const ROWS: usize = 1_000;

pub(super) struct Create(pub(super) EndpointRow);

#[async_trait]
impl write::Change for Create {
    type Answer = ();
    type Refusal = WebhookError;

    async fn write(&self, mut pg: &AsyncPgConnection) -> Result<(), Failure<WebhookError>> {
        let known = queries::endpoints_of(&self.0.tenant_id, &self.0.environment_id).count();
        if u64::try_from(known.get_result::<i64>(&mut pg).await?).unwrap_or_default() >= MAX_ENDPOINTS {
            return Err(Failure::Refused(WebhookError::TooManyEndpoints));
        }
        Ok(insert_into(webhook_endpoints::table).values(&self.0).execute(&mut pg).await.map(drop)?)
    }

    async fn is_written(&self, mut pg: &AsyncPgConnection, (): &()) -> QueryResult<bool> {
        let known = queries::any_endpoint(&self.0.id).count();
        known.get_result::<i64>(&mut pg).await.map(|count| count == 1)
    }
}

pub(super) struct Change {
    pub(super) scope: EnvironmentScope,
    pub(super) change: ChangeEndpoint,
}

#[async_trait]
impl write::Change for Change {
    type Answer = WebhookEndpoint;
    type Refusal = WebhookError;

    async fn write(&self, mut pg: &AsyncPgConnection) -> Result<WebhookEndpoint, Failure<WebhookError>> {
        let (tenant, environment) = names(self.scope.owner);
        let id = self.change.id.to_string();
        let own = || queries::endpoint(&tenant, &environment, &id);
        let row = own().for_update().first::<EndpointRow>(&mut pg).await.optional()?;
        let current = row.ok_or(Failure::Refused(WebhookError::UnknownEndpoint))?;
        let current = current.try_into().map_err(|error: StoreError| Failure::Refused(error.into()))?;
        let endpoint = self.change.clone().decide(&self.scope, current);
        update(own()).set(EndpointChanges::from(&endpoint)).execute(&mut pg).await?;
        Ok(endpoint)
    }

    async fn is_written(&self, mut pg: &AsyncPgConnection, endpoint: &WebhookEndpoint) -> QueryResult<bool> {
        let row = EndpointRow::from(endpoint);
        let same = queries::any_endpoint(&row.id).filter(webhook_endpoints::updated_at.eq(row.updated_at));
        let same = same.filter(webhook_endpoints::secret.eq(row.secret)).count();
        same.get_result::<i64>(&mut pg).await.map(|count| count == 1)
    }
}

pub(super) struct Delete {
    pub(super) tenant: String,
    pub(super) environment: String,
    pub(super) id: String,
    pub(super) at: i64,
    pub(super) by: String,
}

#[async_trait]
impl write::Change for Delete {
    type Answer = bool;
    type Refusal = StoreError;

    async fn write(&self, mut pg: &AsyncPgConnection) -> Result<bool, Failure<StoreError>> {
        let own = queries::endpoint(&self.tenant, &self.environment, &self.id);
        Ok(update(own).set(queries::deletion(self.at, &self.by)).execute(&mut pg).await? == 1)
    }

    async fn is_written(&self, mut pg: &AsyncPgConnection, deleted: &bool) -> QueryResult<bool> {
        let left = queries::endpoint(&self.tenant, &self.environment, &self.id).count();
        Ok(!deleted || left.get_result::<i64>(&mut pg).await? == 0)
    }
}

pub(super) struct Add(pub(super) Vec<DeliveryRow>);

#[async_trait]
impl write::Change for Add {
    type Answer = ();
    type Refusal = StoreError;

    async fn write(&self, pg: &AsyncPgConnection) -> Result<(), Failure<StoreError>> {
        Ok(upsert(pg, &self.0).await?)
    }

    async fn is_written(&self, _: &AsyncPgConnection, (): &()) -> QueryResult<bool> {
        // Their ids are their own, so writing them twice is as good as once.
        Ok(false)
    }
}

pub(super) struct RetryFailed {
    pub(super) tenant: String,
    pub(super) environment: String,
    pub(super) id: String,
    pub(super) at: i64,
    pub(super) limit: i64,
}

#[async_trait]
impl write::Change for RetryFailed {
    type Answer = u64;
    type Refusal = StoreError;

    async fn write(&self, mut pg: &AsyncPgConnection) -> Result<u64, Failure<StoreError>> {
        let failed = queries::failed(&self.tenant, &self.environment, &self.id).limit(self.limit);
        let failed: Vec<String> = failed.select(webhook_deliveries::id).load(&mut pg).await?;
        let own = queries::deliveries_of(&self.tenant, &self.environment, &self.id);
        let own = own.filter(webhook_deliveries::id.eq_any(&failed));
        Ok(update(own).set(queries::replay(self.at)).execute(&mut pg).await? as u64)
    }

    async fn is_written(&self, _: &AsyncPgConnection, _: &u64) -> QueryResult<bool> {
        // What waits again does not fail any more, so the second time finds the others.
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
    pub(super) rows: Vec<DeliveryRow>,
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
        upsert(pg, &self.rows).await?;
        Ok(true)
    }

    async fn is_written(&self, mut pg: &AsyncPgConnection, written: &bool) -> QueryResult<bool> {
        let id = self.record.endpoint_id.to_string();
        let there =
            queries::any_endpoint(&id).filter(webhook_endpoints::position.ge(self.record.position.stored())).count();
        let Some(row) = self.rows.as_slice().first() else {
            return Ok(!written || there.get_result::<i64>(&mut pg).await? == 1);
        };
        let one = queries::delivery(&row.tenant_id, &row.environment_id, &row.endpoint_id, &row.id);
        let one = one.filter(webhook_deliveries::updated_at.eq(row.updated_at)).count();
        Ok(!written || one.get_result::<i64>(&mut pg).await? == 1)
    }
}

/// Writes rows, new or known.
async fn upsert(mut pg: &AsyncPgConnection, rows: &[DeliveryRow]) -> QueryResult<()> {
    use crate::persistence::schema::webhook_deliveries::dsl::*;
    for rows in rows.chunks(ROWS) {
        let insert =
            insert_into(webhook_deliveries).values(rows).on_conflict((tenant_id, environment_id, endpoint_id, id));
        // What says which event it is never changes.
        let update = insert.do_update().set((
            kind.eq(excluded(kind)),
            status.eq(excluded(status)),
            next_attempt_at.eq(excluded(next_attempt_at)),
            attempts.eq(excluded(attempts)),
            last_at.eq(excluded(last_at)),
            last_took.eq(excluded(last_took)),
            last_status.eq(excluded(last_status)),
            last_failure.eq(excluded(last_failure)),
            last_answer.eq(excluded(last_answer)),
            updated_at.eq(excluded(updated_at)),
        ));
        update.execute(&mut pg).await?;
    }
    Ok(())
}
