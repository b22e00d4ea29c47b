//! The transactions of a redaction. Each is bounded, and none but the last locks the environment's log.

use std::collections::BTreeSet;

use patron_domain::{
    audit::Act,
    customer::CustomerAggregate,
    privacy::{CategoryCount, DeletionRequest, DeletionState, Redaction, RedactionStep},
    tenancy::{Actor, EnvironmentScope},
    time::Timestamp,
    webhook::DeliveryStatus,
};

use super::{Failed, places::Place, row::DeletionRow, subjects::Subjects};
use crate::persistence::{
    audit::row::AuditRow,
    engine::Decision,
    error::Failure,
    event::row::{EventRow, version_number},
    unit::Reads,
    value::Key,
    webhook::row::DeliveryRow,
    word::Word,
    writes::Writes,
};

/// The requests of a step whose lease the holder has, locked.
async fn held(unit: &dyn Reads, environment: i32, step: &RedactionStep) -> Result<Vec<DeletionRequest>, Failed> {
    let ids: Vec<Key> = step.requests.iter().map(|id| (*id).into()).collect();
    let rows = unit.lock_deletions(environment, &ids).await?.into_iter();
    let rows = rows.filter(|row| row.holder.as_deref() == Some(step.holder.as_str()));
    rows.map(|row| row.request(step.owner)).collect::<Result<_, _>>().map_err(Failure::Refused)
}

/// The number of records that the erasure of a visible customer would redact, by category.
pub(super) async fn preview(
    unit: &dyn Reads,
    environment: i32,
    customer: &CustomerAggregate,
) -> Result<Vec<CategoryCount>, Failed> {
    let (key, version) = (Key::from(customer.customer.id), version_number(customer.customer.version));
    let people = Subjects::visible(environment, customer);
    let mut counts = Vec::new();
    for place in Place::ALL {
        let category = place.category();
        let redacted = match place {
            // A suppression removes them with the document.
            Place::FormerExternalIds | Place::IndexEntries => {
                people.all.iter().map(|one| one.following(category)).sum()
            }
            // The state of the latest event is the customer's row, and becomes the event's own.
            Place::Events => {
                let latest = unit.event_of_version(environment, key, version).await?;
                place.count(unit, &people).await?.into_iter().sum::<u64>() + u64::from(latest.is_some())
            }
            _ => place.count(unit, &people).await?.into_iter().sum(),
        };
        counts.push(CategoryCount { category, redacted, left: None });
    }
    Ok(counts)
}

/// Redacts some records.
pub(super) async fn redact(
    unit: &dyn Reads,
    environment: i32,
    step: &RedactionStep,
) -> Result<Decision<Vec<Redaction>>, Failed> {
    let mut requests = held(unit, environment, step).await?;
    let people = Subjects::of(unit, (environment, step.owner), &requests).await?;
    let mut writes = Writes::default();
    let limit = usize::try_from(step.limit).unwrap_or(usize::MAX);
    let (mut left, mut complete) = (limit, true);
    for place in Place::ALL {
        let numbers = place.redact(unit, &people, left, &mut writes).await?;
        let redacted: u64 = numbers.iter().sum();
        if redacted == 0 {
            continue;
        }
        left = left.saturating_sub(usize::try_from(redacted).unwrap_or(usize::MAX));
        for ((request, number), subject) in requests.iter_mut().zip(numbers).zip(&people.all) {
            request.add_redacted(place.category(), number);
            match place {
                // The places before this one found no entry, and without the document none can be made.
                Place::Document if number > 0 => {
                    for category in Place::FOLLOWING {
                        request.add_redacted(category, subject.following(category));
                    }
                }
                Place::DeletionRequests => request.reason = None,
                _ => {}
            }
        }
        // The documents stay as long as there may be more, because the entries follow from them.
        if left == 0 || Place::FOLLOWING.contains(&place.category()) {
            complete = place == Place::Document;
            break;
        }
    }
    if left < limit {
        // The requests of this step are written with their progress, not as their place left them.
        let own: BTreeSet<Key> = requests.iter().map(|request| request.id.into()).collect();
        writes.deletions.retain(|row| !own.contains(&row.id));
        let row = |request| DeletionRow::held(environment, request, &step.holder, step.until);
        writes.deletions.extend(requests.iter().map(row));
    }
    let answer = requests.into_iter().map(|request| Redaction { request, more: !complete }).collect();
    Ok(Decision { answer, writes })
}

/// Counts the records that are left. Completes the requests that have none.
pub(super) async fn verify(
    unit: &dyn Reads,
    environment: i32,
    step: &RedactionStep,
) -> Result<Decision<Vec<DeletionRequest>>, Failed> {
    // A relay writes answers under the lock of its endpoint, and drops those about people that are being erased.
    unit.lock_all_endpoints(environment).await?;
    let requests = held(unit, environment, step).await?;
    let people = Subjects::of(unit, (environment, step.owner), &requests).await?;
    let mut left = vec![Vec::new(); requests.len()];
    for place in Place::ALL {
        for (left, number) in left.iter_mut().zip(place.count(unit, &people).await?) {
            left.push((place.category(), number));
        }
    }
    let verified = requests.into_iter().zip(&left).map(|(request, left)| request.verified(left, step.at));
    let verified: Vec<DeletionRequest> = verified.collect();
    let (mut writes, mut ids) = (Writes::default(), step.ids);
    let scope = EnvironmentScope::new(step.owner, Actor::system());
    for request in &verified {
        writes.deletions.push(match request.state {
            DeletionState::Redacting => DeletionRow::held(environment, request, &step.holder, step.until),
            _ => DeletionRow::new(environment, request),
        });
        if request.state == DeletionState::Completed {
            let mark = request.erased_mark(ids.next_id(), step.at);
            writes.events.push(EventRow::of_mark(environment, &mark));
            let act = Act::deletion(request);
            let row = |act| AuditRow::new(environment, &act, (&scope.actor, &scope.origin), step.at);
            writes.audit.extend(act.map(row));
        }
    }
    let completed = verified.iter().filter(|request| request.state == DeletionState::Completed);
    let completed: Vec<_> = completed.map(|request| request.customer_id.to_string()).collect();
    wake_deliveries(unit, environment, &completed, step.at, &mut writes).await?;
    Ok(Decision { answer: verified, writes })
}

/// Makes deliveries due that waited because their customers were suppressed.
pub(super) async fn wake_deliveries(
    unit: &dyn Reads,
    environment: i32,
    customers: &[String],
    at: Timestamp,
    writes: &mut Writes,
) -> Result<(), Failed> {
    let (at, waiting) = (at.micros(), DeliveryStatus::Waiting.code());
    let rows = unit.lock_waiting_about(environment, customers).await?;
    let known: BTreeSet<Key> = writes.deliveries.iter().map(|row| row.id).collect();
    let later = |row: &DeliveryRow| row.status == waiting && row.next_attempt_at.is_some_and(|next| next > at);
    let due = rows.into_iter().filter(later).filter(|row| !known.contains(&row.id));
    writes.deliveries.extend(due.map(|row| DeliveryRow { next_attempt_at: Some(at), ..row }));
    Ok(())
}
