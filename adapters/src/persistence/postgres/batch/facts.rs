//! What a whole batch needs, looked up and locked: a few queries for each environment, whatever the number of changes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use diesel::{ExpressionMethods, QueryDsl, QueryResult};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::future::{try_join, try_join_all};
use patron_domain::{
    customer::{CustomerAggregate, Subject, TaxFactsNeeded},
    event::CustomerEvent,
    idempotency::{IdempotencyRecord, Outcome},
    ids::{CustomerId, EventId, WorkflowId},
    lifecycle::{Owner, Status},
    store::StoreError,
    tax::{TaxAssociation, TaxRate, TaxedEntity, TaxedEntityType},
};

use super::Job;
use crate::persistence::{
    column::RowName,
    customer::row::CustomerRow,
    error::Failure,
    event::{self, record::StoredRecord},
    idempotency::row::IdempotencyRow,
    integration::row::MappingRow,
    literal::{Archived, Published},
    onboarding::{
        self,
        workflow_row::{version_id, wanted_name},
    },
    page::decode,
    postgres::names,
    schema::{
        customers, events, idempotency_records, integration_mappings, onboarding_workflows, tax_associations, tax_rates,
    },
    tax::{self, association_row::TaxAssociationRow, association_row::entity_id, rate_row::TaxRateRow},
};

type Failed = Failure<StoreError>;

/// What was looked up for one environment.
#[derive(Default)]
pub(super) struct Facts {
    pub(super) customers: HashMap<CustomerId, CustomerAggregate>,
    /// Which published customers have the external ids that were asked for.
    pub(super) holders: HashMap<String, CustomerId>,
    pub(super) rates: Vec<TaxRate>,
    pub(super) defaults: Vec<TaxAssociation>,
    /// The versions of the workflows that new customers get, by name.
    pub(super) workflows: HashMap<String, WorkflowId>,
    pub(super) records: HashMap<String, IdempotencyRecord>,
    /// The events that records name.
    pub(super) answered: HashMap<EventId, CustomerEvent>,
}

/// What the changes of one environment need, each list in the order in which it is locked.
#[derive(Default)]
struct Needs<'a> {
    ids: BTreeSet<String>,
    external_ids: BTreeSet<&'a str>,
    codes: BTreeSet<&'a str>,
    defaults: bool,
    keys: BTreeSet<&'a str>,
    workflows: BTreeSet<&'a str>,
}

