//! The port for webhooks over SQLite.

use async_trait::async_trait;
use diesel::{delete, insert_into, prelude::*, replace_into, result::Error, update};
use patron_domain::{
    idempotency::{Answer, CallersClaim, Done, OnceError},
    ids::{WebhookDeliveryId, WebhookEndpointId},
    page::{Page, PageRequest},
    store::StoreError,
    tenancy::{EnvironmentScope, SystemScope},
    time::Timestamp,
    webhook::{
        ChangeEndpoint, Delivery, DeliveryKind, DeliveryQuery, LeaseClaim, MAX_ENDPOINTS, RoundRecord, WebhookEndpoint,
        WebhookError, WebhookRepository,
    },
};

use super::{
    SqliteStore,
    customers::names,
    idempotency::{keep, kept_before},
};
use crate::persistence::{
    error::Failure,
    idempotency::row::IdempotencyRow,
    page::{Window, decode, page},
    schema::{webhook_deliveries, webhook_endpoints},
    webhook::{
        delivery_row::DeliveryRow,
        endpoint_row::{Disables, EndpointChanges, EndpointRow, RoundChanges},
        queries,
    },
};

#[async_trait]
impl WebhookRepository for SqliteStore {
    async fn create_endpoint(
        &self,
        scope: &EnvironmentScope,
        endpoint: WebhookEndpoint,
        claim: Option<CallersClaim>,
    ) -> Result<Done<WebhookEndpoint>, WebhookError> {
        let endpoint = WebhookEndpoint { owner: scope.owner, ..endpoint };
        let row = EndpointRow::from(&endpoint);
        let record = IdempotencyRow::kept(claim.as_ref(), &endpoint, endpoint.audit.updated_at)?;
        let create = move |connection: &mut SqliteConnection| {
            if let Some(made) = kept_before(connection, claim.as_ref())? {
                return Ok(Done::before(made));
            }
            let known = queries::endpoints_of(&row.tenant_id, &row.environment_id).count();
            if u64::try_from(known.get_result::<i64>(connection)?).unwrap_or_default() >= MAX_ENDPOINTS {
                return Err(Failure::Refused(WebhookError::TooManyEndpoints));
            }
            insert_into(webhook_endpoints::table).values(&row).execute(connection)?;
            keep(connection, record.as_ref())?;
            Ok(Done::now(endpoint.clone()))
        };
        self.writer.write(create).await
    }

