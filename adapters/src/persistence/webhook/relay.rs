//! The relay's statements: leases, and the outcome of its rounds.
//!
//! Work is found in all environments without locks. It is then taken in one transaction for each environment, and the
//! locks of the endpoints decide which server gets it.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use diesel::QueryResult;
use futures_util::FutureExt;
use patron_domain::{
    event::EventPosition,
    ids::{CustomerId, WebhookEndpointId},
    store::StoreError,
    time::Timestamp,
    webhook::{Disabled, LeaseClaim, RoundRecord, WebhookEndpoint},
};

use super::row::{DeliveryRow, EndpointRow};
use crate::persistence::{
    author::Author,
    engine::{Decision, Pace},
    error::Failure,
    metrics,
    party::Party,
    store::Store,
    unit::Reads,
    value::Key,
    writes::Writes,
};

/// The most endpoints with work among which the relay chooses.
const CANDIDATES: i64 = 10_000;

impl Store {
    /// Takes leases of endpoints that have work.
    pub(super) async fn claim_endpoints(&self, claim: LeaseClaim) -> Result<Vec<WebhookEndpoint>, StoreError> {
        let (holder, now) = (claim.holder.clone(), claim.now.micros());
        // Usually there is no work, which this read shows without a transaction.
        let found = self.read(Pace::list(Party::System), move |unit| {
            let find = async move {
                let all = unit.environments_awake().await?;
                unit.endpoints_with_work(&all, &holder, now, CANDIDATES).await
            };
            find.boxed()
        });
        let serving: HashSet<Key> = claim.serving.iter().map(|(id, _)| Key::from(*id)).collect();
        let waiting: Vec<_> = found.await?.into_iter().filter(|(_, id)| !serving.contains(id)).collect();
        if waiting.is_empty() {
            return Ok(Vec::new());
        }
        let mut served = Vec::with_capacity(claim.serving.len());
        for (_, owner) in &claim.serving {
            served.extend(self.environment(*owner).await?);
        }
        let mut by_environment: BTreeMap<i32, Vec<Key>> = BTreeMap::new();
        for (environment, id) in claim.choose(served, waiting) {
            by_environment.entry(environment).or_default().push(id);
        }
        if by_environment.is_empty() {
            return Ok(Vec::new());
        }
        let owners = self.owners_of(by_environment.keys().copied()).await?;
        let mut claimed = Vec::new();
        for (environment, ids) in by_environment {
            let Some(owner) = owners.get(&environment) else { continue };
            for row in self.take_leases(environment, ids, &claim).await? {
                claimed.push(row.endpoint(*owner)?);
            }
        }
        Ok(claimed)
    }

    /// Takes the leases of the endpoints of one environment that are still free.
    async fn take_leases(
        &self,
        environment: i32,
        ids: Vec<Key>,
        claim: &LeaseClaim,
    ) -> Result<Vec<EndpointRow>, StoreError> {
        let (holder, now, until) = (claim.holder.clone(), claim.now.micros(), claim.until.micros());
        let take = self.write(Author::system(), Party::System, move |unit| {
            let (ids, holder) = (ids.clone(), holder.clone());
            let take = async move {
                let mut rows = unit.lock_endpoints(environment, &ids).await?;
                rows.retain(|row| row.is_free_for(&holder, now));
                for row in &mut rows {
                    (row.lease_holder, row.lease_until) = (Some(holder.clone()), Some(until));
                }
                let writes = Writes { endpoints: rows.clone(), ..Writes::default() };
                Ok::<_, Failure<StoreError>>(Decision { answer: rows, writes })
            };
            take.boxed()
        });
        take.await
    }

