//! Changing a customer over SQLite, within the writer's transaction: facts, decision, rows.

use diesel::{delete, insert_into, prelude::*, update};
use patron_domain::{
    customer::{
        ChangeCustomer, ChangeCustomerError, CustomerAggregate, CustomerChanged, CustomerDecision, CustomerFacts,
        Subject, TaxFacts, TaxFactsNeeded,
    },
    lifecycle::{Owner, Status},
    store::StoreError,
    tax::{TaxedEntity, TaxedEntityType},
    tenancy::EnvironmentScope,
};

use super::{
    batch::Totals,
    cached::Cached,
    customers::names,
    idempotency::{customer_before, keep},
};
use crate::persistence::{
    customer::{
        changes::DecisionRows,
        queries,
        row::{CustomerRow, taken},
    },
    error::Failure,
    integration::{self, row::MappingRow},
    page::decode,
    schema::{
        customer_metadata, customers, event_payloads, events, former_external_ids, integration_mappings,
        onboarding_runs, tax_associations,
    },
    tax::{self, association_row::TaxAssociationRow, association_row::entity_id, rate_row::TaxRateRow},
};

type Failed = Failure<ChangeCustomerError>;

/// One change. Refusals come before the first row is written.
///
/// Queries by key are asked without Diesel's `first`: it binds a limit, for which SQLite compiles the statement again.
pub(super) fn change(
    connection: &mut SqliteConnection,
    totals: &mut Totals,
    scope: &EnvironmentScope,
    command: &ChangeCustomer,
) -> Result<CustomerChanged, Failed> {
    let claim = command.claim.as_ref();
    if let Some(event) = customer_before(connection, scope.owner, claim)? {
        return Ok(CustomerChanged { event, replayed: true });
    }
    let workflow = totals.workflows.find(connection, scope.owner, command.workflow_needed())?;
    let facts = facts(connection, scope.owner, command)?.with_workflow(workflow);
    let decision = command.clone().decide(scope, &facts).map_err(Failure::Refused)?;
    let mut rows = DecisionRows::new(&decision, facts.current.as_ref(), claim).map_err(refused)?;
    rows.event.position = totals.positions.next(connection)?;
    write(connection, &rows)?;
    let CustomerDecision { event, .. } = decision;
    totals.counts.note(&rows, event.state.customer.status);
    Ok(CustomerChanged { event, replayed: false })
}

fn refused(error: StoreError) -> Failed {
    Failure::Refused(error.into())
}

/// Looks up what the decision needs.
fn facts(connection: &mut SqliteConnection, owner: Owner, command: &ChangeCustomer) -> Result<CustomerFacts, Failed> {
    let (tenant, environment) = names(owner);
    let row: Option<CustomerRow> = match command.subject() {
        Subject::New => None,
        Subject::Id(id) => {
            let id = id.to_string();
            queries::row_by_id(&tenant, &environment, &id).get_result(connection).optional()?
        }
        Subject::ExternalId(id) => {
            queries::row_by_external_id(&tenant, &environment, id.as_str()).get_result(connection).optional()?
        }
    };
    let current = row.map(|row| aggregate(connection, row)).transpose()?;
    let holder = match command.wanted_external_id(current.as_ref()) {
        None => None,
        Some(wanted) => {
            let holder = queries::id_by_external_id(&tenant, &environment, wanted.as_str());
            let holder: Option<String> = holder.get_result(connection).optional()?;
            holder
                .map(|holder| patron_domain::ids::CustomerId::parse(&holder))
                .transpose()
                .map_err(|_| refused(StoreError::Corrupt { table: "customers", column: "id", row: String::new() }))?
        }
    };
    let taxes = tax_facts(connection, owner, command.tax_facts_needed())?;
    Ok(CustomerFacts::new(current, holder).with_taxes(taxes))
}

