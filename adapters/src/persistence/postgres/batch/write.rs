//! Writing what was decided about a batch, with a constant number of statements.

use std::collections::{BTreeMap, HashMap, HashSet};

use diesel::{ExpressionMethods, QueryDsl, delete};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::future::{BoxFuture, FutureExt, try_join, try_join_all};
use patron_domain::{customer::ChangeCustomerError, lifecycle::Owner, store::StoreError};

use super::{
    Job, facts,
    plan::{Plan, Verdict},
};
use crate::persistence::{
    customer::{changes::DecisionRows, queries, row::CustomerRow},
    error::Failure,
    postgres::{
        names,
        problem::again,
        statements::{
            AddCounts, AddPairs, CountRow, InsertAssociations, InsertCustomers, InsertEvents, InsertMappings,
            InsertPairs, InsertPayloads, InsertRecords, InsertRuns, RememberExternalIds, UpdateCustomers,
            WriteAssociations, WriteMappings,
        },
    },
    schema::{former_external_ids, idempotency_records},
};

type Failed = Failure<StoreError>;

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// All that is new is sent together.
    AtOnce,
    /// What belongs to new customers waits until these are made.
    Careful,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// It is written. Creates that found their external id taken were taken out of the plan.
    Well,
    /// Sent at once, and an external id was taken: the transaction has to be taken back.
    TakeBack,
}

/// Writes the rows of the plan.
pub(super) async fn write(
    pg: &AsyncPgConnection,
    slot: i32,
    manner: Manner,
    plan: &mut Plan,
    jobs: &[Job],
) -> Result<Written, Failed> {
    if plan.rows.is_empty() {
        return Ok(Written::Well);
    }
    clear(pg, plan).await?;
    // The server runs them in this order, as everybody's: nobody waits in a circle.
    let new = try_join(claim(pg, plan), create(pg, plan));
    if manner == Manner::AtOnce {
        let ((_, lost), ()) = try_join(new, belongings(pg, slot, plan)).await?;
        return Ok(if lost.is_empty() { Written::Well } else { Written::TakeBack });
    }
    let (_, lost) = new.await?;
    if !lost.is_empty() {
        refuse(pg, plan, jobs, lost).await?;
    }
    belongings(pg, slot, plan).await?;
    Ok(Written::Well)
}

/// Makes way for what is new: removes records that are too old to count, and writes the customers that exist, so that an
/// external id they give up is free.
async fn clear(mut pg: &AsyncPgConnection, plan: &Plan) -> Result<(), Failed> {
    for (owner, key) in &plan.outlived {
        let (tenant, environment) = names(*owner);
        let outlived = idempotency_records::table
            .filter(idempotency_records::tenant_id.eq(&tenant))
            .filter(idempotency_records::environment_id.eq(&environment))
            .filter(idempotency_records::key.eq(key));
        delete(outlived).execute(&mut pg).await?;
    }
    let changed = plan.rows.iter().filter(|(_, rows)| rows.status_before.is_some());
    // Of a customer that was changed more than once, the last row is the one.
    let changed: BTreeMap<&str, &CustomerRow> =
        changed.map(|(_, rows)| (rows.customer.id.as_str(), &rows.customer)).collect();
    if !changed.is_empty() {
        UpdateCustomers::new(changed.into_values()).execute(&mut pg).await?;
    }
    Ok(())
}

/// Makes the records of idempotency keys. When another transaction was first, all of the batch is done again: then the
/// record is there to be found.
async fn claim(mut pg: &AsyncPgConnection, plan: &Plan) -> Result<(), Failed> {
    let mut records: Vec<_> = plan.rows.iter().filter_map(|(_, rows)| rows.record.as_ref()).collect();
    if records.is_empty() {
        return Ok(());
    }
    // In one order for everybody, so that nobody waits in a circle.
    records.sort_unstable_by_key(|row| (&row.tenant_id, &row.environment_id, &row.key));
    let count = records.len();
    let made = InsertRecords::new(records).get_results::<String>(&mut pg).await?;
    if made.len() == count { Ok(()) } else { Err(Failure::Database(again())) }
}

/// Makes the new customers. Answers the places of those whose external id is taken.
async fn create(mut pg: &AsyncPgConnection, plan: &Plan) -> Result<Vec<usize>, Failed> {
    let mut new: Vec<(usize, &CustomerRow)> = new_ones(plan).map(|(place, rows)| (*place, &rows.customer)).collect();
    if new.is_empty() {
        return Ok(Vec::new());
    }
    new.sort_unstable_by_key(|(_, row)| (&row.tenant_id, &row.environment_id, &row.external_id));
    let rows = new.iter().map(|(_, row)| *row);
    let made: HashSet<String> = InsertCustomers::new(rows).get_results::<String>(&mut pg).await?.into_iter().collect();
    Ok(new.iter().filter(|(_, row)| !made.contains(&row.id)).map(|(place, _)| *place).collect())
}

