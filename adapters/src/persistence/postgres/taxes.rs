//! The port for tax rates and associations over PostgreSQL.

use async_trait::async_trait;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, insert_into, pg::Pg};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::future::try_join;
use patron_domain::{
    event::TaxRateEvent,
    idempotency::{CallersClaim, Done, IdempotencyClaim},
    ids::{CustomerId, TaxAssociationId, TaxRateId},
    lifecycle::Status,
    page::{Page, PageRequest},
    store::StoreError,
    tax::{
        ChangeTaxDefault, ChangeTaxDefaultError, ChangeTaxRate, ChangeTaxRateError, CreateTaxDefaultError,
        CreateTaxRateError, TaxAssociation, TaxAssociationFilter, TaxBasis, TaxRate, TaxRateFilter, TaxRepository,
        TaxedEntity,
    },
    tenancy::EnvironmentScope,
};

use super::{
    PostgresStore,
    idempotency::{keep, kept_before, rate_before},
    names,
    problem::again,
    tax_changes::{ChangeDefault, ChangeRate, log},
    write::Change,
};
use crate::persistence::{
    error::Failure,
    event::tax_rate::TaxRateRows,
    idempotency::row::IdempotencyRow,
    page::{Window, page},
    schema::{tax_associations, tax_rates},
    tax::{
        association_row::{TaxAssociationRow, already_associated, entity_id},
        decode_basis, lists, queries,
        rate_row::{TaxRateRow, taken},
    },
};

#[async_trait]
impl TaxRepository for PostgresStore {
    async fn create_rate(
        &self,
        scope: &EnvironmentScope,
        created: TaxRateEvent,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<TaxRate>, CreateTaxRateError> {
        let mut created = created;
        created.state.owner = scope.owner;
        let rows = TaxRateRows::new(&created)?;
        self.write(CreateRate { rows, created, claim: CallersClaim::within(scope, claim) }).await
    }

    async fn find_rate(&self, scope: &EnvironmentScope, id: TaxRateId) -> Result<Option<TaxRate>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let id = id.to_string();
        let session = self.pool.session().await?;
        let query = queries::rate_by_id(&tenant, &environment, &id);
        let row = async { query.first::<TaxRateRow>(&mut session.pg()).await.optional() };
        session.answer(row).await?.map(TaxRate::try_from).transpose()
    }

