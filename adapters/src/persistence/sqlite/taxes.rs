//! The port for tax rates and associations over SQLite.

use async_trait::async_trait;
use diesel::{insert_into, prelude::*, result::Error, sqlite::Sqlite, update};
use patron_domain::{
    event::TaxRateEvent,
    idempotency::{CallersClaim, Done, IdempotencyClaim},
    ids::{CustomerId, TaxAssociationId, TaxRateId},
    lifecycle::Status,
    page::{Page, PageRequest},
    store::StoreError,
    tax::{
        ChangeTaxDefault, ChangeTaxDefaultError, ChangeTaxRate, ChangeTaxRateError, CreateTaxDefaultError,
        CreateTaxRateError, TaxAssociation, TaxAssociationFilter, TaxBasis, TaxRate, TaxRateFacts, TaxRateFilter,
        TaxRepository, TaxedEntity,
    },
    tenancy::EnvironmentScope,
};

use super::{
    SqliteStore,
    batch::Totals,
    customers::names,
    idempotency::{keep, kept_before, rate_before},
    positions::Positions,
};
use crate::persistence::{
    error::Failure,
    event::{row::EventRow, tax_rate::TaxRateRows},
    idempotency::row::IdempotencyRow,
    page::{Window, page},
    schema::{event_payloads, events, tax_associations, tax_rates},
    tax::{
        association_row::{TaxAssociationRow, already_associated, entity_id},
        decode_basis, lists, queries,
        rate_row::{TaxRateRow, rate_id, taken},
    },
};

#[async_trait]
impl TaxRepository for SqliteStore {
    async fn create_rate(
        &self,
        scope: &EnvironmentScope,
        created: TaxRateEvent,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<TaxRate>, CreateTaxRateError> {
        let mut created = created;
        created.state.owner = scope.owner;
        let rows = TaxRateRows::new(&created)?;
        let claim = CallersClaim::within(scope, claim);
        let create = move |connection: &mut SqliteConnection, totals: &mut Totals| {
            if let Some(rate) = rate_before(connection, claim.as_ref())? {
                return Ok(Done::before(rate));
            }
            let row = &rows.rate;
            let inserted = insert_into(tax_rates::table).values(row).on_conflict_do_nothing().execute(connection)?;
            if inserted == 1 {
                log(connection, &mut totals.positions, &rows)?;
                keep(connection, IdempotencyRow::of_rate(claim.as_ref(), &created).as_ref())?;
                return Ok(Done::now(created.state.clone()));
            }
            let holder = queries::rate_by_code(&row.tenant_id, &row.environment_id, &row.code);
            Err(Failure::Refused(taken(&holder.select(tax_rates::id).get_result::<String>(connection)?)))
        };
        self.writer.write_logged(create).await
    }

    async fn find_rate(&self, scope: &EnvironmentScope, id: TaxRateId) -> Result<Option<TaxRate>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let id = id.to_string();
        let query = move |connection: &mut SqliteConnection| {
            queries::rate_by_id(&tenant, &environment, &id).first::<TaxRateRow>(connection).optional()
        };
        let row = self.readers.read(query).await?;
        row.map(TaxRate::try_from).transpose()
    }