/// Looks up what the changes need, and locks it until the commit.
pub(super) async fn load(pg: &AsyncPgConnection, jobs: &[Job]) -> Result<HashMap<Owner, Facts>, Failed> {
    let mut needs: BTreeMap<(String, String), (Owner, Needs<'_>)> = BTreeMap::new();
    for job in jobs {
        let owner = job.scope.owner;
        let (_, needs) = needs.entry(names(owner)).or_insert_with(|| (owner, Needs::default()));
        needs.add(job);
    }
    let each = needs.iter().map(|((tenant, environment), (owner, needs))| async {
        load_environment(pg, *owner, (tenant, environment), needs).await.map(|facts| (*owner, facts))
    });
    let mut all: HashMap<Owner, Facts> = try_join_all(each).await?.into_iter().collect();
    for ((tenant, environment), (owner, _)) in &needs {
        if let Some(facts) = all.get_mut(owner) {
            load_holders(pg, (tenant, environment), *owner, jobs, facts).await?;
        }
    }
    Ok(all)
}

impl<'a> Needs<'a> {
    fn add(&mut self, job: &'a Job) {
        match job.command.subject() {
            Subject::New => {}
            Subject::Id(id) => drop(self.ids.insert(id.to_string())),
            Subject::ExternalId(external_id) => drop(self.external_ids.insert(external_id.as_str())),
        }
        match job.command.tax_facts_needed() {
            TaxFactsNeeded::Nothing => {}
            TaxFactsNeeded::Defaults => self.defaults = true,
            TaxFactsNeeded::Rates(codes) => self.codes.extend(codes.into_iter().map(|code| code.as_str())),
        }
        self.workflows.extend(wanted_name(job.command.workflow_needed()));
        self.keys.extend(job.command.claim.as_ref().map(|claim| claim.key.as_str()));
    }
}

async fn load_environment(
    pg: &AsyncPgConnection,
    owner: Owner,
    scope: (&str, &str),
    needs: &Needs<'_>,
) -> Result<Facts, Failed> {
    // Sent together, and run by the server in this order: customers, records, rates, defaults. Everybody locks so. Records
    // come after the customers: a repetition that waited for one finds the record of the change it waited for.
    let ((mut rows, more), (records, ((rates, defaults), workflows))) = try_join(
        try_join(by_ids(pg, scope, &needs.ids), by_external_ids(pg, scope, &needs.external_ids)),
        try_join(
            records(pg, scope, &needs.keys),
            try_join(
                try_join(rates(pg, scope, &needs.codes), defaults(pg, scope, owner, needs)),
                workflows(pg, scope, &needs.workflows),
            ),
        ),
    )
    .await?;
    rows.extend(more);
    let mut facts = Facts {
        rates: decode(rates).map_err(Failure::Refused)?,
        defaults: decode(defaults).map_err(Failure::Refused)?,
        ..Facts::default()
    };
    for (name, id) in workflows {
        facts.workflows.insert(name, version_id(&id).map_err(Failure::Refused)?);
    }
    for row in records {
        let key = row.key.clone();
        facts.records.insert(key, row.try_into().map_err(Failure::Refused)?);
    }
    load_answered(pg, scope, owner, &mut facts).await?;
    load_aggregates(pg, scope, rows, &mut facts).await?;
    Ok(facts)
}

async fn records(
    mut pg: &AsyncPgConnection,
    (tenant, environment): (&str, &str),
    keys: &BTreeSet<&str>,
) -> QueryResult<Vec<IdempotencyRow>> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let keys: Vec<&str> = keys.iter().copied().collect();
    let all = idempotency_records::table.filter(idempotency_records::tenant_id.eq(tenant));
    let all = all.filter(idempotency_records::environment_id.eq(environment));
    all.filter(idempotency_records::key.eq_any(keys)).load(&mut pg).await
}

/// The customers that changes name by their ids, locked in the order of these.
async fn by_ids(
    mut pg: &AsyncPgConnection,
    (tenant, environment): (&str, &str),
    ids: &BTreeSet<String>,
) -> QueryResult<Vec<CustomerRow>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let own =
        customers::table.filter(customers::tenant_id.eq(tenant)).filter(customers::environment_id.eq(environment));
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    own.filter(customers::id.eq_any(ids)).order(customers::id.asc()).for_update().load(&mut pg).await
}

/// The published customers that changes name by their external ids, locked in the order of their ids.
async fn by_external_ids(
    mut pg: &AsyncPgConnection,
    (tenant, environment): (&str, &str),
    external_ids: &BTreeSet<&str>,
) -> QueryResult<Vec<CustomerRow>> {
    if external_ids.is_empty() {
        return Ok(Vec::new());
    }
    let own =
        customers::table.filter(customers::tenant_id.eq(tenant)).filter(customers::environment_id.eq(environment));
    let external_ids: Vec<&str> = external_ids.iter().copied().collect();
    let published = own.filter(customers::status.eq(Published)).filter(customers::external_id.eq_any(external_ids));
    published.order(customers::id.asc()).for_update().load(&mut pg).await
}

async fn rates(
    mut pg: &AsyncPgConnection,
    (tenant, environment): (&str, &str),
    codes: &BTreeSet<&str>,
) -> QueryResult<Vec<TaxRateRow>> {
    if codes.is_empty() {
        return Ok(Vec::new());
    }
    let codes: Vec<&str> = codes.iter().copied().collect();
    let own =
        tax_rates::table.filter(tax_rates::tenant_id.eq(tenant)).filter(tax_rates::environment_id.eq(environment));
    let published = own.filter(tax_rates::status.eq(Published)).filter(tax_rates::code.eq_any(codes));
    // Locked, so that no rate is changed or archived before the commit.
    published.order(tax_rates::code.asc()).for_share().load(&mut pg).await
}

