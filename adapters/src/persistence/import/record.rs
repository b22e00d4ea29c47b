//! The work on the rows of a chunk.

use patron_domain::{
    audit::Act,
    customer::ChangeCustomerError,
    event::{CustomerEvent, CustomerEventKind},
    import::{
        FailedRow, ImportChunk, ImportCounts, ImportDiff, ImportJob, ImportPhase, ImportRow as Row, RowFault,
        RowOutcome, RowResult,
    },
    privacy::SubjectKey,
    store::StoreError,
    tenancy::EnvironmentScope,
    time::Timestamp,
};

use super::{
    port::{event_of_end, remove_pieces},
    row::{FailedRowRow, ImportRow},
};
use crate::persistence::{
    audit::Auditing,
    customer::change::{Job, decide},
    engine::Decision,
    error::Failure,
    unit::Reads,
    writes::Writes,
};

/// Does the work on rows, and records the progress. Returns the import, and the rows that were written.
pub(super) async fn record(
    unit: &dyn Reads,
    environment: i32,
    chunk: &ImportChunk,
    (scope, key): (EnvironmentScope, Option<SubjectKey>),
    auditing: Auditing,
) -> Result<Decision<Option<(ImportJob, ImportCounts)>>, Failure<StoreError>> {
    let ImportChunk { rows, holder, keep_until, .. } = chunk;
    let &ImportChunk { id, owner, phase, after, end, at, .. } = chunk;
    let (progress, event_id) = ((chunk.rows_done, chunk.bytes_done), chunk.event_id);
    let row = unit.lock_import(environment, id.into()).await?;
    let Some(row) = row.filter(|row| row.holder.as_deref() == Some(holder.as_str())) else {
        return Ok(Decision::nothing(None));
    };
    let import = row.import(owner).map_err(Failure::Refused)?;
    if import.work() != Some(phase) || import.rows_done != after {
        return Ok(Decision::nothing(None));
    }
    let (outcomes, mut writes) = outcomes(unit, environment, phase, rows, (&scope, key.as_ref())).await?;
    let mut results = Vec::with_capacity(rows.len());
    for (row, outcome) in rows.iter().zip(outcomes) {
        let result = match outcome {
            Ok(result) => result,
            Err(faults) => {
                let failed = FailedRow { faults, ..row.row.clone() };
                writes.failed_rows.push(FailedRowRow::new(environment, id.into(), &failed));
                RowResult { outcome: RowOutcome::Failed, diff: None }
            }
        };
        results.push(result);
    }
    let mut written = ImportCounts::default();
    if phase == ImportPhase::Write {
        results.iter().for_each(|result| written.add(result.outcome));
    }
    let mut next = import.after_rows(&results, progress, end, at).ignoring(&chunk.ignored);
    if next.work().is_some() {
        next.due_at = (*keep_until).or(next.due_at);
    }
    let holder = keep_until.filter(|_| next.work().is_some()).map(|_| holder.clone());
    writes.imports.push(ImportRow { holder, ..ImportRow::new(environment, &next) });
    if next.state.is_final() {
        auditing.note(&mut writes, Act::import_completed(id), at);
        event_of_end(&mut writes, environment, &next, event_id, (&scope.actor, None)).map_err(Failure::Refused)?;
    }
    if !next.needs_file() {
        remove_pieces(unit, &mut writes, environment, id.into()).await?;
    }
    Ok(Decision { answer: Some((next, written)), writes })
}

/// The result of each row, or its faults, and what to write for them.
async fn outcomes(
    unit: &dyn Reads,
    environment: i32,
    phase: ImportPhase,
    rows: &[Row],
    (scope, key): (&EnvironmentScope, Option<&SubjectKey>),
) -> Result<(Vec<Result<RowResult, Vec<RowFault>>>, Writes), Failure<StoreError>> {
    let job = |row: &Row| {
        let command = row.command.as_deref()?.clone();
        Some(Job::new(scope, environment, command, key))
    };
    let jobs: Vec<Job> = match phase {
        ImportPhase::Check => Vec::new(),
        ImportPhase::Decide | ImportPhase::Write => rows.iter().filter_map(job).collect(),
    };
    let (answers, writes) = if jobs.is_empty() { (Vec::new(), Writes::default()) } else { decide(unit, &jobs).await? };
    let (mut answers, mut outcomes) = (answers.into_iter(), Vec::with_capacity(rows.len()));
    for row in rows {
        outcomes.push(match (&row.command, phase) {
            (None, _) => Err(row.row.faults.clone()),
            (Some(_), ImportPhase::Check) => Ok(RowResult { outcome: RowOutcome::Valid, diff: None }),
            (Some(command), _) => match answers.next() {
                Some(Ok(changed)) => Ok(result(row, command.stamp.at, &changed.event, phase)),
                Some(Err(ChangeCustomerError::Store(error))) => return Err(Failure::Refused(error)),
                Some(Err(error)) => Err(RowFault::of_refusal(error)),
                // There is one answer for each job.
                None => Err(Vec::new()),
            },
        });
    }
    let writes = if phase == ImportPhase::Write { writes } else { Writes::default() };
    Ok((outcomes, writes))
}

/// The result of a row whose change was accepted.
fn result(row: &Row, at: Timestamp, event: &CustomerEvent, phase: ImportPhase) -> RowResult {
    let outcome = RowOutcome::of_change(event, at);
    let changed = match &event.kind {
        CustomerEventKind::Updated { changed } if outcome == RowOutcome::Updated => {
            changed.iter().map(|field| field.as_str().to_owned()).collect()
        }
        _ => Vec::new(),
    };
    let diff = (phase == ImportPhase::Decide).then(|| ImportDiff {
        row: row.row.row,
        external_id: row.row.external_id.clone(),
        outcome,
        changed,
    });
    RowResult { outcome, diff }
}
