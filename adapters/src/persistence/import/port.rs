//! The port for imports.

use std::sync::Arc;

use async_trait::async_trait;
use diesel::QueryResult;
use futures_util::FutureExt;
use patron_domain::{
    audit::Act,
    event::ImportEvent,
    ids::{EventId, ImportId},
    import::{
        FailedRow, ImportAmendment, ImportChunk, ImportClaim, ImportError, ImportHolder, ImportJob, ImportLoad,
        ImportProblem, ImportRepository, ImportState,
    },
    lifecycle::Owner,
    store::StoreError,
    tenancy::{Actor, EnvironmentScope, Quota, Quoted, RequestId, SystemScope},
    time::Timestamp,
};

use super::{
    record::record,
    row::{FailedRowPlaceRow, ImportRow, PiecePlaceRow, PieceRow},
};
use crate::persistence::{
    audit::Auditing,
    author::Author,
    engine::{Decision, Pace},
    error::Failure,
    event::row::EventRow,
    metrics,
    party::Party,
    store::Store,
    unit::Reads,
    value::Key,
    writes::Writes,
};

/// Removes the pieces of a file.
pub(super) async fn remove_pieces(
    unit: &dyn Reads,
    writes: &mut Writes,
    environment: i32,
    import: Key,
) -> QueryResult<()> {
    let numbers = unit.import_piece_numbers(environment, import).await?;
    writes.pieces_gone.extend(numbers.into_iter().map(|number| PiecePlaceRow { environment, import, number }));
    Ok(())
}

