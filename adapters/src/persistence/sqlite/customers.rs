//! The port for customers over SQLite.

use async_trait::async_trait;
use diesel::{insert_into, prelude::*};
use patron_domain::{
    customer::{
        CreateCustomer, CreateCustomerError, CustomerRecord, CustomerRepository, ExternalId, MappingFilter, TaxFacts,
        TaxFactsNeeded,
    },
    event::CustomerEvent,
    ids::CustomerId,
    integration::IntegrationMapping,
    lifecycle::Owner,
    store::{Page, PageRequest, StoreError},
    tax::{TaxedEntity, TaxedEntityType},
    tenancy::EnvironmentScope,
};

use super::SqliteStore;
use crate::persistence::{
    customer::{self, row::record},
    error::Failure,
    event::{self, row::EventRows},
    integration::{self, row::MappingRow},
    page::{Window, decode, page},
    schema::{customers, event_payloads, events, integration_mappings, tax_associations},
    tax::{self, association_row::TaxAssociationRow, association_row::entity_id, rate_row::TaxRateRow},
};

#[async_trait]
impl CustomerRepository for SqliteStore {
    async fn create(
        &self,
        scope: &EnvironmentScope,
        command: CreateCustomer,
    ) -> Result<CustomerEvent, CreateCustomerError> {
        let scope = scope.clone();
        self.writer.write(move |connection| create(connection, &scope, command)).await
    }

    async fn find(&self, scope: &EnvironmentScope, id: CustomerId) -> Result<Option<CustomerRecord>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let id = id.to_string();
        let rows =
            self.readers.read(move |connection| customer::queries::by_id(&tenant, &environment, &id).load(connection));
        record(rows.await?)
    }

    async fn find_by_external_id(
        &self,
        scope: &EnvironmentScope,
        external_id: &ExternalId,
    ) -> Result<Option<CustomerRecord>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let id = external_id.as_str().to_owned();
        let query = move |connection: &mut SqliteConnection| {
            customer::queries::by_external_id(&tenant, &environment, &id).load(connection)
        };
        record(self.readers.read(query).await?)
    }

    async fn mappings(
        &self,
        scope: &EnvironmentScope,
        filter: &MappingFilter,
        page_request: PageRequest,
    ) -> Result<Page<IntegrationMapping>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let filter = filter.clone();
        let window = Window::from(page_request);
        let query = move |connection: &mut SqliteConnection| {
            connection.transaction::<(Vec<MappingRow>, i64), diesel::result::Error, _>(|connection| match &filter {
                MappingFilter::Customer(id) => {
                    let id = id.to_string();
                    let all = || integration::queries::of_customer(&tenant, &environment, &id);
                    let ordered = all().order(integration::queries::newest_first());
                    let rows = ordered.limit(window.limit).offset(window.offset).load(connection)?;
                    Ok((rows, all().count().get_result(connection)?))
                }
                MappingFilter::Provider { provider_type, provider_entity_id } => {
                    let (kind, id) = (provider_type.as_str(), provider_entity_id.as_str());
                    let all = || integration::queries::to_provider(&tenant, &environment, kind, id);
                    let ordered = all().order(integration::queries::newest_first());
                    let rows = ordered.limit(window.limit).offset(window.offset).load(connection)?;
                    Ok((rows, all().count().get_result(connection)?))
                }
            })
        };
        page(self.readers.read(query).await?)
    }

    async fn history(
        &self,
        scope: &EnvironmentScope,
        id: CustomerId,
        page_request: PageRequest,
    ) -> Result<Page<CustomerEvent>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let id = id.to_string();
        let window = Window::from(page_request);
        let query = move |connection: &mut SqliteConnection| {
            connection.transaction::<(Vec<event::row::StoredEvent>, i64), diesel::result::Error, _>(|connection| {
                let all = event::queries::history(&tenant, &environment, &id);
                let rows = all.limit(window.limit).offset(window.offset).load(connection)?;
                let total = event::queries::of_customer(&tenant, &environment, &id).count().get_result(connection)?;
                Ok((rows, total))
            })
        };
        page(self.readers.read(query).await?)
    }
}

/// One create within the writer's transaction: facts, decision, rows.
fn create(
    connection: &mut SqliteConnection,
    scope: &EnvironmentScope,
    command: CreateCustomer,
) -> Result<CustomerEvent, Failure<CreateCustomerError>> {
    let facts = facts(connection, scope.owner, &command)?;
    let event = command.decide(scope, &facts).map_err(Failure::Refused)?;
    let rows = EventRows::new(&event).map_err(|error| Failure::Refused(error.into()))?;
    // The unique index over the published external ids decides; it is asked first, because most refusals are its.
    let inserted = insert_into(customers::table).values(&rows.state.customer).on_conflict_do_nothing();
    if inserted.execute(connection)? == 0 {
        let customer = &rows.state.customer;
        let (tenant, environment) = (&customer.tenant_id, &customer.environment_id);
        let holder = customer::queries::id_by_external_id(tenant, environment, &customer.external_id);
        return Err(Failure::Refused(customer::row::taken(&holder.get_result::<String>(connection)?)));
    }
    for association in &rows.state.associations {
        insert_into(tax_associations::table).values(association).execute(connection)?;
    }
    for mapping in &rows.state.mappings {
        insert_into(integration_mappings::table).values(mapping).execute(connection)?;
    }
    insert_into(events::table).values(&rows.event).execute(connection)?;
    insert_into(event_payloads::table).values(&rows.payload).execute(connection)?;
    Ok(event)
}

/// Looks up what the decision needs.
fn facts(
    connection: &mut SqliteConnection,
    owner: Owner,
    command: &CreateCustomer,
) -> Result<TaxFacts, Failure<CreateCustomerError>> {
    let (tenant, environment) = names(owner);
    let corrupt = |error: StoreError| Failure::Refused(CreateCustomerError::from(error));
    let mut facts = TaxFacts::default();
    match command.tax_facts_needed() {
        TaxFactsNeeded::Nothing => {}
        TaxFactsNeeded::Rates(codes) => {
            // One look-up for each code: a list of codes would be a new statement for each length.
            for code in codes {
                let query = tax::queries::rate_by_code(&tenant, &environment, code.as_str());
                let row: Option<TaxRateRow> = query.first(connection).optional()?;
                facts.rates.extend(decode::<_, _, Vec<_>>(row).map_err(corrupt)?);
            }
        }
        TaxFactsNeeded::Defaults => {
            let (kind, id) = (TaxedEntityType::Tenant.as_str(), entity_id(owner, TaxedEntity::Tenant));
            let query = tax::queries::associations_of(&tenant, &environment, kind, &id);
            let rows: Vec<TaxAssociationRow> = query.order(tax_associations::id.asc()).load(connection)?;
            facts.defaults = decode(rows).map_err(corrupt)?;
        }
    }
    Ok(facts)
}

/// The columns every query starts with.
pub(super) fn names(owner: Owner) -> (String, String) {
    (owner.tenant_id.to_string(), owner.environment_id.to_string())
}