    async fn endpoints(
        &self,
        scope: &EnvironmentScope,
        page_request: PageRequest,
    ) -> Result<Page<WebhookEndpoint>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let window = Window::from(page_request);
        let query = move |connection: &mut SqliteConnection| {
            connection.transaction::<(Vec<EndpointRow>, i64), Error, _>(|connection| {
                let all = || queries::endpoints_of(&tenant, &environment);
                let ordered = all().order(queries::newest_endpoints_first());
                let rows = ordered.limit(window.limit).offset(window.offset).load(connection)?;
                Ok((rows, all().count().get_result(connection)?))
            })
        };
        page(self.readers.read(query).await?)
    }

    async fn find_endpoint(
        &self,
        scope: &EnvironmentScope,
        id: WebhookEndpointId,
    ) -> Result<Option<WebhookEndpoint>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let id = id.to_string();
        let query = move |connection: &mut SqliteConnection| {
            queries::endpoint(&tenant, &environment, &id).first::<EndpointRow>(connection).optional()
        };
        self.readers.read(query).await?.map(WebhookEndpoint::try_from).transpose()
    }

    async fn find_any_endpoint(
        &self,
        _scope: &SystemScope,
        id: WebhookEndpointId,
    ) -> Result<Option<WebhookEndpoint>, StoreError> {
        let id = id.to_string();
        let query = move |connection: &mut SqliteConnection| {
            queries::any_endpoint(&id).first::<EndpointRow>(connection).optional()
        };
        self.readers.read(query).await?.map(WebhookEndpoint::try_from).transpose()
    }

    async fn change_endpoint(
        &self,
        scope: &EnvironmentScope,
        change: ChangeEndpoint,
        claim: Option<CallersClaim>,
    ) -> Result<Done<WebhookEndpoint>, WebhookError> {
        let scope = scope.clone();
        let (tenant, environment) = names(scope.owner);
        let work = move |connection: &mut SqliteConnection| {
            if let Some(changed) = kept_before(connection, claim.as_ref())? {
                return Ok(Done::before(changed));
            }
            let refused = |error: StoreError| Failure::Refused(WebhookError::from(error));
            let id = change.id.to_string();
            let own = || queries::endpoint(&tenant, &environment, &id);
            let row: Option<EndpointRow> = own().first(connection).optional()?;
            let current = row.ok_or(Failure::Refused(WebhookError::UnknownEndpoint))?;
            let endpoint = change.clone().decide(&scope, current.try_into().map_err(refused)?);
            let record = IdempotencyRow::kept(claim.as_ref(), &endpoint, change.at).map_err(refused)?;
            update(own()).set(EndpointChanges::from(&endpoint)).execute(connection)?;
            keep(connection, record.as_ref())?;
            Ok(Done::now(endpoint))
        };
        self.writer.write(work).await
    }

    async fn delete_endpoint(
        &self,
        scope: &EnvironmentScope,
        id: WebhookEndpointId,
        at: Timestamp,
        claim: Option<CallersClaim>,
    ) -> Result<Option<Done<()>>, OnceError> {
        let (tenant, environment) = names(scope.owner);
        let (id, by) = (id.to_string(), scope.actor.as_str().to_owned());
        let record = IdempotencyRow::kept(claim.as_ref(), &(), at)?;
        let work = move |connection: &mut SqliteConnection| {
            if let Some(()) = kept_before(connection, claim.as_ref())? {
                return Ok(Some(Done::before(())));
            }
            let own = queries::endpoint(&tenant, &environment, &id);
            if update(own).set(queries::deletion(at.micros(), &by)).execute(connection)? == 0 {
                return Ok(None);
            }
            keep(connection, record.as_ref())?;
            Ok(Some(Done::now(())))
        };
        self.writer.write(work).await
    }

    async fn deliveries(
        &self,
        scope: &EnvironmentScope,
        id: WebhookEndpointId,
        query: DeliveryQuery,
    ) -> Result<Vec<Delivery>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let id = id.to_string();
        let load = move |connection: &mut SqliteConnection| {
            queries::newest!(queries::deliveries_of(&tenant, &environment, &id), query).load::<DeliveryRow>(connection)
        };
        decode(self.readers.read(load).await?)
    }

    async fn add_deliveries(
        &self,
        scope: &EnvironmentScope,
        deliveries: Vec<Delivery>,
        at: Timestamp,
        claim: Option<CallersClaim>,
    ) -> Result<Done<u64>, OnceError> {
        let owner = scope.owner;
        let rows: Vec<_> =
            deliveries.into_iter().map(|delivery| DeliveryRow::from(&Delivery { owner, ..delivery })).collect();
        let count = rows.len() as u64;
        add(self, rows, (count, at), claim).await
    }

    async fn add_test(
        &self,
        scope: &EnvironmentScope,
        test: Delivery,
        claim: Option<CallersClaim>,
    ) -> Result<Done<Delivery>, OnceError> {
        let test = Delivery { owner: scope.owner, ..test };
        let (rows, at) = (vec![DeliveryRow::from(&test)], test.created_at);
        add(self, rows, (test, at), claim).await
    }

    async fn retry_failed(
        &self,
        scope: &EnvironmentScope,
        id: WebhookEndpointId,
        at: Timestamp,
        limit: u32,
        claim: Option<CallersClaim>,
    ) -> Result<Done<u64>, OnceError> {
        let (tenant, environment) = names(scope.owner);
        let id = id.to_string();
        let work = move |connection: &mut SqliteConnection| {
            if let Some(count) = kept_before(connection, claim.as_ref())? {
                return Ok(Done::before(count));
            }
            let failed = queries::failed(&tenant, &environment, &id).select(webhook_deliveries::id);
            let failed: Vec<String> = failed.limit(limit.into()).load(connection)?;
            let count = failed.len() as u64;
            let record = IdempotencyRow::kept(claim.as_ref(), &count, at);
            let record = record.map_err(|error| Failure::Refused(OnceError::from(error)))?;
            for one in &failed {
                let one = queries::delivery(&tenant, &environment, &id, one);
                update(one).set(queries::replay(at.micros())).execute(connection)?;
            }
            keep(connection, record.as_ref())?;
            Ok(Done::now(count))
        };
        self.writer.write(work).await
    }

    async fn claim(&self, _scope: &SystemScope, claim: LeaseClaim) -> Result<Vec<WebhookEndpoint>, StoreError> {
        let (now, serving) = (claim.now.micros(), names_of(&claim));
        let holder = claim.holder.clone();
        // Mostly there is nothing to do, and a reader sees that without making the writer commit.
        let find = move |connection: &mut SqliteConnection| {
            let found = queries::claimable(&holder, now).filter(webhook_endpoints::id.ne_all(serving));
            let found = found.select(webhook_endpoints::id).order(webhook_endpoints::id.asc());
            found.limit(claim.limit.into()).load::<String>(connection)
        };
        let found = self.readers.read(find).await?;
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let (holder, until) = (claim.holder, claim.until.micros());
        let work = move |connection: &mut SqliteConnection| {
            // One server works over a file, so nobody else claims meanwhile; what was deleted or disabled stays out.
            let claimed = update(queries::claimable_among(&holder, now, &found)).set(queries::lease(&holder, until));
            Ok(claimed.get_results::<EndpointRow>(connection)?)
        };
        decode(self.writer.write::<_, StoreError, _>(work).await?)
    }

    async fn renew(
        &self,
        _scope: &SystemScope,
        id: WebhookEndpointId,
        holder: &str,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let (id, holder) = (id.to_string(), holder.to_owned());
        let work = move |connection: &mut SqliteConnection| {
            let held = queries::held(&id, &holder).filter(webhook_endpoints::disabled_at.is_null());
            Ok(update(held).set(webhook_endpoints::lease_until.eq(until.micros())).execute(connection)? == 1)
        };
        self.writer.write(work).await
    }

    async fn waiting(
        &self,
        scope: &EnvironmentScope,
        id: WebhookEndpointId,
        now: Timestamp,
        first: u32,
        replays: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let id = id.to_string();
        let query = move |connection: &mut SqliteConnection| {
            connection.transaction::<Vec<DeliveryRow>, Error, _>(|connection| {
                let of = |kind: DeliveryKind| queries::waiting(&tenant, &environment, &id, kind.as_str());
                let mut rows: Vec<DeliveryRow> = of(DeliveryKind::First).limit(first.into()).load(connection)?;
                let due = of(DeliveryKind::Replay).filter(queries::is_due(now.micros()));
                rows.extend(due.limit(replays.into()).load::<DeliveryRow>(connection)?);
                Ok(rows)
            })
        };
        decode(self.readers.read(query).await?)
    }

    async fn record(&self, _scope: &SystemScope, record: RoundRecord) -> Result<bool, StoreError> {
        let rows: Vec<_> = record.fresh.iter().chain(&record.changed).map(DeliveryRow::from).collect();
        let work = move |connection: &mut SqliteConnection| {
            let id = record.endpoint_id.to_string();
            let held = update(queries::held(&id, &record.holder)).set(RoundChanges::from(&record));
            if held.execute(connection)? == 0 {
                return Ok(false);
            }
            if let Some(disables) = Disables::of(&record) {
                update(queries::enabled(&id)).set(disables).execute(connection)?;
            }
            upsert(connection, &rows)?;
            Ok(true)
        };
        self.writer.write(work).await
    }

    async fn remove_deliveries(
        &self,
        _scope: &SystemScope,
        changed_before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let last = WebhookDeliveryId::last_at(changed_before).to_string();
        let work = move |connection: &mut SqliteConnection| {
            let old = queries::old_deliveries(changed_before.micros(), &last).limit(limit.into());
            let old: Vec<(String, String, String, String)> = old.load(connection)?;
            for (tenant, environment, endpoint, id) in &old {
                delete(queries::delivery(tenant, environment, endpoint, id)).execute(connection)?;
            }
            Ok(old.len() as u64)
        };
        self.writer.write(work).await
    }
}