fn new_ones(plan: &Plan) -> impl Iterator<Item = &(usize, DecisionRows)> {
    plan.rows.iter().filter(|(_, rows)| rows.status_before.is_none())
}

/// Tells those whose external id is taken who has it, and takes their decisions back.
async fn refuse(mut pg: &AsyncPgConnection, plan: &mut Plan, jobs: &[Job], lost: Vec<usize>) -> Result<(), Failed> {
    let mut wanted: HashMap<Owner, Vec<String>> = HashMap::new();
    let mut keys = Vec::new();
    for (place, rows) in plan.rows.iter().filter(|(place, _)| lost.contains(place)) {
        wanted.entry(jobs[*place].scope.owner).or_default().push(rows.customer.external_id.clone());
        keys.extend(
            rows.record
                .as_ref()
                .map(|record| (record.tenant_id.clone(), record.environment_id.clone(), record.key.clone())),
        );
    }
    let mut found = HashMap::new();
    for (owner, external_ids) in wanted {
        let (tenant, environment) = names(owner);
        for (external_id, id) in facts::holders(&mut pg, &tenant, &environment, external_ids).await? {
            found.insert((owner, external_id), id.map_err(Failure::Refused)?);
        }
    }
    // A refusal leaves the key free.
    for (tenant, environment, key) in keys {
        let own = idempotency_records::table
            .filter(idempotency_records::tenant_id.eq(&tenant))
            .filter(idempotency_records::environment_id.eq(&environment))
            .filter(idempotency_records::key.eq(&key));
        delete(own).execute(&mut pg).await?;
    }
    for place in lost {
        let job = &jobs[place];
        let external_id =
            plan.rows.iter().find(|(at, _)| *at == place).map(|(_, rows)| rows.customer.external_id.clone());
        let holder = external_id.and_then(|external_id| found.get(&(job.scope.owner, external_id)).copied());
        let verdict = match holder {
            Some(existing) if job.command.refuses_existing() => {
                Verdict::Refused(ChangeCustomerError::ExternalIdTaken { existing })
            }
            // Whoever has it will be changed instead; or it was there a moment ago, and is not any more.
            _ => Verdict::Later,
        };
        plan.retract(place, verdict);
    }
    Ok(())
}

/// Writes all that belongs to the customers, sent together.
async fn belongings(pg: &AsyncPgConnection, slot: i32, plan: &Plan) -> Result<(), Failed> {
    let all = || plan.rows.iter().map(|(_, rows)| rows);
    let counts: Vec<CountRow> = plan
        .counts()
        .iter()
        .map(|(tenant, environment, status, count)| CountRow {
            tenant_id: tenant.to_owned(),
            environment_id: environment.to_owned(),
            status: status.to_owned(),
            slot,
            count,
        })
        .collect();
    let events = InsertEvents::new(all().map(|rows| &rows.event));
    let payloads = InsertPayloads::new(all().map(|rows| &rows.payload));
    let counts = (!counts.is_empty()).then(|| AddCounts::new(&counts));

    let (mut a, mut b, mut c) = (pg, pg, pg);
    let mut writes: Vec<BoxFuture<'_, diesel::QueryResult<usize>>> = Vec::with_capacity(7);
    writes.push(of_new(pg, plan).boxed());
    writes.push(of_changed(pg, plan).boxed());
    writes.push(events.execute(&mut a).boxed());
    writes.push(payloads.execute(&mut b).boxed());
    writes.extend(counts.map(|statement| statement.execute(&mut c).boxed()));
    writes.push(external_ids(pg, plan).boxed());
    try_join_all(writes).await?;
    Ok(())
}

