//! The port for imports.

use async_trait::async_trait;
use diesel::QueryResult;
use futures_util::FutureExt;
use patron_domain::{
    audit::Act,
    customer::ChangeCustomerError,
    event::{CustomerEvent, CustomerEventKind},
    ids::ImportId,
    import::{
        FailedRow, ImportAmendment, ImportChunk, ImportClaim, ImportDiff, ImportError, ImportJob, ImportPhase,
        ImportRepository, ImportRow as Row, ImportState, RowFault, RowOutcome, RowResult,
    },
    lifecycle::Owner,
    privacy::SubjectKey,
    store::StoreError,
    tenancy::{EnvironmentScope, SystemScope},
    time::Timestamp,
};

use super::row::{FailedRowRow, ImportRow, PiecePlaceRow, PieceRow};
use crate::persistence::{
    audit::Auditing,
    author::Author,
    customer::change::{Job, decide},
    engine::{Decision, Pace},
    error::Failure,
    party::Party,
    store::Store,
    unit::Reads,
    value::Key,
    writes::Writes,
};

/// Removes the pieces of a file.
async fn remove_pieces(unit: &dyn Reads, writes: &mut Writes, environment: i32, import: Key) -> QueryResult<()> {
    let numbers = unit.import_piece_numbers(environment, import).await?;
    writes.pieces_gone.extend(numbers.into_iter().map(|number| PiecePlaceRow { environment, import, number }));
    Ok(())
}

/// The scope of the person who uploaded a file.
fn scope_of(import: &ImportJob) -> EnvironmentScope {
    EnvironmentScope::new(import.owner, import.audit.created_by.clone())
}

#[async_trait]
impl ImportRepository for Store {
    async fn begin(&self, scope: &EnvironmentScope, import: ImportJob) -> Result<(), StoreError> {
        let environment = self.environment_to_write(&scope.origin, scope.owner).await?;
        let begin = self.write(Author::from(scope), environment, move |_| {
            let writes = Writes {
                new_imports: vec![ImportRow::new(environment, &import)],
                marked: Some(environment),
                ..Writes::default()
            };
            async move { Ok::<_, Failure<StoreError>>(Decision { answer: (), writes }) }.boxed()
        });
        begin.await
    }

    async fn add_piece(
        &self,
        scope: &EnvironmentScope,
        id: ImportId,
        number: u32,
        bytes: Vec<u8>,
    ) -> Result<(), StoreError> {
        let environment = self.environment_to_write(&scope.origin, scope.owner).await?;
        let number = i32::try_from(number).unwrap_or(i32::MAX);
        let row = PieceRow { environment, import: id.into(), number, bytes };
        let add = self.write(Author::from(scope), environment, move |_| {
            let writes = Writes { new_pieces: vec![row.clone()], ..Writes::default() };
            async move { Ok::<_, Failure<StoreError>>(Decision { answer: (), writes }) }.boxed()
        });
        add.await
    }

    async fn finish_upload(
        &self,
        scope: &EnvironmentScope,
        import: ImportJob,
        again: bool,
    ) -> Result<Option<ImportId>, StoreError> {
        let environment = self.environment_to_write(&scope.origin, scope.owner).await?;
        let auditing = Auditing::of(self, scope).await?;
        let finish = self.write(Author::from(scope), environment, move |unit| {
            let (import, auditing) = (import.clone(), auditing.clone());
            let finish = async move {
                if !again && let Some(other) = unit.imports_of_digest(environment, &import.digest).await?.first() {
                    return Ok(Decision::nothing(Some(other.id.id())));
                }
                let row = unit.lock_import(environment, import.id.into()).await?;
                if row.is_none_or(|row| row.import(import.owner).is_ok_and(|now| now.state != ImportState::Uploading)) {
                    return Ok(Decision::nothing(None));
                }
                let mut writes = Writes::default();
                writes.imports.push(ImportRow::new(environment, &import));
                auditing.note(&mut writes, Act::import_uploaded(import.id), import.audit.updated_at);
                Ok::<_, Failure<StoreError>>(Decision { answer: None, writes })
            };
            finish.boxed()
        });
        finish.await
    }