    async fn rates(
        &self,
        scope: &EnvironmentScope,
        filter: &TaxRateFilter,
        page_request: PageRequest,
    ) -> Result<Page<TaxRate>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let (filter, window) = (filter.clone(), Window::from(page_request));
        let query = move |connection: &mut SqliteConnection| {
            connection.transaction::<(Vec<TaxRateRow>, i64), Error, _>(|connection| {
                let all = || lists::rates!(Sqlite, (&tenant, &environment), &filter);
                let rows = lists::in_order!(tax_rates, all(), filter.order, window).load(connection)?;
                Ok((rows, all().count().get_result(connection)?))
            })
        };
        page(self.readers.read(query).await?)
    }

    async fn change_rate(
        &self,
        scope: &EnvironmentScope,
        command: ChangeTaxRate,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<TaxRate>, ChangeTaxRateError> {
        let (claim, scope) = (CallersClaim::within(scope, claim), scope.clone());
        let change = move |connection: &mut SqliteConnection, totals: &mut Totals| {
            change_rate(connection, totals, &scope, command.clone(), claim.as_ref())
        };
        self.writer.write_logged(change).await
    }

    async fn change_default(
        &self,
        scope: &EnvironmentScope,
        command: ChangeTaxDefault,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<TaxAssociation>, ChangeTaxDefaultError> {
        let (claim, scope) = (CallersClaim::within(scope, claim), scope.clone());
        let change = move |connection: &mut SqliteConnection| {
            change_default(connection, &scope, command.clone(), claim.as_ref())
        };
        self.writer.write(change).await
    }

    async fn find_association(
        &self,
        scope: &EnvironmentScope,
        id: TaxAssociationId,
    ) -> Result<Option<TaxAssociation>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let id = id.to_string();
        let query = move |connection: &mut SqliteConnection| {
            queries::association_by_id(&tenant, &environment, &id).first::<TaxAssociationRow>(connection).optional()
        };
        self.readers.read(query).await?.map(TaxAssociation::try_from).transpose()
    }

    async fn create_default(
        &self,
        scope: &EnvironmentScope,
        association: TaxAssociation,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<TaxAssociation>, CreateTaxDefaultError> {
        let default = TaxAssociation { owner: scope.owner, ..association };
        let row = TaxAssociationRow::from(&default);
        let claim = CallersClaim::within(scope, claim);
        let record = IdempotencyRow::kept(claim.as_ref(), &default, default.audit.updated_at)?;
        let create = move |connection: &mut SqliteConnection| {
            if let Some(made) = kept_before(connection, claim.as_ref())? {
                return Ok(Done::before(made));
            }
            let rate = queries::rate_by_id(&row.tenant_id, &row.environment_id, &row.tax_rate_id);
            let status: Option<String> = rate.select(tax_rates::status).get_result(connection).optional()?;
            if status.as_deref() != Some(Status::Published.as_str()) {
                return Err(Failure::Refused(CreateTaxDefaultError::UnknownRate));
            }
            let inserted = insert_into(tax_associations::table).values(&row).on_conflict_do_nothing();
            if inserted.execute(connection)? == 1 {
                keep(connection, record.as_ref())?;
                return Ok(Done::now(default.clone()));
            }
            let others =
                queries::associations_of(&row.tenant_id, &row.environment_id, &row.entity_type, &row.entity_id);
            let same = others.filter(tax_associations::tax_rate_id.eq(&row.tax_rate_id));
            let same = same.filter(tax_associations::currency_key.eq(&row.currency_key)).select(tax_associations::id);
            Err(Failure::Refused(already_associated(&same.get_result::<String>(connection)?)))
        };
        self.writer.write(create).await
    }

    async fn associations(
        &self,
        scope: &EnvironmentScope,
        filter: &TaxAssociationFilter,
        page_request: PageRequest,
    ) -> Result<Page<TaxAssociation>, StoreError> {
        let owner = scope.owner;
        let (tenant, environment) = names(owner);
        let (filter, window) = (filter.clone(), Window::from(page_request));
        let query = move |connection: &mut SqliteConnection| {
            connection.transaction::<(Vec<TaxAssociationRow>, i64), Error, _>(|connection| {
                let all = || lists::associations!(Sqlite, (&tenant, &environment), owner, &filter);
                let rows = lists::in_order!(tax_associations, all(), filter.order, window).load(connection)?;
                Ok((rows, all().count().get_result(connection)?))
            })
        };
        page(self.readers.read(query).await?)
    }

    async fn basis(&self, scope: &EnvironmentScope, customer_id: CustomerId) -> Result<TaxBasis, StoreError> {
        let owner = scope.owner;
        let (tenant, environment) = names(owner);
        let query = move |connection: &mut SqliteConnection| {
            connection.transaction::<_, Error, _>(|connection| {
                let mut rates: Vec<TaxRateRow> = Vec::new();
                let mut of = |entity: TaxedEntity| {
                    let (kind, id) = (entity.kind().as_str(), entity_id(owner, entity));
                    rates.extend(queries::rates_of(&tenant, &environment, kind, &id).load::<TaxRateRow>(connection)?);
                    let associations = queries::associations_of(&tenant, &environment, kind, &id);
                    associations.order(tax_associations::id.asc()).load::<TaxAssociationRow>(connection)
                };
                let (own, defaults) = (of(TaxedEntity::Customer(customer_id))?, of(TaxedEntity::Tenant)?);
                Ok((own, defaults, rates))
            })
        };
        decode_basis(self.readers.read(query).await?)
    }
}

/// Writes the event of a tax rate.
fn log(connection: &mut SqliteConnection, positions: &mut Positions, rows: &TaxRateRows) -> QueryResult<()> {
    let event = EventRow { position: positions.next(connection)?, ..rows.event.clone() };
    insert_into(events::table).values(&event).execute(connection)?;
    insert_into(event_payloads::table).values(&rows.payload).execute(connection)?;
    Ok(())
}

fn change_rate(
    connection: &mut SqliteConnection,
    totals: &mut Totals,
    scope: &EnvironmentScope,
    command: ChangeTaxRate,
    claim: Option<&CallersClaim>,
) -> Result<Done<TaxRate>, Failure<ChangeTaxRateError>> {
    if let Some(rate) = rate_before(connection, claim)? {
        return Ok(Done::before(rate));
    }
    let refused = |error: StoreError| Failure::Refused(error.into());
    let (tenant, environment) = names(scope.owner);
    let id = command.id.to_string();
    let current: Option<TaxRateRow> = queries::rate_by_id(&tenant, &environment, &id).first(connection).optional()?;
    let in_use: Option<String> = queries::uses_of_rate(&tenant, &environment, &id).first(connection).optional()?;
    let holder: Option<String> = match command.wanted_code() {
        None => None,
        Some(code) => {
            let holder = queries::rate_by_code(&tenant, &environment, code.as_str()).select(tax_rates::id);
            holder.first(connection).optional()?
        }
    };
    let facts = TaxRateFacts::new(
        current.map(TaxRate::try_from).transpose().map_err(refused)?,
        in_use.is_some(),
        holder.map(|holder| rate_id(&holder)).transpose().map_err(refused)?,
    );
    let event = command.decide(scope, &facts).map_err(Failure::Refused)?;
    let rows = TaxRateRows::new(&event).map_err(refused)?;
    update(queries::rate_by_id(&tenant, &environment, &id)).set(&rows.rate).execute(connection)?;
    log(connection, &mut totals.positions, &rows)?;
    keep(connection, IdempotencyRow::of_rate(claim, &event).as_ref())?;
    Ok(Done::now(event.state))
}

fn change_default(
    connection: &mut SqliteConnection,
    scope: &EnvironmentScope,
    command: ChangeTaxDefault,
    claim: Option<&CallersClaim>,
) -> Result<Done<TaxAssociation>, Failure<ChangeTaxDefaultError>> {
    if let Some(changed) = kept_before(connection, claim)? {
        return Ok(Done::before(changed));
    }
    let (tenant, environment) = names(scope.owner);
    let id = command.id.to_string();
    let own = || queries::association_by_id(&tenant, &environment, &id);
    let current: Option<TaxAssociationRow> = own().first(connection).optional()?;
    let current = current.map(TaxAssociation::try_from).transpose();
    let current = current.map_err(|error| Failure::Refused(error.into()))?;
    let default = command.decide(scope, current.as_ref()).map_err(Failure::Refused)?;
    let record = IdempotencyRow::kept(claim, &default, default.audit.updated_at);
    let record = record.map_err(|error| Failure::Refused(error.into()))?;
    update(own()).set(TaxAssociationRow::from(&default)).execute(connection)?;
    keep(connection, record.as_ref())?;
    Ok(Done::now(default))
}

#[cfg(test)]
mod tests {
    use diesel::{Connection, QueryableByName, RunQueryDsl, debug_query, sql_query, sql_types::Text, sqlite::Sqlite};

    use super::super::connection::{Role, migrate, open};
    use crate::persistence::tax::queries;

    #[derive(QueryableByName)]
    struct Step {
        #[diesel(sql_type = Text)]
        detail: String,
    }

    #[test]
    fn whether_a_rate_is_in_use_is_a_look_up() {
        let folder = tempfile::tempdir().unwrap();
        let mut connection = open(&folder.path().join("t.db"), Role::Writer).unwrap();
        migrate(&mut connection).unwrap();
        let query = queries::uses_of_rate("t", "e", "r");
        let statement = debug_query::<Sqlite, _>(&query).to_string();
        let statement = statement.split(" -- binds").next().unwrap();
        let plan = format!("EXPLAIN QUERY PLAN {statement}");
        let steps = connection.transaction(|connection| {
            let bound =
                ["t", "e", "r"].iter().fold(sql_query(plan).into_boxed(), |query, text| query.bind::<Text, _>(*text));
            bound.load::<Step>(connection)
        });
        let steps: Vec<String> = steps.unwrap().into_iter().map(|step| step.detail).collect();
        assert!(steps.iter().all(|step| step.contains("COVERING INDEX tax_associations_rate")), "{steps:?}");
    }
}