/// A customer with everything of it that is not deleted: all of that has the status of the customer.
fn aggregate(connection: &mut SqliteConnection, row: CustomerRow) -> Result<CustomerAggregate, Failed> {
    let (tenant, environment, id) = (row.tenant_id.clone(), row.environment_id.clone(), row.id.clone());
    let kind = TaxedEntityType::Customer.as_str();
    let (mut mappings, mut associations): (Vec<MappingRow>, Vec<TaxAssociationRow>) =
        if row.status == Status::Published.as_str() {
            let mappings = integration::queries::of_customer(&tenant, &environment, &id);
            let associations = tax::queries::associations_of(&tenant, &environment, kind, &id);
            (mappings.load(connection)?, associations.load(connection)?)
        } else {
            let mappings = integration::queries::archived_of_customer(&tenant, &environment, &id);
            let associations = tax::queries::archived_associations_of(&tenant, &environment, kind, &id);
            (mappings.load(connection)?, associations.load(connection)?)
        };
    // Not by the database: it would rather walk the whole environment along the primary key.
    mappings.sort_unstable_by(|one, other| one.id.cmp(&other.id));
    associations.sort_unstable_by(|one, other| one.id.cmp(&other.id));
    Ok(CustomerAggregate::new(
        row.try_into().map_err(refused)?,
        decode(mappings).map_err(refused)?,
        decode(associations).map_err(refused)?,
    ))
}

fn tax_facts(connection: &mut SqliteConnection, owner: Owner, needed: TaxFactsNeeded<'_>) -> Result<TaxFacts, Failed> {
    let (tenant, environment) = names(owner);
    let mut facts = TaxFacts::default();
    match needed {
        TaxFactsNeeded::Nothing => {}
        TaxFactsNeeded::Rates(codes) => {
            // One look-up for each code: a list of codes would be a new statement for each length.
            for code in codes {
                let query = tax::queries::rate_by_code(&tenant, &environment, code.as_str());
                let row: Option<TaxRateRow> = query.get_result(connection).optional()?;
                facts.rates.extend(decode::<_, _, Vec<_>>(row).map_err(refused)?);
            }
        }
        TaxFactsNeeded::Defaults => {
            let (kind, id) = (TaxedEntityType::Tenant.as_str(), entity_id(owner, TaxedEntity::Tenant));
            let query = tax::queries::associations_of(&tenant, &environment, kind, &id);
            let mut rows: Vec<TaxAssociationRow> = query.load(connection)?;
            rows.sort_unstable_by(|one, other| one.id.cmp(&other.id));
            facts.defaults = decode(rows).map_err(refused)?;
        }
    }
    Ok(facts)
}

fn write(connection: &mut SqliteConnection, rows: &DecisionRows) -> Result<(), Failed> {
    let customer = &rows.customer;
    let (tenant, environment) = (&customer.tenant_id, &customer.environment_id);
    if rows.status_before.is_none() {
        // The unique index over the published external ids decides; it is asked first, because most refusals are its.
        let inserted = insert_into(customers::table).values(customer).on_conflict_do_nothing();
        if inserted.execute(connection)? == 0 {
            let holder = queries::id_by_external_id(tenant, environment, &customer.external_id);
            return Err(Failure::Refused(taken(&holder.get_result::<String>(connection)?)));
        }
    } else {
        Cached(update(queries::row_by_id(tenant, environment, &customer.id)).set(customer)).execute(connection)?;
    }
    // What belongs to a new customer is new.
    let may_be_there = rows.status_before.is_some();
    for row in &rows.associations {
        let there = tax::queries::association_by_id(tenant, environment, &row.id);
        if !may_be_there || Cached(update(there).set(row)).execute(connection)? == 0 {
            insert_into(tax_associations::table).values(row).execute(connection)?;
        }
    }
    for row in &rows.mappings {
        let there = integration::queries::same(row);
        if !may_be_there || Cached(update(there).set(row)).execute(connection)? == 0 {
            insert_into(integration_mappings::table).values(row).execute(connection)?;
        }
    }
    if rows.takes_external_id {
        delete(queries::former_holder(tenant, environment, &customer.external_id)).execute(connection)?;
    }
    if let Some(former) = &rows.former_external_id {
        delete(queries::former_holder(tenant, environment, &former.external_id)).execute(connection)?;
        insert_into(former_external_ids::table).values(former).execute(connection)?;
    }
    for pair in &rows.pairs_removed {
        delete(queries::pair(pair)).execute(connection)?;
    }
    for pair in &rows.pairs_added {
        insert_into(customer_metadata::table).values(pair).on_conflict_do_nothing().execute(connection)?;
    }
    insert_into(events::table).values(&rows.event).execute(connection)?;
    insert_into(event_payloads::table).values(&rows.payload).execute(connection)?;
    if let Some(run) = &rows.run {
        insert_into(onboarding_runs::table).values(run).execute(connection)?;
    }
    keep(connection, rows.record.as_ref())?;
    Ok(())
}