    async fn abandon(&self, scope: &EnvironmentScope, id: ImportId) -> Result<(), StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(()) };
        let owner = scope.owner;
        let abandon = self.write(Author::from(scope), environment, move |unit| {
            let abandon = async move {
                let Some(row) = unit.lock_import(environment, id.into()).await? else {
                    return Ok(Decision::nothing(()));
                };
                if row.import(owner).map_err(Failure::Refused)?.state != ImportState::Uploading {
                    return Ok(Decision::nothing(()));
                }
                let mut writes = Writes { imports_gone: vec![row], marked: Some(environment), ..Writes::default() };
                remove_pieces(unit, &mut writes, environment, id.into()).await?;
                Ok::<_, Failure<StoreError>>(Decision { answer: (), writes })
            };
            abandon.boxed()
        });
        abandon.await
    }

    async fn import(&self, scope: &EnvironmentScope, id: ImportId) -> Result<Option<ImportJob>, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(None) };
        let row = self.read(Pace::LookUp, move |unit| unit.import(environment, id.into()).boxed()).await?;
        row.map(|row| row.import(scope.owner)).transpose()
    }

    async fn imports(
        &self,
        scope: &EnvironmentScope,
        before: Option<ImportId>,
        limit: u16,
    ) -> Result<Vec<ImportJob>, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(Vec::new()) };
        let before = before.map(Key::from);
        let rows =
            self.read(Pace::list(environment), move |unit| unit.imports(environment, before, limit.into()).boxed());
        rows.await?.iter().map(|row| row.import(scope.owner)).collect()
    }

    async fn amend(
        &self,
        scope: &EnvironmentScope,
        id: ImportId,
        amendment: ImportAmendment,
        at: Timestamp,
    ) -> Result<ImportJob, ImportError> {
        let environment = self.environment(scope.owner).await?.ok_or(ImportError::Unknown)?;
        let (owner, auditing) = (scope.owner, Auditing::of(self, scope).await?);
        let amend = self.write(Author::from(scope), environment, move |unit| {
            let auditing = auditing.clone();
            let amend = async move {
                let row =
                    unit.lock_import(environment, id.into()).await?.ok_or(Failure::Refused(ImportError::Unknown))?;
                let import = row.import(owner).map_err(|error| Failure::Refused(error.into()))?;
                let import = import.amended(amendment, at).map_err(|error| Failure::Refused(error.into()))?;
                let mut writes = Writes { imports: vec![ImportRow::new(environment, &import)], ..Writes::default() };
                auditing.note(&mut writes, Act::import_amended(id, amendment), at);
                if import.state.is_final() {
                    remove_pieces(unit, &mut writes, environment, id.into()).await?;
                }
                Ok(Decision { answer: import, writes })
            };
            amend.boxed()
        });
        amend.await
    }

    async fn failed_rows(
        &self,
        scope: &EnvironmentScope,
        id: ImportId,
        after: u64,
        limit: u16,
    ) -> Result<Vec<FailedRow>, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(Vec::new()) };
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let rows = self.read(Pace::list(environment), move |unit| {
            unit.failed_rows(environment, id.into(), after, limit.into()).boxed()
        });
        rows.await?.iter().map(|row| row.failed(scope.owner)).collect()
    }

    async fn piece(
        &self,
        _scope: &SystemScope,
        owner: Owner,
        id: ImportId,
        number: u32,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(environment) = self.environment(owner).await? else { return Ok(None) };
        let number = i32::try_from(number).unwrap_or(i32::MAX);
        let piece =
            self.read(Pace::list(Party::System), move |unit| unit.import_piece(environment, id.into(), number).boxed());
        piece.await
    }

    async fn claim_import(&self, _scope: &SystemScope, claim: ImportClaim) -> Result<Option<ImportJob>, StoreError> {
        let now = claim.now.micros();
        let mut without = Vec::new();
        for owner in &claim.without {
            without.extend(self.environment(*owner).await?);
        }
        // Usually there is nothing to do, and no transaction is needed to find out.
        let found = self.read(Pace::list(Party::System), move |unit| {
            let without = without.clone();
            let find = async move {
                let mut awake = unit.environments_awake().await?;
                awake.retain(|environment| !without.contains(environment));
                unit.due_imports(&awake, now, 1).await
            };
            find.boxed()
        });
        let Some((environment, id)) = found.await?.into_iter().next() else { return Ok(None) };
        let owners = self.owners_of([environment]).await?;
        let Some(owner) = owners.get(&environment).copied() else { return Ok(None) };
        let take = self.write(Author::system(), Party::System, move |unit| {
            let (holder, until) = (claim.holder.clone(), claim.until);
            let take = async move {
                let row = unit.lock_import(environment, id).await?;
                // Another server may have changed it since the read.
                let Some(row) = row.filter(|row| row.due_at.is_some_and(|at| at <= now)) else {
                    return Ok(Decision::nothing(None));
                };
                let import = row.import(owner).map_err(Failure::Refused)?;
                let import = ImportJob { due_at: Some(until), ..import };
                let row = ImportRow { holder: Some(holder), ..ImportRow::new(environment, &import) };
                let writes = Writes { imports: vec![row], ..Writes::default() };
                Ok::<_, Failure<StoreError>>(Decision { answer: Some(import), writes })
            };
            take.boxed()
        });
        take.await
    }

    async fn record_rows(&self, _scope: &SystemScope, chunk: ImportChunk) -> Result<Option<ImportJob>, StoreError> {
        let Some(environment) = self.environment(chunk.owner).await? else { return Ok(None) };
        let Some(import) = self.import_of(environment, &chunk).await? else { return Ok(None) };
        let scope = scope_of(&import);
        let (auditing, key) = (Auditing::of(self, &scope).await?, self.subject_key().cloned());
        let record = self.write(Author::system(), environment, move |unit| {
            let (chunk, scope, auditing) = (chunk.clone(), (scope.clone(), key.clone()), auditing.clone());
            record(unit, environment, chunk, scope, auditing).boxed()
        });
        record.await
    }

    async fn fail_import(
        &self,
        _scope: &SystemScope,
        owner: Owner,
        id: ImportId,
        holder: String,
        reason: String,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(environment) = self.environment(owner).await? else { return Ok(()) };
        let fail = self.write(Author::system(), environment, move |unit| {
            let (holder, reason) = (holder.clone(), reason.clone());
            let fail = async move {
                let row = unit.lock_import(environment, id.into()).await?;
                let Some(row) = row.filter(|row| row.holder.as_deref() == Some(holder.as_str())) else {
                    return Ok(Decision::nothing(()));
                };
                let import = row.import(owner).map_err(Failure::Refused)?.failed(reason, at);
                let mut writes = Writes { imports: vec![ImportRow::new(environment, &import)], ..Writes::default() };
                writes.marked = Some(environment);
                remove_pieces(unit, &mut writes, environment, id.into()).await?;
                Ok::<_, Failure<StoreError>>(Decision { answer: (), writes })
            };
            fail.boxed()
        });
        fail.await
    }
}