    /// Extends a lease, if the holder still has it.
    pub(super) async fn renew_lease(
        &self,
        id: WebhookEndpointId,
        holder: String,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let known = self.read(Pace::LookUp, move |unit| unit.any_endpoint(id.into()).boxed()).await?;
        let Some(EndpointRow { environment, .. }) = known else { return Ok(false) };
        let renew = self.write(Author::system(), Party::System, move |unit| {
            let holder = holder.clone();
            let renew = async move {
                let row = unit.lock_endpoint(environment, id.into()).await?;
                let held = row.filter(|row| row.is_held_by(&holder) && row.disabled == 0);
                let Some(row) = held else { return Ok(Decision::nothing(false)) };
                if unit.is_suspended(environment).await? {
                    return Ok(Decision::nothing(false));
                }
                let renewed = EndpointRow { lease_until: Some(until.micros()), ..row };
                let writes = Writes { endpoints: vec![renewed], ..Writes::default() };
                Ok::<_, Failure<StoreError>>(Decision { answer: true, writes })
            };
            renew.boxed()
        });
        renew.await
    }

    /// Writes a round: deliveries, position and health together, if the holder still has the lease.
    pub(super) async fn record_round(&self, record: RoundRecord) -> Result<bool, StoreError> {
        let Some(environment) = self.environment(record.owner).await? else { return Ok(false) };
        let rows = record.fresh.iter().chain(&record.changed);
        let rows: Vec<_> = rows.map(|delivery| DeliveryRow::new(environment, delivery)).collect();
        let write = self.write(Author::system(), environment, move |unit| {
            let (record, rows) = (record.clone(), rows.clone());
            let write = async move {
                let row = unit.lock_endpoint(environment, record.endpoint_id.into()).await?;
                let Some(row) = row.filter(|row| row.is_held_by(&record.holder)) else {
                    return Ok(Decision::nothing(false));
                };
                let last = unit.last_position(environment).await?.unwrap_or_default();
                let place = record.position.position();
                let found = unit.event_id_at(environment, place.stored()).await?;
                let last = EventPosition::from_stored(last).unwrap_or_default();
                if record.position.was_taken_back(last, found.map(Key::id)) {
                    metrics::log_taken_back("endpoint");
                    tracing::warn!(
                        endpoint = %record.endpoint_id,
                        position = %place,
                        "the log was taken back, so a webhook endpoint continues from its stored position"
                    );
                    return Ok(Decision::nothing(false));
                }
                let mut endpoint = row.endpoint(record.owner).map_err(Failure::Refused)?;
                endpoint.health = record.health;
                if let Some(reason) = record.disabled.filter(|_| endpoint.disabled.is_none()) {
                    endpoint.disabled = Some(Disabled { reason, at: record.at });
                }
                let mut rows = rows;
                forget_answers(unit, environment, &mut rows).await?;
                let mut until = record.lease_until.map(Timestamp::micros);
                if until.is_some() && unit.is_suspended(environment).await? {
                    // The results of the round are saved, and no further round begins.
                    until = None;
                }
                let changed = EndpointRow {
                    position: record.position.position().stored(),
                    lease_holder: until.map(|_| record.holder),
                    lease_until: until,
                    ..row.changed(&endpoint)
                };
                let writes = Writes { endpoints: vec![changed], deliveries: rows, ..Writes::default() };
                Ok::<_, Failure<StoreError>>(Decision { answer: true, writes })
            };
            write.boxed()
        });
        write.await
    }
}

/// Drops answers about customers whose redaction has begun. A round may end long after it began.
async fn forget_answers(unit: &dyn Reads, environment: i32, rows: &mut [DeliveryRow]) -> QueryResult<()> {
    let customer = |row: &DeliveryRow| CustomerId::parse(&row.entity).ok().map(Key::from);
    let answered = rows.iter().filter(|row| row.last_answer.is_some());
    let customers: BTreeSet<Key> = answered.filter_map(customer).collect();
    if customers.is_empty() {
        return Ok(());
    }
    let erased = unit.erased_among(environment, &customers.into_iter().collect::<Vec<_>>()).await?;
    for row in rows.iter_mut().filter(|row| customer(row).is_some_and(|id| erased.contains(&id))) {
        row.last_answer = None;
    }
    Ok(())
}