/// Adds the event of an import that has ended.
pub(super) fn event_of_end(
    writes: &mut Writes,
    environment: i32,
    import: &ImportJob,
    id: EventId,
    (actor, request_id): (&Actor, Option<&RequestId>),
) -> Result<(), StoreError> {
    if let Some(event) = ImportEvent::of(id, import, actor.clone(), request_id.cloned()) {
        writes.events.push(EventRow::of_import(environment, &event)?);
    }
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
        quota: Quota,
    ) -> Result<(), ImportError> {
        let environment = self.environment_to_write(&scope.origin, scope.owner).await?;
        let number = i32::try_from(number).unwrap_or(i32::MAX);
        let (owner, row) = (scope.owner, PieceRow { environment, import: id.into(), number, bytes });
        let add = self.write(Author::from(scope), environment, move |unit| {
            let row = row.clone();
            let add = async move {
                let import = unit.import(environment, row.import).await?;
                let import = import.map(|row| row.import(owner)).transpose();
                let import = import.map_err(|error| Failure::Refused(ImportError::from(error)))?;
                if import.is_none_or(|import| import.state != ImportState::Uploading) {
                    return Err(Failure::Refused(ImportError::Unknown));
                }
                if quota.is_limited() {
                    let pieces = u64::try_from(unit.count_import_pieces(environment).await?).unwrap_or_default();
                    let bytes = pieces.saturating_mul(ImportJob::PIECE_BYTES as u64);
                    quota.admit(Quoted::ImportBytes, bytes).map_err(|reached| Failure::Refused(reached.into()))?;
                }
                Ok(Decision { answer: (), writes: Writes { new_pieces: vec![row], ..Writes::default() } })
            };
            add.boxed()
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
        event_id: EventId,
        at: Timestamp,
    ) -> Result<ImportJob, ImportError> {
        let environment = self.environment(scope.owner).await?.ok_or(ImportError::Unknown)?;
        let (by, auditing) = (scope.clone(), Auditing::of(self, scope).await?);
        let amend = self.write(Author::from(scope), environment, move |unit| {
            let (by, auditing) = (by.clone(), auditing.clone());
            let amend = async move {
                let row =
                    unit.lock_import(environment, id.into()).await?.ok_or(Failure::Refused(ImportError::Unknown))?;
                let import = row.import(by.owner).map_err(|error| Failure::Refused(error.into()))?;
                let import = import.amended(amendment, at).map_err(|error| Failure::Refused(error.into()))?;
                let mut writes = Writes { imports: vec![ImportRow::new(environment, &import)], ..Writes::default() };
                auditing.note(&mut writes, Act::import_amended(id, amendment), at);
                let event =
                    event_of_end(&mut writes, environment, &import, event_id, (&by.actor, by.origin.request_id()));
                event.map_err(|error| Failure::Refused(error.into()))?;
                if import.state.is_final() {
                    remove_pieces(unit, &mut writes, environment, id.into()).await?;
                }
                Ok(Decision { answer: import, writes })
            };
            amend.boxed()
        });
        let import = amend.await?;
        metrics::import_ended(&import);
        Ok(import)
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

    async fn import_load(&self, _scope: &SystemScope) -> Result<ImportLoad, StoreError> {
        let found = self.read(Pace::list(Party::System), move |unit| {
            async move { Ok((unit.imports_at_work().await?, unit.count_pieces().await?)) }.boxed()
        });
        let (rows, pieces) = found.await?;
        let owners = self.owners_of(rows.iter().map(|row| row.environment)).await?;
        let bytes = u64::try_from(pieces).unwrap_or_default().saturating_mul(ImportJob::PIECE_BYTES as u64);
        let mut load = ImportLoad { file_bytes: bytes, ..ImportLoad::default() };
        for row in &rows {
            if let Some(owner) = owners.get(&row.environment) {
                load.add(&row.import(*owner)?);
            }
        }
        Ok(load)
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
        let chunk = Arc::new(chunk);
        let record = self.write(Author::system(), environment, move |unit| {
            let (chunk, scope, auditing) = (chunk.clone(), (scope.clone(), key.clone()), auditing.clone());
            async move { record(unit, environment, &chunk, scope, auditing).await }.boxed()
        });
        let Some((import, written)) = record.await? else { return Ok(None) };
        metrics::import_rows(written);
        metrics::import_ended(&import);
        Ok(Some(import))
    }

    async fn stop_import(
        &self,
        _scope: &SystemScope,
        holder: ImportHolder,
        problem: ImportProblem,
        event_id: EventId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(environment) = self.environment(holder.owner).await? else { return Ok(()) };
        let stop = self.write(Author::system(), environment, move |unit| {
            let (holder, problem) = (holder.clone(), problem.clone());
            let stop = async move {
                let Some(import) = lock_held(unit, environment, &holder).await? else {
                    return Ok(Decision::nothing(None));
                };
                let import = import.stopped(&problem, at);
                let mut writes = Writes { imports: vec![ImportRow::new(environment, &import)], ..Writes::default() };
                writes.marked = Some(environment);
                event_of_end(&mut writes, environment, &import, event_id, (&Actor::system(), None))
                    .map_err(Failure::Refused)?;
                remove_pieces(unit, &mut writes, environment, import.id.into()).await?;
                Ok::<_, Failure<StoreError>>(Decision { answer: Some(import), writes })
            };
            stop.boxed()
        });
        stop.await?.iter().for_each(metrics::import_ended);
        Ok(())
    }

    async fn forget_rows(&self, _scope: &SystemScope, holder: ImportHolder, limit: u32) -> Result<u64, StoreError> {
        let Some(environment) = self.environment(holder.owner).await? else { return Ok(0) };
        let forget = self.write(Author::system(), environment, move |unit| {
            let holder = holder.clone();
            let forget = async move {
                let Some(import) = lock_held(unit, environment, &holder).await? else {
                    return Ok(Decision::nothing(0));
                };
                let id = Key::from(import.id);
                let numbers = unit.failed_row_numbers(environment, id, limit.into()).await?;
                let removed = numbers.len() as u64;
                let gone = numbers.into_iter().map(|number| FailedRowPlaceRow { environment, import: id, number });
                let mut writes = Writes { failed_rows_gone: gone.collect(), ..Writes::default() };
                writes.marked = Some(environment);
                if removed < u64::from(limit) {
                    writes.imports.push(ImportRow::new(environment, &import.forgotten()));
                }
                Ok::<_, Failure<StoreError>>(Decision { answer: removed, writes })
            };
            forget.boxed()
        });
        forget.await
    }
}

/// An import, locked, if the holder has its lease.
async fn lock_held(
    unit: &dyn Reads,
    environment: i32,
    holder: &ImportHolder,
) -> Result<Option<ImportJob>, Failure<StoreError>> {
    let row = unit.lock_import(environment, holder.id.into()).await?;
    let row = row.filter(|row| row.holder.as_deref() == Some(holder.holder.as_str()));
    row.map(|row| row.import(holder.owner)).transpose().map_err(Failure::Refused)
}

impl Store {
    async fn import_of(&self, environment: i32, chunk: &ImportChunk) -> Result<Option<ImportJob>, StoreError> {
        let (id, owner) = (chunk.id, chunk.owner);
        let row = self.read(Pace::LookUp, move |unit| unit.import(environment, id.into()).boxed()).await?;
        row.map(|row| row.import(owner)).transpose()
    }
}