impl Store {
    async fn import_of(&self, environment: i32, chunk: &ImportChunk) -> Result<Option<ImportJob>, StoreError> {
        let (id, owner) = (chunk.id, chunk.owner);
        let row = self.read(Pace::LookUp, move |unit| unit.import(environment, id.into()).boxed()).await?;
        row.map(|row| row.import(owner)).transpose()
    }
}

/// Does the work on rows, and records the progress.
async fn record(
    unit: &dyn Reads,
    environment: i32,
    chunk: ImportChunk,
    (scope, key): (EnvironmentScope, Option<SubjectKey>),
    auditing: Auditing,
) -> Result<Decision<Option<ImportJob>>, Failure<StoreError>> {
    let ImportChunk { id, owner, holder, keep_until, phase, rows, after, rows_done, bytes_done, end, ignored, at } =
        chunk;
    let row = unit.lock_import(environment, id.into()).await?;
    let Some(row) = row.filter(|row| row.holder.as_deref() == Some(holder.as_str())) else {
        return Ok(Decision::nothing(None));
    };
    let import = row.import(owner).map_err(Failure::Refused)?;
    if import.work() != Some(phase) || import.rows_done != after {
        return Ok(Decision::nothing(None));
    }
    let (outcomes, mut writes) = outcomes(unit, environment, phase, &rows, (&scope, key.as_ref())).await?;
    let mut results = Vec::with_capacity(rows.len());
    for (row, outcome) in rows.into_iter().zip(outcomes) {
        let result = match outcome {
            Ok(result) => result,
            Err(faults) => {
                let failed = FailedRow { faults, ..row.row };
                writes.failed_rows.push(FailedRowRow::new(environment, id.into(), &failed));
                RowResult { outcome: RowOutcome::Failed, diff: None }
            }
        };
        results.push(result);
    }
    let mut next = import.after_rows(&results, (rows_done, bytes_done), end, at);
    for name in ignored {
        if !next.ignored.contains(&name) && next.ignored.len() < ImportJob::MAX_DIFFS {
            next.ignored.push(name);
        }
    }
    // A dry run no longer needs its file.
    let ended = next.state.is_final() || (next.work().is_none() && next.options.dry_run);
    if next.work().is_some() {
        next.due_at = keep_until.or(next.due_at);
    }
    let holder = keep_until.filter(|_| next.work().is_some()).map(|_| holder);
    writes.imports.push(ImportRow { holder, ..ImportRow::new(environment, &next) });
    if next.state.is_final() {
        auditing.note(&mut writes, Act::import_completed(id), at);
    }
    if ended {
        remove_pieces(unit, &mut writes, environment, id.into()).await?;
    }
    Ok(Decision { answer: Some(next), writes })
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

/// The result of a row whose change was accepted. A change that changes nothing leaves the time of the last change.
fn result(row: &Row, at: Timestamp, event: &CustomerEvent, phase: ImportPhase) -> RowResult {
    let (outcome, changed) = match &event.kind {
        CustomerEventKind::Created { .. } => (RowOutcome::Created, Vec::new()),
        _ if event.state.customer.audit.updated_at < at => (RowOutcome::Unchanged, Vec::new()),
        CustomerEventKind::Updated { changed } => {
            (RowOutcome::Updated, changed.iter().map(|field| field.as_str().to_owned()).collect())
        }
        _ => (RowOutcome::Updated, Vec::new()),
    };
    let diff = (phase == ImportPhase::Decide).then(|| ImportDiff {
        row: row.row.row,
        external_id: row.row.external_id.clone(),
        outcome,
        changed,
    });
    RowResult { outcome, diff }
}
