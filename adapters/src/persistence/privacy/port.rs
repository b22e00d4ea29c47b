//! The port for erasing customers.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures_util::FutureExt;
use patron_domain::{
    ids::{CustomerId, DeletionRequestId},
    privacy::{
        CancelDeletion, CategoryCount, DeletionQuery, DeletionRequest, ErasureClaim, KeysUnavailable, NamedSubject,
        NewDeletionRequest, PersonalRecord, PrivacyError, PrivacyRepository, Redaction, RedactionStep, Requested,
        StorageKind,
    },
    store::StoreError,
    tenancy::{EnvironmentScope, SystemScope},
    time::Timestamp,
};

use super::{
    Failed,
    look_ups::{earlier, visible},
    places::{Place, Subject},
    redaction,
    row::DeletionRow,
    suppress,
};
use crate::persistence::{
    audit::Auditing,
    author::Author,
    engine::{Decision, Pace},
    error::Failure,
    party::Party,
    store::Store,
    value::{Key, corrupt},
    writes::Writes,
};

/// The number of groups that are read of due requests, because an environment may have more than its share of one.
const GROUPS: i64 = 8;

#[async_trait]
impl PrivacyRepository for Store {
    async fn request(&self, scope: &EnvironmentScope, new: NewDeletionRequest) -> Result<Requested, PrivacyError> {
        let environment = self.environment(scope.owner).await?.ok_or(PrivacyError::UnknownCustomer)?;
        let key = self.subject_key().cloned().ok_or(KeysUnavailable)?;
        let auditing = Auditing::of(self, scope).await?;
        let scope = scope.clone();
        let work = self.write(Author::from(&scope), environment, move |unit| {
            let (scope, new, key, auditing) = (scope.clone(), new.clone(), key.clone(), auditing.clone());
            async move { suppress::suppress(unit, environment, &scope, new, (&key, &auditing)).await }.boxed()
        });
        work.await
    }

