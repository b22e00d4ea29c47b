//! The transactions of a redaction. Each is bounded, and none but the last locks the environment's log.

use std::collections::BTreeSet;

use patron_domain::{
    audit::Act,
    privacy::{DeletionRequest, DeletionState, RedactionStep},
    tenancy::{Actor, EnvironmentScope},
    time::Timestamp,
    webhook::DeliveryStatus,
};

use super::{
    Failed,
    places::{Place, Subject},
    row::DeletionRow,
};
use crate::persistence::{
    audit::row::AuditRow, engine::Decision, error::Failure, event::row::EventRow, unit::Reads, value::Key,
    webhook::row::DeliveryRow, word::Word, writes::Writes,
};

/// The request of a step, locked; `None` if the holder no longer has its lease.
async fn held(unit: &dyn Reads, environment: i32, step: &RedactionStep) -> Result<Option<DeletionRequest>, Failed> {
    let row = unit.lock_deletion(environment, step.id.into()).await?;
    let row = row.filter(|row| row.holder.as_deref() == Some(step.holder.as_str()));
    row.map(|row| row.request(step.owner)).transpose().map_err(Failure::Refused)
}

/// Redacts some records. Returns the request, and whether there may be more records.
pub(super) async fn redact(
    unit: &dyn Reads,
    environment: i32,
    step: &RedactionStep,
) -> Result<Decision<Option<(DeletionRequest, bool)>>, Failed> {
    let Some(request) = held(unit, environment, step).await? else { return Ok(Decision::nothing(None)) };
    let subject = Subject::of(unit, environment, &request).await?;
    let (mut request, mut writes) = (request, Writes::default());
    let (mut left, mut done, mut complete) = (i64::from(step.limit), 0, true);
    for place in Place::ALL {
        let redacted = place.redact(unit, &subject, left, &mut writes).await?;
        if redacted == 0 {
            continue;
        }
        (request, done) = (request.redacted(place.category(), redacted), done + redacted);
        left = left.saturating_sub(i64::try_from(redacted).unwrap_or(i64::MAX));
        match place {
            // The places before this one found no entry, and without the document none can be made.
            Place::Document => {
                for place in Place::ALL.into_iter().filter(|place| place.follows_from_document()) {
                    let (category, entries) = (place.category(), subject.entries(place).count() as u64);
                    request = request.redacted(category, entries).counted(category, 0);
                }
            }
            // The request of this step is written below, with its progress.
            Place::DeletionRequests => {
                request.reason = None;
                writes.deletions.retain(|row| row.id != Key::from(request.id));
            }
            _ => {}
        }
        // The document stays as long as there may be more, because the entries follow from it.
        if left <= 0 || place.follows_from_document() {
            complete = place == Place::Document;
            break;
        }
    }
    if done > 0 {
        writes.deletions.push(DeletionRow::held(environment, &request, &step.holder, step.until));
    }
    Ok(Decision { answer: Some((request, !complete)), writes })
}

/// Counts the records that are left. Completes the request if there are none.
pub(super) async fn verify(
    unit: &dyn Reads,
    environment: i32,
    step: &RedactionStep,
) -> Result<Decision<Option<DeletionRequest>>, Failed> {
    // A relay writes answers under the lock of its endpoint, and drops those about people that are being erased.
    unit.lock_all_endpoints(environment).await?;
    let Some(request) = held(unit, environment, step).await? else { return Ok(Decision::nothing(None)) };
    let subject = Subject::of(unit, environment, &request).await?;
    let mut left = Vec::new();
    for place in Place::ALL {
        // Without the document they were counted with it.
        if !place.follows_from_document() || subject.row.is_some() {
            left.push((place.category(), place.count(unit, &subject).await?));
        }
    }
    let request = request.verified(&left, step.at);
    let mut writes = Writes::default();
    writes.deletions.push(match request.state {
        DeletionState::Redacting => DeletionRow::held(environment, &request, &step.holder, step.until),
        _ => DeletionRow::new(environment, &request),
    });
    if request.state == DeletionState::Completed {
        let mark = request.erased_mark(step.ids, step.at);
        writes.events.push(EventRow::of_mark(environment, &mark));
        let scope = EnvironmentScope::new(step.owner, Actor::system());
        let act = Act::deletion(&request);
        writes.audit.extend(act.map(|act| AuditRow::new(environment, &act, (&scope.actor, &scope.origin), step.at)));
        wake_deliveries(unit, environment, &request, step.at, &mut writes).await?;
    }
    Ok(Decision { answer: Some(request), writes })
}

/// Makes deliveries due that waited because their customer was suppressed.
pub(super) async fn wake_deliveries(
    unit: &dyn Reads,
    environment: i32,
    request: &DeletionRequest,
    at: Timestamp,
    writes: &mut Writes,
) -> Result<(), Failed> {
    let (at, waiting) = (at.micros(), DeliveryStatus::Waiting.code());
    let rows = unit.lock_waiting_about(environment, &request.customer_id.to_string()).await?;
    let known: BTreeSet<Key> = writes.deliveries.iter().map(|row| row.id).collect();
    let later = |row: &DeliveryRow| row.status == waiting && row.next_attempt_at.is_some_and(|next| next > at);
    let due = rows.into_iter().filter(later).filter(|row| !known.contains(&row.id));
    writes.deliveries.extend(due.map(|row| DeliveryRow { next_attempt_at: Some(at), ..row }));
    Ok(())
}
