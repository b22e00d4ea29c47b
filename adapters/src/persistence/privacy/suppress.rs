//! The transactions that suppress a customer, and that show it again.

use patron_domain::{
    audit::Act,
    custom_field::CustomFieldDefinition,
    customer::{CustomerAggregate, FormerExternalId},
    ids::DeletionRequestId,
    privacy::{
        CancelDeletion, CancelFacts, Cancellation, DeletionDecision, DeletionFacts, DeletionRequest,
        NewDeletionRequest, PrivacyError, Requested, SubjectKey, SubjectTag, Suppression,
    },
    tenancy::EnvironmentScope,
};

use super::{
    look_ups::{custom_fields, earlier, visible},
    redaction,
    row::{CustomerPlaceRow, DeletionRow, RunPlaceRow, SubjectRow, SuppressedPlaceRow, SuppressedRow},
};
use crate::persistence::{
    audit::Auditing,
    customer::row::CustomerRow,
    engine::Decision,
    error::Failure,
    event::{row::EventRow, superseded::SupersededRow},
    onboarding::row::RunRow,
    unit::Reads,
    value::{Document, Key},
    writes::{CountChange, Writes},
};

type Refusable<T> = Result<Decision<T>, Failure<PrivacyError>>;

/// Suppresses a customer, or returns the earlier request about it.
pub(super) async fn suppress(
    unit: &dyn Reads,
    environment: i32,
    scope: &EnvironmentScope,
    new: NewDeletionRequest,
    (key, auditing): (&SubjectKey, &Auditing),
) -> Refusable<Requested> {
    let owner = scope.owner;
    let customer = visible(unit, environment, owner, &new.subject).await?;
    let earlier = match customer {
        None => earlier(unit, environment, owner, key, &new.subject).await?,
        Some(_) => None,
    };
    let before = customer.clone();
    let external_id = customer.as_ref().map(|one| key.tag(owner, one.customer.external_id.as_str()));
    let subject = external_id.unwrap_or(SubjectTag::from_bytes([0; 32]));
    let importing = unit.has_unfinished_import(environment).await?;
    let facts = DeletionFacts { customer, earlier, subject, importing };
    let suppression = match new.decide(scope, facts).map_err(Failure::Refused)? {
        DeletionDecision::New(suppression) => suppression,
        DeletionDecision::Repeated(request) => {
            return Ok(Decision::nothing(Requested { request: *request, is_new: false }));
        }
    };
    let id = suppression.request.customer_id.into();
    let run = unit.lock_run(environment, id).await?;
    let fields = custom_fields(unit, owner, environment, None).await?;
    let request = suppression.request.clone();
    let mut writes = Writes::default();
    // The decision has a customer, because it suppresses it.
    if let Some(before) = &before {
        let definitions = &fields.definitions;
        let suppressing = Suppressing { environment, key, auditing, definitions };
        suppressing.write(&mut writes, before, *suppression, run);
    }
    Ok(Decision { answer: Requested { request, is_new: true }, writes })
}

/// What the suppressions of one transaction share.
pub(super) struct Suppressing<'a> {
    pub(super) environment: i32,
    pub(super) key: &'a SubjectKey,
    pub(super) auditing: &'a Auditing,
    /// The definitions of custom fields.
    pub(super) definitions: &'a [CustomFieldDefinition],
}

impl Suppressing<'_> {
    /// Adds the suppression of a customer that was visible before.
    pub(super) fn write(
        &self,
        writes: &mut Writes,
        before: &CustomerAggregate,
        suppression: Suppression,
        run: Option<RunRow>,
    ) {
        let Suppression { request, customer, mark, .. } = suppression;
        let (environment, owner, id) = (self.environment, request.owner, Key::from(request.customer_id));
        writes.runs_gone.extend(run.as_ref().map(|_| RunPlaceRow { environment, customer: id }));
        writes.superseded.push(SupersededRow { environment, customer: id });
        writes.customers_gone.push(CustomerPlaceRow { environment, id });
        writes.index(environment, self.definitions, Some(before), None);
        writes.tokens(environment, Some(before), None);
        writes.new_suppressed.push(SuppressedRow::new(environment, &customer, run.map(|row| row.document)));
        let former = customer.former_external_ids.iter();
        let former = former.map(|FormerExternalId { external_id, .. }| self.key.tag(owner, external_id.as_str()));
        let mut tags: Vec<_> = former.chain([request.subject]).map(|tag| tag.as_bytes().to_vec()).collect();
        tags.sort_unstable();
        tags.dedup();
        let row = |tag| SubjectRow { environment, tag, request: request.id.into() };
        writes.new_subjects.extend(tags.into_iter().map(row));
        writes.new_deletions.push(DeletionRow::new(environment, &request));
        writes.events.push(EventRow::of_mark(environment, &mark));
        writes.count(environment, CountChange::gone(customer.customer.status));
        self.auditing.note(writes, Act::deletion(&request), request.audit.created_at);
    }
}

/// Cancels a request, and shows its customer again.
pub(super) async fn cancel(
    unit: &dyn Reads,
    environment: i32,
    scope: &EnvironmentScope,
    (id, cancel): (DeletionRequestId, CancelDeletion),
    auditing: &Auditing,
) -> Refusable<DeletionRequest> {
    let CancelDeletion { ids, at, only_if } = cancel;
    let owner = scope.owner;
    let refused = |error| Failure::Refused(PrivacyError::Store(error));
    let row = unit.lock_deletion(environment, id.into()).await?;
    let row = row.ok_or(Failure::Refused(PrivacyError::UnknownRequest))?;
    let request = row.request(owner).map_err(refused)?;
    let kept = unit.suppressed(environment, &[request.customer_id.into()]).await?.pop();
    let customer = kept.as_ref().map(|row| row.customer(owner)).transpose().map_err(refused)?;
    let external_id = customer.iter().map(|one| one.customer.external_id.as_str().to_owned());
    let holder = unit.holders(environment, &external_id.collect::<Vec<_>>()).await?.pop();
    let custom_fields = custom_fields(unit, owner, environment, customer.as_ref()).await?;
    let definitions = custom_fields.definitions.clone();
    let facts = CancelFacts { customer, holder: holder.map(|(_, id)| id.id()), custom_fields };
    let cancelled = request.clone().cancel(scope, facts, ids, at, &only_if);
    let Some(cancelled) = cancelled.map_err(Failure::Refused)? else {
        return Ok(Decision::nothing(request));
    };
    let Cancellation { request, customer, mark, .. } = *cancelled;
    let mut writes = Writes::default();
    let (id, document) = (Key::from(request.customer_id), Document::of(&customer));
    writes.suppressed_gone.push(SuppressedPlaceRow { environment, id });
    writes.new_customers.push(CustomerRow::new(environment, &customer, document));
    writes.index(environment, &definitions, None, Some(&customer));
    writes.tokens(environment, None, Some(&customer));
    let run = kept.map(|row| row.run(owner)).transpose().map_err(refused)?.flatten();
    writes.new_runs.extend(run.map(|run| RunRow::new(environment, &run)));
    for tag in unit.tags_of(environment, request.id.into()).await? {
        writes.subjects_gone.push(SubjectRow { environment, tag, request: request.id.into() });
    }
    writes.deletions.push(DeletionRow::new(environment, &request));
    writes.events.push(EventRow::of_mark(environment, &mark));
    writes.count(environment, CountChange::of(None, customer.customer.status));
    redaction::wake_deliveries(unit, environment, &[request.customer_id.to_string()], at, &mut writes).await?;
    auditing.note(&mut writes, Act::deletion(&request), at);
    Ok(Decision { answer: request, writes })
}
