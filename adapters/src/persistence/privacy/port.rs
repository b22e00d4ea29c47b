//! The port for erasing customers.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures_util::FutureExt;
use patron_domain::{
    audit::Act,
    custom_field::{CustomFieldDefinition, CustomFieldFacts, UniqueValue},
    customer::{CustomerAggregate, ExternalId, FormerExternalId, IndexEntry, found_by_external_id},
    ids::{CustomerId, DeletionRequestId},
    lifecycle::{Owner, Status},
    privacy::{
        CancelDeletion, CancelFacts, Cancellation, CategoryCount, DeletionDecision, DeletionFacts, DeletionQuery,
        DeletionRequest, DeletionState, ErasureClaim, KeysUnavailable, NamedSubject, NewDeletionRequest,
        PersonalRecord, PrivacyError, PrivacyRepository, Redaction, RedactionStep, Requested, StorageKind, SubjectKey,
        SubjectTag, Suppression,
    },
    store::StoreError,
    tenancy::{EnvironmentScope, SystemScope},
    time::Timestamp,
};

use super::{
    places::{PLACES, Subject},
    redaction,
    row::{CustomerPlaceRow, DeletionRow, RunPlaceRow, SubjectRow, SuppressedPlaceRow, SuppressedRow},
};
use crate::persistence::{
    audit::Auditing,
    customer::row::{CustomerIndexRow, CustomerRow, index_key},
    engine::{Decision, Pace},
    error::Failure,
    event::{row::EventRow, superseded::SupersededRow},
    onboarding::row::RunRow,
    party::Party,
    store::Store,
    unit::Reads,
    value::{Document, Key, corrupt},
    writes::{CountChange, Writes},
};

fn refused<T, E: From<T>>(error: T) -> Failure<E> {
    Failure::Refused(error.into())
}

/// The most customers with a former external id that are looked at.
const FEW: i64 = 1_000;

/// The visible customer that a request names, locked.
async fn visible(
    unit: &dyn Reads,
    environment: i32,
    owner: Owner,
    subject: &NamedSubject,
) -> Result<Option<CustomerAggregate>, Failure<PrivacyError>> {
    let id = match subject {
        NamedSubject::Id(id) => Some(Key::from(*id)),
        NamedSubject::ExternalId(external_id) => of_external_id(unit, environment, owner, external_id).await?,
    };
    let Some(id) = id else { return Ok(None) };
    let row = unit.lock_customers(environment, &[id]).await?.pop();
    row.map(|row| row.aggregate(owner)).transpose().map_err(refused)
}

/// The customer that has an external id, was renamed from it, or was archived with it.
async fn of_external_id(
    unit: &dyn Reads,
    environment: i32,
    owner: Owner,
    external_id: &ExternalId,
) -> Result<Option<Key>, Failure<PrivacyError>> {
    let text = external_id.as_str();
    if let Some((_, id)) = unit.holders(environment, &[text.to_owned()]).await?.pop() {
        return Ok(Some(id));
    }
    let entry = IndexEntry::external_id(text);
    let documents = unit.customers_indexed(environment, entry.kind.code(), &index_key(&entry), FEW).await?;
    let mut customers = Vec::new();
    for document in documents {
        customers.push(document.read::<CustomerAggregate>(owner, "by a former external id").map_err(refused)?);
    }
    if let Some(id) = found_by_external_id(customers.iter().flat_map(|one| one.terms_of(external_id))) {
        return Ok(Some(id.into()));
    }
    let is_archived =
        |one: &&CustomerAggregate| one.customer.status == Status::Archived && one.customer.external_id == *external_id;
    let mut archived = customers.iter().filter(is_archived);
    // Of several it is not known which one is meant.
    Ok(archived.next().filter(|_| archived.next().is_none()).map(|one| one.customer.id.into()))
}

/// The request in force about a customer, or about an external id.
async fn earlier(
    unit: &dyn Reads,
    environment: i32,
    owner: Owner,
    key: &SubjectKey,
    subject: &NamedSubject,
) -> Result<Option<DeletionRequest>, Failure<PrivacyError>> {
    let row = match subject {
        NamedSubject::Id(id) => unit.deletion_in_force(environment, (*id).into()).await?,
        NamedSubject::ExternalId(external_id) => {
            let tag = key.tag(owner, external_id.as_str());
            match unit.requests_of_tag(environment, tag.as_bytes()).await?.first() {
                Some(id) => unit.deletion(environment, *id).await?,
                None => None,
            }
        }
    };
    let request = row.map(|row| row.request(owner)).transpose().map_err(refused)?;
    Ok(request.filter(|request| request.state != DeletionState::Cancelled))
}