async fn defaults(
    mut pg: &AsyncPgConnection,
    (tenant, environment): (&str, &str),
    owner: Owner,
    needs: &Needs<'_>,
) -> QueryResult<Vec<TaxAssociationRow>> {
    if !needs.defaults {
        return Ok(Vec::new());
    }
    let (kind, id) = (TaxedEntityType::Tenant.as_str(), entity_id(owner, TaxedEntity::Tenant));
    let defaults = tax::queries::associations_of(tenant, environment, kind, &id);
    // Put in order here: the planner would rather walk the whole environment along the primary key.
    let mut rows: Vec<TaxAssociationRow> = defaults.for_share().load(&mut pg).await?;
    rows.sort_unstable_by(|one, other| one.id.cmp(&other.id));
    Ok(rows)
}

/// The event of a record, unless it is of what has none.
fn made_by(record: &IdempotencyRecord) -> Option<EventId> {
    match record.outcome {
        Outcome::Event(id) => Some(id),
        Outcome::Kept(_) => None,
    }
}

/// The versions of workflows that new customers get. They are not locked: a version never changes, and which one was there
/// first is a matter of moments.
async fn workflows(
    mut pg: &AsyncPgConnection,
    (tenant, environment): (&str, &str),
    names: &BTreeSet<&str>,
) -> QueryResult<Vec<(String, String)>> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<&str> = names.iter().copied().collect();
    let published = onboarding::queries::workflows_of(tenant, environment);
    let named = published.filter(onboarding_workflows::name.eq_any(names));
    named.select((onboarding_workflows::name, onboarding_workflows::id)).load(&mut pg).await
}

/// The events of requests that were done before.
async fn load_answered(
    mut pg: &AsyncPgConnection,
    (tenant, environment): (&str, &str),
    owner: Owner,
    facts: &mut Facts,
) -> Result<(), Failed> {
    if facts.records.is_empty() {
        return Ok(());
    }
    let ids: Vec<String> = facts.records.values().filter_map(made_by).map(|id| id.to_string()).collect();
    // A key that was used for something else names an event of another kind, which nobody is answered.
    let stored = event::queries::records(tenant, environment).filter(events::id.eq_any(ids));
    for stored in stored.load::<StoredRecord>(&mut pg).await? {
        let event = stored.of(owner).map_err(Failure::Refused)?.into_customer_event();
        facts.answered.extend(event.map(|event| (event.id, event)));
    }
    Ok(())
}

/// Adds to the locked customers what belongs to them and is not deleted: all of that has the status of its customer.
async fn load_aggregates(
    pg: &AsyncPgConnection,
    scope: (&str, &str),
    rows: Vec<CustomerRow>,
    facts: &mut Facts,
) -> Result<(), Failed> {
    let of = |status: Status| -> Vec<&str> {
        rows.iter().filter(|row| row.status == status.as_str()).map(|row| row.id.as_str()).collect()
    };
    let (published, archived) = (of(Status::Published), of(Status::Archived));
    let (now, put_away) =
        try_join(belongings(pg, scope, published, false), belongings(pg, scope, archived, true)).await?;
    let mut mapping_rows: Vec<MappingRow> = now.0.into_iter().chain(put_away.0).collect();
    mapping_rows.sort_unstable_by(|one, other| one.id.cmp(&other.id));
    let mut mappings: HashMap<String, Vec<MappingRow>> = HashMap::new();
    for row in mapping_rows {
        mappings.entry(row.customer_id.clone()).or_default().push(row);
    }
    let mut associations: HashMap<String, Vec<TaxAssociationRow>> = HashMap::new();
    let mut association_rows: Vec<TaxAssociationRow> = now.1.into_iter().chain(put_away.1).collect();
    association_rows.sort_unstable_by(|one, other| one.id.cmp(&other.id));
    for row in association_rows {
        associations.entry(row.entity_id.clone()).or_default().push(row);
    }
    for row in rows {
        let mappings = mappings.remove(&row.id).unwrap_or_default();
        let associations = associations.remove(&row.id).unwrap_or_default();
        let aggregate = CustomerAggregate::new(
            row.try_into().map_err(Failure::Refused)?,
            decode(mappings).map_err(Failure::Refused)?,
            decode(associations).map_err(Failure::Refused)?,
        );
        facts.customers.insert(aggregate.customer.id, aggregate);
    }
    Ok(())
}

