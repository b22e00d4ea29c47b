//! The port for webhooks over PostgreSQL: what is asked, and changed by one statement. About the rest see
//! `webhook_changes`.

use async_trait::async_trait;
use diesel::{OptionalExtension, QueryDsl, delete};
use diesel_async::RunQueryDsl;
use futures_util::future::try_join;
use patron_domain::{
    idempotency::{CallersClaim, Done, OnceError},
    ids::{WebhookDeliveryId, WebhookEndpointId},
    page::{Page, PageRequest},
    store::StoreError,
    tenancy::{EnvironmentScope, SystemScope},
    time::Timestamp,
    webhook::{
        ChangeEndpoint, Delivery, DeliveryKind, DeliveryQuery, LeaseClaim, RoundRecord, WebhookEndpoint, WebhookError,
        WebhookRepository,
    },
};

use super::{
    PostgresStore, names,
    webhook_changes::{Add, Change, Claim, Create, Delete, Record, Renew, RetryFailed},
};
use crate::persistence::{
    idempotency::row::IdempotencyRow,
    page::{Window, decode, page},
    webhook::{delivery_row::DeliveryRow, endpoint_row::EndpointRow, queries},
};

#[async_trait]
impl WebhookRepository for PostgresStore {
    async fn create_endpoint(
        &self,
        scope: &EnvironmentScope,
        endpoint: WebhookEndpoint,
        claim: Option<CallersClaim>,
    ) -> Result<Done<WebhookEndpoint>, WebhookError> {
        let endpoint = WebhookEndpoint { owner: scope.owner, ..endpoint };
        let record = IdempotencyRow::kept(claim.as_ref(), &endpoint, endpoint.audit.updated_at)?;
        self.write(Create { row: EndpointRow::from(&endpoint), endpoint, claim, record }).await
    }