    async fn find(
        &self,
        scope: &EnvironmentScope,
        id: DeletionRequestId,
    ) -> Result<Option<DeletionRequest>, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(None) };
        let row = self.read(Pace::LookUp, move |unit| unit.deletion(environment, id.into()).boxed()).await?;
        row.map(|row| row.request(scope.owner)).transpose()
    }

    async fn about(
        &self,
        scope: &EnvironmentScope,
        subject: NamedSubject,
    ) -> Result<Option<DeletionRequest>, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(None) };
        let key = self.subject_key().cloned().ok_or_else(sealed)?;
        let owner = scope.owner;
        let read = self.read(Pace::LookUp, move |unit| {
            let read = async move {
                match earlier(unit, environment, owner, &key, &subject).await {
                    Ok(request) => Ok(Ok(request)),
                    Err(Failure::Refused(error)) => Ok(Err(error)),
                    Err(Failure::Database(error)) => Err(error),
                }
            };
            read.boxed()
        });
        read.await?
    }

    async fn requests(
        &self,
        scope: &EnvironmentScope,
        query: DeletionQuery,
    ) -> Result<Vec<DeletionRequest>, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(Vec::new()) };
        let read = self.read(Pace::list(environment), move |unit| {
            async move { unit.deletions(environment, &query).await }.boxed()
        });
        read.await?.iter().map(|row| row.request(scope.owner)).collect()
    }

    async fn cancel(
        &self,
        scope: &EnvironmentScope,
        id: DeletionRequestId,
        cancel: CancelDeletion,
    ) -> Result<DeletionRequest, PrivacyError> {
        let environment = self.environment(scope.owner).await?.ok_or(PrivacyError::UnknownRequest)?;
        let auditing = Auditing::of(self, scope).await?;
        let scope = scope.clone();
        let work = self.write(Author::from(&scope), environment, move |unit| {
            let (scope, auditing) = (scope.clone(), auditing.clone());
            let cancel = (id, cancel.clone());
            async move { suppress::cancel(unit, environment, &scope, cancel, &auditing).await }.boxed()
        });
        work.await
    }

    async fn record(&self, scope: &EnvironmentScope, id: CustomerId) -> Result<Option<PersonalRecord>, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(None) };
        let read = self.read(Pace::Snapshot(environment.into()), move |unit| {
            let read = async move {
                let (key, entity) = (Key::from(id), id.to_string());
                let Some(document) = unit.document(environment, key).await? else { return Ok(None) };
                let run = unit.run(environment, key).await?;
                let mut deliveries = unit.answered(environment, &entity).await?;
                deliveries.extend(unit.waiting_about(environment, &entity).await?);
                let requests = unit.deletions_about(environment, key).await?;
                Ok(Some((document, run, deliveries, requests, unit.kept_about(environment, key).await?)))
            };
            read.boxed()
        });
        let Some((document, run, deliveries, requests, kept)) = read.await? else { return Ok(None) };
        let owner = scope.owner;
        let mut deliveries = deliveries.into_iter().map(|row| row.delivery(owner)).collect::<Result<Vec<_>, _>>()?;
        deliveries.sort_by_key(|delivery| (delivery.position, delivery.id));
        deliveries.dedup_by_key(|delivery| delivery.id);
        let kept_answers = kept.into_iter().map(Timestamp::from_micros).collect::<Result<Vec<_>, _>>();
        Ok(Some(PersonalRecord {
            customer: document.read(owner, id)?,
            run: run.map(|row| row.run(owner)).transpose()?,
            deliveries,
            requests: requests.iter().map(|row| row.request(owner)).collect::<Result<Vec<_>, _>>()?,
            kept_answers: kept_answers.map_err(|_| corrupt("kept_answers", "at", id))?,
        }))
    }

    async fn personal_data(
        &self,
        scope: &EnvironmentScope,
        subject: NamedSubject,
    ) -> Result<Option<Vec<CategoryCount>>, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(None) };
        let owner = scope.owner;
        let work = self.write(Author::from(scope), environment, move |unit| {
            let subject = subject.clone();
            let work = async move {
                let customer = visible(unit, environment, owner, &subject).await?;
                let Some(customer) = customer else { return Ok(Decision::nothing(None)) };
                let run = unit.run(environment, customer.customer.id.into()).await?.map(|row| row.document);
                let subject = Subject::visible(environment, &customer, run);
                let mut counts = Vec::new();
                for place in Place::ALL {
                    let redacted = place.count(unit, &subject).await?;
                    counts.push(CategoryCount { category: place.category(), redacted, left: None });
                }
                Ok::<_, Failed>(Decision::nothing(Some(counts)))
            };
            work.boxed()
        });
        work.await
    }

    async fn claim(&self, _scope: &SystemScope, claim: ErasureClaim) -> Result<Vec<DeletionRequest>, StoreError> {
        let now = claim.now.micros();
        let limit = i64::from(claim.limit) * GROUPS;
        let found = self.read(Pace::list(Party::System), move |unit| {
            let find = async move {
                let awake = unit.environments_awake().await?;
                unit.due_deletions(&awake, now, limit).await
            };
            find.boxed()
        });
        let mut by_environment: BTreeMap<i32, Vec<Key>> = BTreeMap::new();
        for (environment, id) in found.await? {
            by_environment.entry(environment).or_default().push(id);
        }
        if by_environment.is_empty() {
            return Ok(Vec::new());
        }
        let owners = self.owners_of(by_environment.keys().copied()).await?;
        let mut claimed: Vec<DeletionRequest> = Vec::new();
        for (environment, mut ids) in by_environment {
            let Some(owner) = owners.get(&environment).copied() else { continue };
            let left = usize::from(claim.limit).saturating_sub(claimed.len());
            ids.truncate(left.min(claim.room_for(owner).into()));
            if ids.is_empty() {
                continue;
            }
            let claim = claim.clone();
            let take = self.write(Author::system(), Party::System, move |unit| {
                let (ids, claim) = (ids.clone(), claim.clone());
                let take = async move {
                    let (mut requests, mut writes) = (Vec::new(), Writes::default());
                    for row in unit.lock_deletions(environment, &ids).await? {
                        // Another server may have taken it since the read.
                        if row.due_at.is_some_and(|at| at <= now) {
                            let request = row.request(owner).map_err(Failure::Refused)?.begun(claim.now);
                            writes.deletions.push(DeletionRow::held(environment, &request, &claim.holder, claim.until));
                            requests.push(request);
                        }
                    }
                    Ok::<_, Failed>(Decision { answer: requests, writes })
                };
                take.boxed()
            });
            claimed.extend(take.await?);
        }
        Ok(claimed)
    }

    async fn redact(&self, _scope: &SystemScope, step: RedactionStep) -> Result<Option<Redaction>, StoreError> {
        let Some(environment) = self.environment(step.owner).await? else { return Ok(None) };
        let redact = self.write(Author::system(), Party::System, move |unit| {
            let step = step.clone();
            async move { redaction::redact(unit, environment, &step).await }.boxed()
        });
        Ok(redact.await?.map(|(request, more)| Redaction { request, more }))
    }

    async fn verify(&self, _scope: &SystemScope, step: RedactionStep) -> Result<Option<DeletionRequest>, StoreError> {
        let Some(environment) = self.environment(step.owner).await? else { return Ok(None) };
        let verify = self.write(Author::system(), environment, move |unit| {
            let step = step.clone();
            async move { redaction::verify(unit, environment, &step).await }.boxed()
        });
        verify.await
    }

    async fn forget(&self, _scope: &SystemScope) -> Result<(), StoreError> {
        self.engine.forget().await
    }

    fn storage(&self) -> StorageKind {
        self.engine.storage()
    }
}

/// The keys of the installation cannot be opened.
fn sealed() -> StoreError {
    StoreError::Failed { reason: KeysUnavailable.to_string() }
}