/// Adds deliveries, once under a key, and answers what is to be answered.
async fn add<T>(
    store: &SqliteStore,
    rows: Vec<DeliveryRow>,
    (answer, at): (T, Timestamp),
    claim: Option<CallersClaim>,
) -> Result<Done<T>, OnceError>
where
    T: Clone + Send + Answer + 'static,
{
    let record = IdempotencyRow::kept(claim.as_ref(), &answer, at)?;
    let work = move |connection: &mut SqliteConnection| {
        if let Some(added) = kept_before(connection, claim.as_ref())? {
            return Ok(Done::before(added));
        }
        upsert(connection, &rows)?;
        keep(connection, record.as_ref())?;
        Ok(Done::now(answer.clone()))
    };
    store.writer.write(work).await
}

fn names_of(claim: &LeaseClaim) -> Vec<String> {
    claim.serving.iter().map(ToString::to_string).collect()
}

/// Row by row, as everything here: the statement is compiled once.
fn upsert(connection: &mut SqliteConnection, rows: &[DeliveryRow]) -> QueryResult<()> {
    for row in rows {
        // Every column is given, so that nothing of a row that is there is missed. Diesel compiles this once, and looks
        // it up without writing its text anew, unlike `DO UPDATE`.
        replace_into(webhook_deliveries::table).values(row).execute(connection)?;
    }
    Ok(())
}