    async fn endpoints(
        &self,
        scope: &EnvironmentScope,
        page_request: PageRequest,
    ) -> Result<Page<WebhookEndpoint>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let Window { limit, offset } = page_request.into();
        let session = self.pool.session().await?;
        let all = || queries::endpoints_of(&tenant, &environment);
        let ordered = all().order(queries::newest_endpoints_first()).limit(limit).offset(offset);
        let (rows, total) = (&mut session.pg(), &mut session.pg());
        page(session.snapshot(try_join(ordered.load::<EndpointRow>(rows), all().count().get_result(total))).await?)
    }

    async fn find_endpoint(
        &self,
        scope: &EnvironmentScope,
        id: WebhookEndpointId,
    ) -> Result<Option<WebhookEndpoint>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let id = id.to_string();
        let session = self.pool.session().await?;
        let query = queries::endpoint(&tenant, &environment, &id);
        let row = async { query.first::<EndpointRow>(&mut session.pg()).await.optional() };
        session.answer(row).await?.map(WebhookEndpoint::try_from).transpose()
    }

    async fn find_any_endpoint(
        &self,
        _scope: &SystemScope,
        id: WebhookEndpointId,
    ) -> Result<Option<WebhookEndpoint>, StoreError> {
        let id = id.to_string();
        let session = self.pool.session().await?;
        let row = async { queries::any_endpoint(&id).first::<EndpointRow>(&mut session.pg()).await.optional() };
        session.answer(row).await?.map(WebhookEndpoint::try_from).transpose()
    }

    async fn change_endpoint(
        &self,
        scope: &EnvironmentScope,
        change: ChangeEndpoint,
        claim: Option<CallersClaim>,
    ) -> Result<Done<WebhookEndpoint>, WebhookError> {
        self.write(Change { scope: scope.clone(), change, claim }).await
    }

    async fn delete_endpoint(
        &self,
        scope: &EnvironmentScope,
        id: WebhookEndpointId,
        at: Timestamp,
        claim: Option<CallersClaim>,
    ) -> Result<Option<Done<()>>, OnceError> {
        let (tenant, environment) = names(scope.owner);
        let by = scope.actor.as_str().to_owned();
        self.write(Delete { tenant, environment, id: id.to_string(), at, by, claim }).await
    }

    async fn deliveries(
        &self,
        scope: &EnvironmentScope,
        id: WebhookEndpointId,
        query: DeliveryQuery,
    ) -> Result<Vec<Delivery>, StoreError> {
        use diesel::ExpressionMethods;
        let (tenant, environment) = names(scope.owner);
        let id = id.to_string();
        let session = self.pool.session().await?;
        let all = queries::newest!(queries::deliveries_of(&tenant, &environment, &id), query);
        decode(session.answer(all.load::<DeliveryRow>(&mut session.pg())).await?)
    }

    async fn add_deliveries(
        &self,
        scope: &EnvironmentScope,
        deliveries: Vec<Delivery>,
        at: Timestamp,
        claim: Option<CallersClaim>,
    ) -> Result<Done<u64>, OnceError> {
        let owner = scope.owner;
        let rows = deliveries.into_iter().map(|delivery| DeliveryRow::from(&Delivery { owner, ..delivery }));
        let rows: Vec<_> = rows.collect();
        let answer = rows.len() as u64;
        let record = IdempotencyRow::kept(claim.as_ref(), &answer, at)?;
        self.write(Add { rows, answer, claim, record }).await
    }

    async fn add_test(
        &self,
        scope: &EnvironmentScope,
        test: Delivery,
        claim: Option<CallersClaim>,
    ) -> Result<Done<Delivery>, OnceError> {
        let answer = Delivery { owner: scope.owner, ..test };
        let record = IdempotencyRow::kept(claim.as_ref(), &answer, answer.created_at)?;
        self.write(Add { rows: vec![DeliveryRow::from(&answer)], answer, claim, record }).await
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
        self.write(RetryFailed { tenant, environment, id: id.to_string(), at, limit: limit.into(), claim }).await
    }

    async fn claim(&self, _scope: &SystemScope, claim: LeaseClaim) -> Result<Vec<WebhookEndpoint>, StoreError> {
        let claim = Claim::new(claim);
        // Mostly there is nothing to do, and that is seen without a transaction.
        let session = self.pool.session().await?;
        let any = session.answer(claim.finds(session.pg())).await?;
        drop(session);
        if any { decode(self.write(claim).await?) } else { Ok(Vec::new()) }
    }

    async fn renew(
        &self,
        _scope: &SystemScope,
        id: WebhookEndpointId,
        holder: &str,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(Renew { id: id.to_string(), holder: holder.to_owned(), until: until.micros() }).await
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
        let session = self.pool.session().await?;
        let of = |kind: DeliveryKind| queries::waiting(&tenant, &environment, &id, kind.as_str());
        let firsts = of(DeliveryKind::First).limit(first.into());
        let due = of(DeliveryKind::Replay).filter(queries::is_due(now.micros())).limit(replays.into());
        let (one, other) = (&mut session.pg(), &mut session.pg());
        let both = try_join(firsts.load::<DeliveryRow>(one), due.load::<DeliveryRow>(other));
        let (mut rows, due) = session.snapshot(both).await?;
        rows.extend(due);
        decode(rows)
    }

    async fn record(&self, _scope: &SystemScope, record: RoundRecord) -> Result<bool, StoreError> {
        let rows = |deliveries: &[Delivery]| deliveries.iter().map(DeliveryRow::from).collect();
        let (fresh, changed) = (rows(&record.fresh), rows(&record.changed));
        self.write(Record { record, fresh, changed }).await
    }

    async fn remove_deliveries(
        &self,
        _scope: &SystemScope,
        changed_before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let last = WebhookDeliveryId::last_at(changed_before).to_string();
        let session = self.pool.session().await?;
        let old = queries::old_deliveries(changed_before.micros(), &last).limit(limit.into());
        let old = session.answer(old.load::<(String, String, String, String)>(&mut session.pg())).await?;
        let mut removed = 0;
        for (tenant, environment, endpoint, id) in &old {
            let one = delete(queries::delivery(tenant, environment, endpoint, id));
            removed += session.answer(one.execute(&mut session.pg())).await?;
        }
        Ok(removed as u64)
    }
}