/// What belongs to new customers. Nobody else can have any of it.
async fn of_new(pg: &AsyncPgConnection, plan: &Plan) -> diesel::QueryResult<usize> {
    let new = || new_ones(plan).map(|(_, rows)| rows);
    let associations: Vec<_> = new().flat_map(|rows| &rows.associations).collect();
    let mappings: Vec<_> = new().flat_map(|rows| &rows.mappings).collect();
    let mut pairs: Vec<_> = new().flat_map(|rows| &rows.pairs_added).collect();
    // Neighbours in the table one after the other. Two pairs of a customer with one hash share a row.
    pairs.sort_unstable_by_key(|row| (row.pair_hash, &row.customer_id));
    pairs.dedup_by_key(|row| (row.pair_hash, &row.customer_id));
    let runs: Vec<_> = new().filter_map(|rows| rows.run.as_ref()).collect();
    let associations = (!associations.is_empty()).then(|| InsertAssociations::new(associations));
    let mappings = (!mappings.is_empty()).then(|| InsertMappings::new(mappings));
    let pairs = (!pairs.is_empty()).then(|| InsertPairs::new(pairs));
    let runs = (!runs.is_empty()).then(|| InsertRuns::new(runs));

    let (mut a, mut b, mut c, mut d) = (pg, pg, pg, pg);
    let mut writes: Vec<BoxFuture<'_, diesel::QueryResult<usize>>> = Vec::with_capacity(4);
    writes.extend(associations.map(|statement| statement.execute(&mut a).boxed()));
    writes.extend(mappings.map(|statement| statement.execute(&mut b).boxed()));
    writes.extend(pairs.map(|statement| statement.execute(&mut c).boxed()));
    writes.extend(runs.map(|statement| statement.execute(&mut d).boxed()));
    try_join_all(writes).await.map(|written| written.len())
}

/// What belongs to customers that are there already.
async fn of_changed(pg: &AsyncPgConnection, plan: &Plan) -> diesel::QueryResult<usize> {
    let changed = || plan.rows.iter().map(|(_, rows)| rows).filter(|rows| rows.status_before.is_some());
    let associations = last_of_each(changed().flat_map(|rows| &rows.associations), |row| &row.id);
    let mappings = last_of_each(changed().flat_map(|rows| &rows.mappings), |row| &row.id);
    let associations = (!associations.is_empty()).then(|| WriteAssociations::new(associations));
    let mappings = (!mappings.is_empty()).then(|| WriteMappings::new(mappings));

    let (mut a, mut b) = (pg, pg);
    let mut writes: Vec<BoxFuture<'_, diesel::QueryResult<usize>>> = Vec::with_capacity(3);
    writes.extend(associations.map(|statement| statement.execute(&mut a).boxed()));
    writes.extend(mappings.map(|statement| statement.execute(&mut b).boxed()));
    writes.push(pairs(pg, changed()).boxed());
    try_join_all(writes).await.map(|written| written.len())
}

/// Remembers the external ids that were given up, and forgets those that were taken.
async fn external_ids(mut pg: &AsyncPgConnection, plan: &Plan) -> diesel::QueryResult<usize> {
    let mut taken: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for rows in plan.rows.iter().map(|(_, rows)| rows).filter(|rows| rows.takes_external_id) {
        let DecisionRows { customer, .. } = rows;
        let owner = (customer.tenant_id.as_str(), customer.environment_id.as_str());
        taken.entry(owner).or_default().push(&customer.external_id);
    }
    for ((tenant, environment), external_ids) in taken {
        let former = former_external_ids::table
            .filter(former_external_ids::tenant_id.eq(tenant))
            .filter(former_external_ids::environment_id.eq(environment))
            .filter(former_external_ids::external_id.eq_any(external_ids));
        delete(former).execute(&mut pg).await?;
    }
    let given_up = plan.rows.iter().filter_map(|(_, rows)| rows.former_external_id.as_ref());
    let given_up = last_of_each(given_up, |row| (&row.tenant_id, &row.environment_id, &row.external_id));
    if given_up.is_empty() {
        return Ok(0);
    }
    RememberExternalIds::new(given_up).execute(&mut pg).await
}

/// Adds the pairs of metadata that are new to customers that are there already, and removes those that are gone.
async fn pairs<'a>(
    mut pg: &AsyncPgConnection,
    rows: impl Iterator<Item = &'a DecisionRows>,
) -> diesel::QueryResult<usize> {
    let mut changed = BTreeMap::new();
    for rows in rows {
        let gone = rows.pairs_removed.iter().map(|pair| (pair, false));
        let new = rows.pairs_added.iter().map(|pair| (pair, true));
        // Of a pair that was changed more than once, the last change is the one.
        changed.extend(gone.chain(new).map(|(pair, stays)| ((&pair.customer_id, pair.pair_hash), (pair, stays))));
    }
    for (pair, _) in changed.values().filter(|(_, stays)| !stays) {
        delete(queries::pair(pair)).execute(&mut pg).await?;
    }
    let new: Vec<_> = changed.into_values().filter(|(_, stays)| *stays).map(|(pair, _)| pair).collect();
    if new.is_empty() {
        return Ok(0);
    }
    AddPairs::new(new).execute(&mut pg).await
}

/// The last row under each key, in the order of the keys.
fn last_of_each<'a, R, K: Ord>(rows: impl Iterator<Item = &'a R>, key: impl Fn(&'a R) -> K) -> Vec<&'a R> {
    rows.map(|row| (key(row), row)).collect::<BTreeMap<K, &R>>().into_values().collect()
}