/// The rows of index entries.
fn index_rows(
    environment: i32,
    customer: &CustomerAggregate,
    definitions: &[CustomFieldDefinition],
) -> impl Iterator<Item = CustomerIndexRow> {
    let id = Key::from(customer.customer.id);
    let unique = UniqueValue::all_of(customer, definitions).into_iter().map(|value| value.entry());
    let all = customer.index_entries().into_iter().chain(unique);
    all.map(move |entry| CustomerIndexRow::new(environment, id, entry))
}

/// The definitions of custom fields, locked, and the published customers that have the unique values of a customer.
async fn custom_fields(
    unit: &dyn Reads,
    owner: Owner,
    environment: i32,
    customer: Option<&CustomerAggregate>,
) -> Result<CustomFieldFacts, Failure<PrivacyError>> {
    let rows = unit.share_custom_fields_of(environment).await?;
    let definitions = rows.iter().map(|row| row.definition(owner)).collect::<Result<Vec<_>, _>>().map_err(refused)?;
    let values = customer.map(|customer| UniqueValue::all_of(customer, &definitions)).unwrap_or_default();
    let wanted: BTreeMap<Vec<u8>, UniqueValue> =
        values.into_iter().map(|value| (index_key(&value.entry()), value)).collect();
    let mut holders = BTreeMap::new();
    if !wanted.is_empty() {
        let keys: Vec<_> = wanted.keys().cloned().collect();
        for (key, holder) in unit.unique_holders(environment, &keys).await? {
            holders.extend(wanted.get(&key).map(|value| (value.clone(), holder.id())));
        }
    }
    Ok(CustomFieldFacts::new(definitions).with_holders(holders))
}

