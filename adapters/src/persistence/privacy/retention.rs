//! The port for retention.

use std::collections::HashMap;

use async_trait::async_trait;
use futures_util::FutureExt;
use patron_domain::{
    audit::Act,
    ids::CustomerId,
    lifecycle::Owner,
    privacy::{
        CustomerRetention, DeletionDecision, DeletionFacts, KeysUnavailable, PrivacyError, PutRetention, Retention,
        RetentionSetting, RetentionStep, SubjectKey,
    },
    store::StoreError,
    tenancy::{Actor, EnvironmentScope, SystemScope},
    time::Timestamp,
};

use super::{Failed, look_ups::custom_fields, row::RetentionRow, suppress::Suppressing};
use crate::persistence::{
    audit::Auditing,
    author::Author,
    customer::row::CustomerRow,
    engine::{Decision, Pace},
    error::{Failure, refused},
    party::Party,
    store::Store,
    unit::Reads,
    value::{Document, Key, corrupt},
    writes::Writes,
};

#[async_trait]
impl CustomerRetention for Store {
    async fn setting(&self, scope: &EnvironmentScope) -> Result<Option<RetentionSetting>, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(None) };
        let row = self.read(Pace::LookUp, move |unit| unit.retention(environment).boxed()).await?;
        row.map(|row| row.setting(scope.owner)).transpose()
    }

    async fn put(&self, scope: &EnvironmentScope, put: PutRetention) -> Result<RetentionSetting, PrivacyError> {
        let environment = self.environment_to_write(&scope.origin, scope.owner).await?;
        let auditing = Auditing::of(self, scope).await?;
        let scope = scope.clone();
        let work = self.write(Author::from(&scope), environment, move |unit| {
            let (scope, put, auditing) = (scope.clone(), put.clone(), auditing.clone());
            let work = async move {
                let row = unit.lock_retention(environment).await?;
                let current = row.as_ref().map(|row| row.setting(scope.owner)).transpose();
                let current = current.map_err(|error| Failure::Refused(PrivacyError::from(error)))?;
                let setting = put.decide(&scope, current.clone()).map_err(Failure::Refused)?;
                let mut writes = Writes::default();
                let act = Act::retention_put(current.as_ref(), &setting);
                if act.is_some() {
                    auditing.note(&mut writes, act, put.at);
                    match setting.retention.is_empty() {
                        true => writes.retention_gone.extend(row),
                        false => writes.retention.push(RetentionRow::new(environment, &setting)),
                    }
                }
                Ok(Decision { answer: setting, writes })
            };
            work.boxed()
        });
        work.await
    }

    async fn retained(&self, scope: &EnvironmentScope, limit: u16) -> Result<Vec<(CustomerId, Timestamp)>, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(Vec::new()) };
        let read = self.read(Pace::list(environment), move |unit| unit.retained(environment, limit.into()).boxed());
        let found = read.await?.into_iter().map(|(id, from)| {
            let from = Timestamp::from_micros(from).map_err(|_| corrupt("customers", "retained_from", from))?;
            Ok((id.id(), from))
        });
        found.collect()
    }

    async fn settings(&self, _scope: &SystemScope) -> Result<Vec<(Owner, Retention)>, StoreError> {
        let read = self.read(Pace::list(Party::System), move |unit| {
            let read = async move {
                let mut awake = Vec::new();
                for row in unit.retentions().await? {
                    if !unit.is_suspended(row.environment).await? {
                        awake.push(row);
                    }
                }
                Ok(awake)
            };
            read.boxed()
        });
        let rows = read.await?;
        let owners = self.owners_of(rows.iter().map(|row| row.environment)).await?;
        let setting = |row: RetentionRow| {
            let owner = *owners.get(&row.environment)?;
            Some(row.setting(owner).map(|setting| (owner, setting.retention)))
        };
        rows.into_iter().filter_map(setting).collect()
    }

    async fn request_old(&self, _scope: &SystemScope, step: RetentionStep) -> Result<u64, PrivacyError> {
        let Some(environment) = self.environment(step.owner).await? else { return Ok(0) };
        let key = self.subject_key().cloned().ok_or(KeysUnavailable)?;
        let scope = EnvironmentScope::new(step.owner, Actor::system());
        let auditing = Auditing::of(self, &scope).await?;
        let work = self.write(Author::system(), environment, move |unit| {
            let (scope, step, key, auditing) = (scope.clone(), step.clone(), key.clone(), auditing.clone());
            let work = async move { request_old(unit, environment, &scope, step, (&key, &auditing)).await };
            work.boxed()
        });
        work.await
    }

    async fn forget_former_ids(&self, _scope: &SystemScope, step: RetentionStep) -> Result<u64, StoreError> {
        let Some(environment) = self.environment(step.owner).await? else { return Ok(0) };
        let work = self.write(Author::system(), environment, move |unit| {
            let step = step.clone();
            async move { forget_former_ids(unit, environment, &step).await }.boxed()
        });
        work.await
    }
}

