//! Creating a customer over PostgreSQL: facts, decision, rows.

use async_trait::async_trait;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, insert_into};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::future::try_join_all;
use patron_domain::{
    customer::{CreateCustomer, CreateCustomerError, TaxFacts, TaxFactsNeeded},
    event::CustomerEvent,
    lifecycle::Owner,
    store::StoreError,
    tax::{TaxRateCode, TaxedEntity, TaxedEntityType},
    tenancy::EnvironmentScope,
};

use super::{names, problem::again, write::Change};
use crate::persistence::{
    customer::{queries::id_by_external_id, row::taken},
    error::Failure,
    event::{queries::of_customer, row::EventRows},
    page::decode,
    schema::{customers, event_payloads, events, integration_mappings, tax_associations},
    tax::{
        association_row::{TaxAssociationRow, entity_id},
        queries::{associations_of, rate_by_code},
        rate_row::TaxRateRow,
    },
};

pub(super) struct Create {
    pub(super) scope: EnvironmentScope,
    pub(super) command: CreateCustomer,
}

#[async_trait]
impl Change for Create {
    type Answer = CustomerEvent;
    type Refusal = CreateCustomerError;

    async fn write(&self, pg: &AsyncPgConnection) -> Result<CustomerEvent, Failure<CreateCustomerError>> {
        let facts = facts(pg, self.scope.owner, &self.command).await?;
        let event = self.command.clone().decide(&self.scope, &facts).map_err(Failure::Refused)?;
        let rows = EventRows::new(&event).map_err(|error| Failure::Refused(error.into()))?;
        if insert(pg, &rows).await? {
            return Ok(event);
        }
        let customer = &rows.state.customer;
        let holder = id_by_external_id(&customer.tenant_id, &customer.environment_id, &customer.external_id);
        match holder.get_result::<String>(&mut &*pg).await.optional()? {
            Some(holder) => Err(Failure::Refused(taken(&holder))),
            // It was there a moment ago, and is not any more.
            None => Err(Failure::Database(again())),
        }
    }

    async fn is_written(&self, pg: &AsyncPgConnection, event: &CustomerEvent) -> QueryResult<bool> {
        let (tenant, environment) = names(self.scope.owner);
        let (customer, id) = (event.state.customer.id.to_string(), event.id.to_string());
        let events = of_customer(&tenant, &environment, &customer).filter(events::id.eq(&id));
        events.count().get_result::<i64>(&mut &*pg).await.map(|count| count == 1)
    }
}

/// Inserts all rows of a new customer, sent together. `false` when its external id is taken, which the unique index over
/// the published ones decides; then the other rows have to be taken back.
async fn insert(mut pg: &AsyncPgConnection, rows: &EventRows) -> QueryResult<bool> {
    let customer = insert_into(customers::table).values(&rows.state.customer).on_conflict_do_nothing();
    let mut inserts = vec![customer.execute(&mut pg)];
    for association in &rows.state.associations {
        inserts.push(insert_into(tax_associations::table).values(association).execute(&mut pg));
    }
    for mapping in &rows.state.mappings {
        inserts.push(insert_into(integration_mappings::table).values(mapping).execute(&mut pg));
    }
    inserts.push(insert_into(events::table).values(&rows.event).execute(&mut pg));
    inserts.push(insert_into(event_payloads::table).values(&rows.payload).execute(&mut pg));
    let counts = try_join_all(inserts).await?;
    Ok(counts.as_slice().first() == Some(&1))
}

/// Looks up what the decision needs, and locks it: until the commit, no rate and no default is changed or archived.
async fn facts(
    mut pg: &AsyncPgConnection,
    owner: Owner,
    command: &CreateCustomer,
) -> Result<TaxFacts, Failure<CreateCustomerError>> {
    let (tenant, environment) = names(owner);
    let corrupt = |error: StoreError| Failure::Refused(CreateCustomerError::from(error));
    let mut facts = TaxFacts::default();
    match command.tax_facts_needed() {
        TaxFactsNeeded::Nothing => {}
        TaxFactsNeeded::Rates(mut codes) => {
            // Locked in one order by everybody, so that nobody waits in a circle.
            codes.sort_unstable_by_key(|code| TaxRateCode::as_str(code));
            // One look-up for each code, sent together: a list of codes would be a new statement for each length.
            let look_ups = codes.iter().map(|code| {
                let rate = rate_by_code(&tenant, &environment, code.as_str()).for_share();
                rate.load::<TaxRateRow>(&mut pg)
            });
            let found: Vec<_> = look_ups.collect();
            facts.rates = decode(try_join_all(found).await?.into_iter().flatten()).map_err(corrupt)?;
        }
        TaxFactsNeeded::Defaults => {
            let (kind, id) = (TaxedEntityType::Tenant.as_str(), entity_id(owner, TaxedEntity::Tenant));
            let defaults = associations_of(&tenant, &environment, kind, &id);
            let defaults = defaults.order(tax_associations::id.asc()).for_share();
            facts.defaults = decode(defaults.load::<TaxAssociationRow>(&mut pg).await?).map_err(corrupt)?;
        }
    }
    Ok(facts)
}