#[async_trait]
impl PrivacyRepository for Store {
    async fn request(&self, scope: &EnvironmentScope, new: NewDeletionRequest) -> Result<Requested, PrivacyError> {
        let environment = self.environment(scope.owner).await?.ok_or(PrivacyError::UnknownCustomer)?;
        let key = self.subject_key().cloned().ok_or(KeysUnavailable)?;
        let auditing = Auditing::of(self, scope).await?;
        let scope = scope.clone();
        let work = self.write(environment, move |unit| {
            let (scope, new, key, auditing) = (scope.clone(), new.clone(), key.clone(), auditing.clone());
            let work = async move {
                let (owner, at) = (scope.owner, new.at);
                let customer = visible(unit, environment, owner, &new.subject).await?;
                let earlier = match customer {
                    None => earlier(unit, environment, owner, &key, &new.subject).await?,
                    Some(_) => None,
                };
                let before = customer.clone();
                let external_id = customer.as_ref().map(|one| key.tag(owner, one.customer.external_id.as_str()));
                let subject = external_id.unwrap_or(SubjectTag::from_bytes([0; 32]));
                let facts = DeletionFacts { customer, earlier, subject };
                let suppression = match new.decide(&scope, facts).map_err(Failure::Refused)? {
                    DeletionDecision::New(suppression) => suppression,
                    DeletionDecision::Repeated(request) => {
                        return Ok(Decision::nothing(Requested { request: *request, is_new: false }));
                    }
                };
                let Suppression { request, customer, mark, .. } = *suppression;
                let mut writes = Writes::default();
                let id = Key::from(request.customer_id);
                let run = unit.lock_run(environment, id).await?;
                writes.runs_gone.extend(run.as_ref().map(|_| RunPlaceRow { environment, customer: id }));
                let run = run.map(|row| row.document);
                writes.superseded.push(SupersededRow { environment, customer: id });
                writes.customers_gone.push(CustomerPlaceRow { environment, id });
                let fields = custom_fields(unit, owner, environment, None).await?;
                let gone = before.iter().flat_map(|before| index_rows(environment, before, &fields.definitions));
                writes.index_gone.extend(gone);
                writes.tokens(environment, before.as_ref(), None);
                writes.new_suppressed.push(SuppressedRow::new(environment, &customer, run));
                let former = customer.former_external_ids.iter();
                let former = former.map(|FormerExternalId { external_id, .. }| key.tag(owner, external_id.as_str()));
                let mut tags: Vec<_> = former.chain([request.subject]).map(|tag| tag.as_bytes().to_vec()).collect();
                tags.sort_unstable();
                tags.dedup();
                let row = |tag| SubjectRow { environment, tag, request: request.id.into() };
                writes.new_subjects.extend(tags.into_iter().map(row));
                writes.new_deletions.push(DeletionRow::new(environment, &request));
                writes.events.push(EventRow::of_mark(environment, &mark));
                writes.count(environment, CountChange::gone(customer.customer.status));
                auditing.note(&mut writes, Act::deletion(&request), at);
                Ok::<_, Failure<PrivacyError>>(Decision { answer: Requested { request, is_new: true }, writes })
            };
            work.boxed()
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
        read.await?.map_err(|error| StoreError::Failed { reason: error.to_string() })
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
        let work = self.write(environment, move |unit| {
            let (scope, auditing) = (scope.clone(), auditing.clone());
            let CancelDeletion { ids, at, only_if } = cancel.clone();
            let work = async move {
                let owner = scope.owner;
                let row = unit.lock_deletion(environment, id.into()).await?;
                let row = row.ok_or(Failure::Refused(PrivacyError::UnknownRequest))?;
                let request = row.request(owner).map_err(refused)?;
                let kept = unit.suppressed(environment, request.customer_id.into()).await?;
                let customer = kept.as_ref().map(|row| row.customer(owner)).transpose().map_err(refused)?;
                let external_id = customer.iter().map(|one| one.customer.external_id.as_str().to_owned());
                let holder = unit.holders(environment, &external_id.collect::<Vec<_>>()).await?.pop();
                let custom_fields = custom_fields(unit, owner, environment, customer.as_ref()).await?;
                let definitions = custom_fields.definitions.clone();
                let facts = CancelFacts { customer, holder: holder.map(|(_, id)| id.id()), custom_fields };
                let cancelled = request.clone().cancel(&scope, facts, ids, at, &only_if);
                let Some(cancelled) = cancelled.map_err(Failure::Refused)? else {
                    return Ok(Decision::nothing(request));
                };
                let Cancellation { request, customer, mark, .. } = *cancelled;
                let mut writes = Writes::default();
                let (id, document) = (Key::from(request.customer_id), Document::of(&customer));
                writes.suppressed_gone.push(SuppressedPlaceRow { environment, id });
                writes.new_customers.push(CustomerRow::new(environment, &customer, document));
                writes.index_new.extend(index_rows(environment, &customer, &definitions));
                writes.tokens(environment, None, Some(&customer));
                let run = kept.map(|row| row.run(owner)).transpose().map_err(refused)?.flatten();
                writes.new_runs.extend(run.map(|run| RunRow::new(environment, &run)));
                for tag in unit.tags_of(environment, request.id.into()).await? {
                    writes.subjects_gone.push(SubjectRow { environment, tag, request: request.id.into() });
                }
                writes.deletions.push(DeletionRow::new(environment, &request));
                writes.events.push(EventRow::of_mark(environment, &mark));
                writes.count(environment, CountChange::of(None, customer.customer.status));
                let wake = redaction::wake_deliveries(unit, environment, &request, at, &mut writes).await;
                wake.map_err(|failure| match failure {
                    Failure::Refused(error) => refused(error),
                    Failure::Database(error) => Failure::Database(error),
                })?;
                auditing.note(&mut writes, Act::deletion(&request), at);
                Ok::<_, Failure<PrivacyError>>(Decision { answer: request, writes })
            };
            work.boxed()
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
        let work = self.write(environment, move |unit| {
            let subject = subject.clone();
            let work = async move {
                let customer = visible(unit, environment, owner, &subject).await?;
                let Some(customer) = customer else { return Ok(Decision::nothing(None)) };
                let run = unit.run(environment, customer.customer.id.into()).await?.map(|row| row.document);
                let subject = Subject::visible(environment, &customer, run);
                let mut counts = Vec::new();
                for place in PLACES {
                    let redacted = place.count(unit, &subject).await.map_err(|failure| match failure {
                        Failure::Refused(error) => refused(error),
                        Failure::Database(error) => Failure::Database(error),
                    })?;
                    counts.push(CategoryCount { category: place.category(), redacted, left: None });
                }
                Ok::<_, Failure<PrivacyError>>(Decision::nothing(Some(counts)))
            };
            work.boxed()
        });
        work.await.map_err(|error: PrivacyError| match error {
            PrivacyError::Store(error) => error,
            other => StoreError::Failed { reason: other.to_string() },
        })
    }

    async fn claim(&self, _scope: &SystemScope, claim: ErasureClaim) -> Result<Vec<DeletionRequest>, StoreError> {
        let now = claim.now.micros();
        let limit = i64::from(claim.limit) * 8;
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
            let take = self.write(Party::System, move |unit| {
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
                    Ok::<_, Failure<StoreError>>(Decision { answer: requests, writes })
                };
                take.boxed()
            });
            claimed.extend(take.await?);
        }
        Ok(claimed)
    }

    async fn redact(&self, _scope: &SystemScope, step: RedactionStep) -> Result<Option<Redaction>, StoreError> {
        let Some(environment) = self.environment(step.owner).await? else { return Ok(None) };
        let redact = self.write(Party::System, move |unit| {
            let step = step.clone();
            async move { redaction::redact(unit, environment, &step).await }.boxed()
        });
        Ok(redact.await?.map(|(request, more)| Redaction { request, more }))
    }

    async fn verify(&self, _scope: &SystemScope, step: RedactionStep) -> Result<Option<DeletionRequest>, StoreError> {
        let Some(environment) = self.environment(step.owner).await? else { return Ok(None) };
        let verify = self.write(environment, move |unit| {
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