/// Suppresses customers that were archived long ago.
async fn request_old(
    unit: &dyn Reads,
    environment: i32,
    scope: &EnvironmentScope,
    step: RetentionStep,
    (key, auditing): (&SubjectKey, &Auditing),
) -> Result<Decision<u64>, Failure<PrivacyError>> {
    let (owner, mut writes) = (scope.owner, Writes::default());
    // It blocks the erasure of every customer.
    let importing = unit.has_unfinished_import(environment).await?;
    let old = match importing {
        true => Vec::new(),
        false => unit.retained_since(environment, step.before.micros(), step.limit.into()).await?,
    };
    let rows = unit.lock_customers(environment, &old).await?;
    let ids: Vec<Key> = rows.iter().map(|row| row.id).collect();
    let runs = unit.lock_runs(environment, &ids).await?.into_iter().map(|row| (row.customer, row));
    let mut runs: HashMap<Key, _> = runs.collect();
    let fields = custom_fields(unit, owner, environment, None).await?;
    let suppressing = Suppressing { environment, key, auditing, definitions: &fields.definitions };
    let (mut step, mut requested) = (step, 0);
    for row in rows {
        // It may have been restored since the read.
        if row.retained_from.is_none_or(|from| from > step.before.micros()) {
            continue;
        }
        let before = row.aggregate(owner).map_err(refused::<_, PrivacyError>)?;
        let subject = key.tag(owner, before.customer.external_id.as_str());
        let facts = DeletionFacts { customer: Some(before.clone()), earlier: None, subject, importing };
        // A customer whose erasure is blocked is left out.
        let decided = step.request(before.customer.id).decide(scope, facts);
        if let Ok(DeletionDecision::New(suppression)) = decided {
            suppressing.write(&mut writes, &before, *suppression, runs.remove(&row.id));
            requested += 1;
        }
    }
    Ok(Decision { answer: requested, writes })
}

/// Removes former external ids from customers, and the entries by which they find them.
async fn forget_former_ids(unit: &dyn Reads, environment: i32, step: &RetentionStep) -> Result<Decision<u64>, Failed> {
    let (mut writes, mut changed) = (Writes::default(), 0);
    let old = unit.with_former_id(environment, step.before.micros(), step.limit.into()).await?;
    let rows = unit.lock_customers(environment, &old).await?;
    let fields = custom_fields(unit, step.owner, environment, None).await?;
    for row in rows {
        let before = row.aggregate(step.owner).map_err(Failure::Refused)?;
        let Some(now) = before.without_former_ids(step.before) else { continue };
        writes.index(environment, &fields.definitions, Some(&before), Some(&now));
        writes.tokens(environment, Some(&before), Some(&now));
        writes.customers.push(CustomerRow::new(environment, &now, Document::of(&now)));
        changed += 1;
    }
    Ok(Decision { answer: changed, writes })
}