    async fn rates(
        &self,
        scope: &EnvironmentScope,
        filter: &TaxRateFilter,
        page_request: PageRequest,
    ) -> Result<Page<TaxRate>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let window = Window::from(page_request);
        let session = self.pool.session().await?;
        let all = || lists::rates!(Pg, (&tenant, &environment), filter);
        let (ordered, count) = (lists::in_order!(tax_rates, all(), filter.order, window), all().count());
        let (rows, total) = (&mut session.pg(), &mut session.pg());
        page(session.snapshot(try_join(ordered.load::<TaxRateRow>(rows), count.get_result(total))).await?)
    }

    async fn change_rate(
        &self,
        scope: &EnvironmentScope,
        command: ChangeTaxRate,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<TaxRate>, ChangeTaxRateError> {
        let claim = CallersClaim::within(scope, claim);
        self.write(ChangeRate { scope: scope.clone(), command, claim }).await
    }

    async fn change_default(
        &self,
        scope: &EnvironmentScope,
        command: ChangeTaxDefault,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<TaxAssociation>, ChangeTaxDefaultError> {
        let claim = CallersClaim::within(scope, claim);
        self.write(ChangeDefault { scope: scope.clone(), command, claim }).await
    }

    async fn find_association(
        &self,
        scope: &EnvironmentScope,
        id: TaxAssociationId,
    ) -> Result<Option<TaxAssociation>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let id = id.to_string();
        let session = self.pool.session().await?;
        let query = queries::association_by_id(&tenant, &environment, &id);
        let row = async { query.first::<TaxAssociationRow>(&mut session.pg()).await.optional() };
        session.answer(row).await?.map(TaxAssociation::try_from).transpose()
    }

    async fn create_default(
        &self,
        scope: &EnvironmentScope,
        association: TaxAssociation,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<TaxAssociation>, CreateTaxDefaultError> {
        let default = TaxAssociation { owner: scope.owner, ..association };
        let claim = CallersClaim::within(scope, claim);
        let record = IdempotencyRow::kept(claim.as_ref(), &default, default.audit.updated_at)?;
        self.write(CreateDefault { row: TaxAssociationRow::from(&default), default, claim, record }).await
    }

    async fn associations(
        &self,
        scope: &EnvironmentScope,
        filter: &TaxAssociationFilter,
        page_request: PageRequest,
    ) -> Result<Page<TaxAssociation>, StoreError> {
        let owner = scope.owner;
        let (tenant, environment) = names(owner);
        let window = Window::from(page_request);
        let session = self.pool.session().await?;
        let all = || lists::associations!(Pg, (&tenant, &environment), owner, filter);
        let (ordered, count) = (lists::in_order!(tax_associations, all(), filter.order, window), all().count());
        let (rows, total) = (&mut session.pg(), &mut session.pg());
        page(session.snapshot(try_join(ordered.load::<TaxAssociationRow>(rows), count.get_result(total))).await?)
    }

    async fn basis(&self, scope: &EnvironmentScope, customer_id: CustomerId) -> Result<TaxBasis, StoreError> {
        let owner = scope.owner;
        let (tenant, environment) = names(owner);
        let session = self.pool.session().await?;
        let of = |entity: TaxedEntity| {
            let (tenant, environment) = (&tenant, &environment);
            let (mut first, mut second) = (session.pg(), session.pg());
            async move {
                let (kind, id) = (entity.kind().as_str(), entity_id(owner, entity));
                let rates = queries::rates_of(tenant, environment, kind, &id);
                let associations = queries::associations_of(tenant, environment, kind, &id);
                let associations = associations.order(tax_associations::id.asc());
                let rates = rates.load::<TaxRateRow>(&mut first);
                try_join(associations.load::<TaxAssociationRow>(&mut second), rates).await
            }
        };
        let both = try_join(of(TaxedEntity::Customer(customer_id)), of(TaxedEntity::Tenant));
        let ((own, mut rates), (defaults, more)) = session.snapshot(both).await?;
        rates.extend(more);
        decode_basis((own, defaults, rates))
    }
}

struct CreateRate {
    rows: TaxRateRows,
    created: TaxRateEvent,
    claim: Option<CallersClaim>,
}

#[async_trait]
impl Change for CreateRate {
    type Answer = Done<TaxRate>;
    type Refusal = CreateTaxRateError;

    async fn write(&self, mut pg: &AsyncPgConnection) -> Result<Done<TaxRate>, Failure<CreateTaxRateError>> {
        let Self { rows: TaxRateRows { rate: row, event, payload }, created, claim } = self;
        if let Some(rate) = rate_before(pg, claim.as_ref()).await? {
            return Ok(Done::before(rate));
        }
        keep(pg, claim.as_ref(), IdempotencyRow::of_rate(claim.as_ref(), created).as_ref()).await?;
        let inserted = insert_into(tax_rates::table).values(row).on_conflict_do_nothing().execute(&mut pg).await?;
        if inserted == 1 {
            log(pg, event, payload).await?;
            return Ok(Done::now(created.state.clone()));
        }
        let holder = queries::rate_by_code(&row.tenant_id, &row.environment_id, &row.code).select(tax_rates::id);
        match holder.get_result::<String>(&mut pg).await.optional()? {
            Some(holder) => Err(Failure::Refused(taken(&holder))),
            // It was there a moment ago, and is not any more.
            None => Err(Failure::Database(again())),
        }
    }

    async fn is_written(&self, mut pg: &AsyncPgConnection, rate: &Done<TaxRate>) -> QueryResult<bool> {
        if rate.replayed {
            return Ok(true);
        }
        let row = &self.rows.rate;
        let rate = queries::rate_by_id(&row.tenant_id, &row.environment_id, &row.id);
        rate.count().get_result::<i64>(&mut pg).await.map(|count| count == 1)
    }
}

struct CreateDefault {
    row: TaxAssociationRow,
    default: TaxAssociation,
    claim: Option<CallersClaim>,
    record: Option<IdempotencyRow>,
}

#[async_trait]
impl Change for CreateDefault {
    type Answer = Done<TaxAssociation>;
    type Refusal = CreateTaxDefaultError;

    async fn write(&self, mut pg: &AsyncPgConnection) -> Result<Done<TaxAssociation>, Failure<CreateTaxDefaultError>> {
        let Self { row, default, claim, record } = self;
        if let Some(made) = kept_before(pg, claim.as_ref()).await? {
            return Ok(Done::before(made));
        }
        keep(pg, claim.as_ref(), record.as_ref()).await?;
        let rate = queries::rate_by_id(&row.tenant_id, &row.environment_id, &row.tax_rate_id);
        // Locked, so that it is still in use when this is committed.
        let status = rate.select(tax_rates::status).for_share().get_result::<String>(&mut pg).await.optional()?;
        if status.as_deref() != Some(Status::Published.as_str()) {
            return Err(Failure::Refused(CreateTaxDefaultError::UnknownRate));
        }
        let inserted = insert_into(tax_associations::table).values(row).on_conflict_do_nothing();
        if inserted.execute(&mut pg).await? == 1 {
            return Ok(Done::now(default.clone()));
        }
        let others = queries::associations_of(&row.tenant_id, &row.environment_id, &row.entity_type, &row.entity_id);
        let same = others.filter(tax_associations::tax_rate_id.eq(&row.tax_rate_id));
        let same = same.filter(tax_associations::currency_key.eq(&row.currency_key)).select(tax_associations::id);
        match same.get_result::<String>(&mut pg).await.optional()? {
            Some(holder) => Err(Failure::Refused(already_associated(&holder))),
            // It was there a moment ago, and is not any more.
            None => Err(Failure::Database(again())),
        }
    }

    async fn is_written(&self, mut pg: &AsyncPgConnection, made: &Done<TaxAssociation>) -> QueryResult<bool> {
        if made.replayed {
            return Ok(true);
        }
        let Self { row, .. } = self;
        let own = queries::associations_of(&row.tenant_id, &row.environment_id, &row.entity_type, &row.entity_id);
        let own = own.filter(tax_associations::id.eq(&row.id));
        own.count().get_result::<i64>(&mut pg).await.map(|count| count == 1)
    }
}
