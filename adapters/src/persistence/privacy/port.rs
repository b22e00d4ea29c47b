//! The port for erasing customers.

use std::collections::BTreeMap;

use async_trait::async_trait;
use diesel::QueryResult;
use futures_util::FutureExt;
use patron_domain::{
    ids::{CustomerId, DeletionRequestId},
    privacy::{
        CancelDeletion, CategoryCount, DeletionQuery, DeletionRequest, ErasureClaim, KeysUnavailable, NamedSubject,
        NewDeletionRequest, PersonalRecord, PrivacyError, PrivacyRepository, Redaction, RedactionStep, Requested,
        StorageKind, SubjectKey,
    },
    store::StoreError,
    tenancy::{EnvironmentScope, SystemScope},
};

use super::{
    Failed,
    look_ups::{earlier, visible},
    record, redaction,
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
    unit::Reads,
    value::Key,
    writes::Writes,
};

#[async_trait]
impl PrivacyRepository for Store {
    async fn request(&self, scope: &EnvironmentScope, new: NewDeletionRequest) -> Result<Requested, PrivacyError> {
        let environment = self.environment(scope.owner).await?.ok_or(PrivacyError::UnknownCustomer)?;
        // A dry run makes no keys. Before the first request there are none, and nothing that they would recognise.
        let key = match self.subject_key() {
            None if scope.origin.is_dry_run() => SubjectKey::from_bytes([0; 32]),
            key => key.cloned().ok_or(KeysUnavailable)?,
        };
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
            async move { readable(earlier(unit, environment, owner, &key, &subject).await) }.boxed()
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
        let owner = scope.owner;
        let read = self.read(Pace::Snapshot(environment.into()), move |unit| {
            async move { readable(record::of(unit, environment, owner, id).await) }.boxed()
        });
        read.await?
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
                let counts = redaction::preview(unit, environment, &customer).await?;
                Ok::<_, Failed>(Decision::nothing(Some(counts)))
            };
            work.boxed()
        });
        work.await
    }

    async fn claim(&self, _scope: &SystemScope, claim: ErasureClaim) -> Result<Vec<DeletionRequest>, StoreError> {
        let (now, limit) = (claim.now.micros(), i64::from(claim.limit));
        let most_of_one = usize::from(claim.most_of_one);
        let found = self.read(Pace::list(Party::System), move |unit| {
            async move { due(unit, now, limit, most_of_one).await }.boxed()
        });
        let by_environment = found.await?;
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

    async fn redact(&self, _scope: &SystemScope, step: RedactionStep) -> Result<Vec<Redaction>, StoreError> {
        let Some(environment) = self.environment(step.owner).await? else { return Ok(Vec::new()) };
        let redact = self.write(Author::system(), Party::System, move |unit| {
            let step = step.clone();
            async move { redaction::redact(unit, environment, &step).await }.boxed()
        });
        redact.await
    }

    async fn verify(&self, _scope: &SystemScope, step: RedactionStep) -> Result<Vec<DeletionRequest>, StoreError> {
        let Some(environment) = self.environment(step.owner).await? else { return Ok(Vec::new()) };
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

/// Due requests by environment. If one environment has more than its share, the next search leaves it out.
async fn due(unit: &dyn Reads, now: i64, limit: i64, most_of_one: usize) -> QueryResult<BTreeMap<i32, Vec<Key>>> {
    let mut open = unit.environments_awake().await?;
    let mut found: BTreeMap<i32, Vec<Key>> = BTreeMap::new();
    loop {
        let rows = unit.due_deletions(&open, now, limit).await?;
        let is_last = rows.len() < usize::try_from(limit).unwrap_or(usize::MAX);
        let mut of_one: BTreeMap<i32, Vec<Key>> = BTreeMap::new();
        for (environment, id) in rows {
            of_one.entry(environment).or_default().push(id);
        }
        let is_full = |environment: &i32| of_one.get(environment).is_some_and(|ids| ids.len() > most_of_one);
        let others = open.iter().copied().filter(|environment| !is_full(environment));
        let others: Vec<_> = others.collect();
        let nothing_new = others.len() == open.len();
        found.extend(of_one);
        if is_last || nothing_new {
            return Ok(found);
        }
        open = others;
    }
}

/// What a read found, or the error for a row that cannot be read.
fn readable<T>(found: Result<T, Failed>) -> QueryResult<Result<T, StoreError>> {
    match found {
        Ok(found) => Ok(Ok(found)),
        Err(Failure::Refused(error)) => Ok(Err(error)),
        Err(Failure::Database(error)) => Err(error),
    }
}

/// The keys of the installation cannot be opened.
fn sealed() -> StoreError {
    StoreError::Failed { reason: KeysUnavailable.to_string() }
}