type Belongings = (Vec<MappingRow>, Vec<TaxAssociationRow>);

async fn belongings(
    pg: &AsyncPgConnection,
    (tenant, environment): (&str, &str),
    customers: Vec<&str>,
    archived: bool,
) -> QueryResult<Belongings> {
    if customers.is_empty() {
        return Ok(Belongings::default());
    }
    let (mut first, mut second) = (pg, pg);
    let mappings = integration_mappings::table
        .filter(integration_mappings::tenant_id.eq(tenant))
        .filter(integration_mappings::environment_id.eq(environment))
        .filter(integration_mappings::customer_id.eq_any(customers.clone()));
    let associations = tax_associations::table
        .filter(tax_associations::tenant_id.eq(tenant))
        .filter(tax_associations::environment_id.eq(environment))
        .filter(tax_associations::entity_type.eq(TaxedEntityType::Customer.as_str()))
        .filter(tax_associations::entity_id.eq_any(customers));
    if archived {
        let mappings = mappings.filter(integration_mappings::status.eq(Archived));
        let associations = associations.filter(tax_associations::status.eq(Archived));
        try_join(mappings.load(&mut first), associations.load(&mut second)).await
    } else {
        let mappings = mappings.filter(integration_mappings::status.eq(Published));
        let associations = associations.filter(tax_associations::status.eq(Published));
        try_join(mappings.load(&mut first), associations.load(&mut second)).await
    }
}

/// Who has the external ids that changes would give to customers that exist.
async fn load_holders(
    mut pg: &AsyncPgConnection,
    (tenant, environment): (&str, &str),
    owner: Owner,
    jobs: &[Job],
    facts: &mut Facts,
) -> Result<(), Failed> {
    let mut wanted = BTreeSet::new();
    for job in jobs.iter().filter(|job| job.scope.owner == owner) {
        if let Subject::Id(id) = job.command.subject() {
            let wanted_here = job.command.wanted_external_id(facts.customers.get(&id));
            wanted.extend(wanted_here.map(|external_id| external_id.as_str().to_owned()));
        }
    }
    if wanted.is_empty() {
        return Ok(());
    }
    let wanted: Vec<String> = wanted.into_iter().collect();
    for (external_id, id) in holders(&mut pg, tenant, environment, wanted).await? {
        facts.holders.insert(external_id, id.map_err(Failure::Refused)?);
    }
    Ok(())
}

/// The published customers with these external ids.
pub(super) async fn holders(
    pg: &mut &AsyncPgConnection,
    tenant: &str,
    environment: &str,
    external_ids: Vec<String>,
) -> QueryResult<Vec<(String, Result<CustomerId, StoreError>)>> {
    let own =
        customers::table.filter(customers::tenant_id.eq(tenant)).filter(customers::environment_id.eq(environment));
    let published = own.filter(customers::status.eq(Published)).filter(customers::external_id.eq_any(external_ids));
    let found = published.select((customers::external_id, customers::id)).load::<(String, String)>(pg).await?;
    let parsed = |(external_id, id): (String, String)| {
        let named = RowName { table: "customers", id: &id };
        let id = named.column("id", CustomerId::parse(&id));
        (external_id, id)
    };
    Ok(found.into_iter().map(parsed).collect())
}
