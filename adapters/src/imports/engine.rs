//! The work on one import: reads the file from its beginning, and records the rows that are not done yet.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use patron_domain::{
    Clock,
    custom_field::{CustomFieldDefinition, CustomFieldRepository},
    customer::{ChangeCustomer, CustomerChange, Stamp},
    ids::{IdGenerator, ImportKind},
    import::{
        ImportChunk, ImportClaim, ImportHolder, ImportJob, ImportPhase, ImportProblem, ImportRepository, ImportRow,
        ImportWork,
    },
    lifecycle::Owner,
    store::StoreError,
    tenancy::{Actor, EnvironmentScope, Quotas, SystemScope},
};
use tokio::{sync::mpsc, task::spawn_blocking};

use super::{
    file::FileProblem,
    pace::Pace,
    pipe::{PieceReader, PieceSender, pipe},
    rows::Rows,
};
use crate::commits::Commits;

/// About the most bytes of a transaction.
const CHUNK_BYTES: usize = 1_048_576;
/// The most rows that one transaction forgets.
const FORGET_ROWS: u32 = 200;

/// Works on imports.
#[derive(Clone)]
pub struct ImportEngine {
    /// The store.
    pub imports: Arc<dyn ImportRepository>,
    /// The definitions of custom fields.
    pub fields: Arc<dyn CustomFieldRepository>,
    /// The commits of the store, which pace imports while others write.
    pub commits: Arc<Commits>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of new ids.
    pub ids: Arc<dyn IdGenerator>,
    /// The quotas of every environment.
    pub quotas: Quotas,
    /// How long a lease lasts without progress. If the server fails, another one continues after this time.
    pub lease: Duration,
}

/// Rows that were read, and the place in the file after them.
struct Batch {
    rows: Vec<ImportRow>,
    after: u64,
    rows_done: u64,
    bytes_done: u64,
    end: bool,
    ignored: Vec<String>,
}

impl ImportEngine {
    /// Leases the import that is due longest, except those of some environments.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn claim(&self, without: Vec<Owner>) -> Result<Option<(String, ImportJob)>, StoreError> {
        let now = self.clock.now();
        let holder = self.ids.start(now).next_id::<ImportKind>().to_string();
        let claim = ImportClaim { holder: holder.clone(), now, until: now.later(self.lease), without };
        Ok(self.imports.claim_import(&SystemScope::patron(), claim).await?.map(|import| (holder, import)))
    }

    /// Works on a leased import until it ends or waits for a person, or until the lease is lost. Ends an import that has
    /// waited too long, and removes what one that ended long ago holds about customers.
    ///
    /// # Errors
    /// When the store fails. The import continues once its lease ends.
    pub async fn work(&self, holder: &str, import: ImportJob) -> Result<(), StoreError> {
        match import.due_work() {
            Some(ImportWork::Rows(_)) => self.work_on_rows(holder, import).await,
            Some(ImportWork::End(problem)) => self.stop(holder, &import, problem).await,
            Some(ImportWork::Forget) => self.forget(holder, &import).await,
            None => Ok(()),
        }
    }

    async fn forget(&self, holder: &str, import: &ImportJob) -> Result<(), StoreError> {
        let scope = SystemScope::patron();
        while self.imports.forget_rows(&scope, held(holder, import), FORGET_ROWS).await? == u64::from(FORGET_ROWS) {}
        Ok(())
    }

    async fn work_on_rows(&self, holder: &str, mut import: ImportJob) -> Result<(), StoreError> {
        while let Some(phase) = import.work() {
            match self.phase(holder, &import, phase).await? {
                Some(next) => import = next,
                None => return Ok(()),
            }
        }
        Ok(())
    }

    /// Works through the file once. `None` if the import cannot continue here.
    async fn phase(
        &self,
        holder: &str,
        import: &ImportJob,
        phase: ImportPhase,
    ) -> Result<Option<ImportJob>, StoreError> {
        let (pieces, reader, done) = pipe();
        let (batches, mut read) = mpsc::channel(1);
        let fields = self.definitions(import).await?;
        let pace = Pace::default();
        let (engine, job, size) = (self.clone(), import.clone(), pace.clone());
        let rows = spawn_blocking(move || engine.read(&job, &fields, &size, reader, &done, &batches));
        let mut feed = pin!(self.feed(import, pieces));
        let (mut fed, mut end) = (false, None);
        loop {
            let batch = tokio::select! {
                outcome = &mut feed, if !fed => {
                    outcome?;
                    fed = true;
                    continue;
                }
                batch = read.recv() => batch,
            };
            let Some(batch) = batch else { break };
            let is_end = batch.end;
            match pace.transaction(&self.commits, self.record(holder, import, phase, batch)).await? {
                Some(next) if is_end => end = Some(next),
                Some(_) => {}
                // Another server has the lease, or a person has cancelled the import.
                None => return Ok(None),
            }
        }
        drop(read);
        match rows.await.unwrap_or(Err(FileProblem::Unreadable)) {
            Ok(()) => Ok(end),
            Err(problem) => {
                self.stop(holder, import, ImportProblem::Unreadable(problem.to_string())).await?;
                Ok(None)
            }
        }
    }

    /// The definitions of custom fields, if rows may have values of theirs under other names.
    async fn definitions(&self, import: &ImportJob) -> Result<Vec<CustomFieldDefinition>, StoreError> {
        if !import.options.has_foreign_custom_fields() {
            return Ok(Vec::new());
        }
        self.fields.custom_fields(&EnvironmentScope::new(import.owner, Actor::system())).await
    }

    /// Passes the pieces of the file on.
    async fn feed(&self, import: &ImportJob, pieces: PieceSender) -> Result<(), StoreError> {
        for number in 0.. {
            match self.imports.piece(&SystemScope::patron(), import.owner, import.id, number).await? {
                Some(bytes) => {
                    if !pieces.send(bytes).await {
                        return Ok(());
                    }
                }
                None => break,
            }
        }
        pieces.end().await;
        Ok(())
    }

    async fn record(
        &self,
        holder: &str,
        import: &ImportJob,
        phase: ImportPhase,
        batch: Batch,
    ) -> Result<Option<ImportJob>, StoreError> {
        let Batch { rows, after, rows_done, bytes_done, end, ignored } = batch;
        let at = self.clock.now();
        let chunk = ImportChunk {
            id: import.id,
            owner: import.owner,
            holder: holder.to_owned(),
            keep_until: Some(at.later(self.lease)),
            phase,
            rows,
            after,
            rows_done,
            bytes_done: bytes_done.min(import.bytes),
            end,
            ignored,
            event_id: self.ids.start(at).next_id(),
            at,
        };
        self.imports.record_rows(&SystemScope::patron(), chunk).await
    }

    async fn stop(&self, holder: &str, import: &ImportJob, problem: ImportProblem) -> Result<(), StoreError> {
        let (scope, at) = (SystemScope::patron(), self.clock.now());
        self.imports.stop_import(&scope, held(holder, import), problem, self.ids.start(at).next_id(), at).await
    }

    /// Reads the file, on a thread of its own.
    fn read(
        &self,
        import: &ImportJob,
        fields: &[CustomFieldDefinition],
        pace: &Pace,
        pieces: PieceReader,
        done: &AtomicU64,
        batches: &mpsc::Sender<Batch>,
    ) -> Result<(), FileProblem> {
        let mut file = Rows::open(self, import, fields, pieces)?;
        let (mut rows, mut bytes, mut after) = (Vec::new(), 0, import.rows_done);
        loop {
            let next = file.next()?;
            let is_full = rows.len() >= pace.rows() || bytes >= CHUNK_BYTES;
            if is_full || next.is_none() {
                let before = file.count() - u64::from(next.is_some());
                let (rows_done, bytes_done) = (before.max(after), done.load(Ordering::Relaxed));
                let (rows, ignored) = (std::mem::take(&mut rows), file.ignored());
                let batch = Batch { rows, after, rows_done, bytes_done, end: next.is_none(), ignored };
                if batches.blocking_send(batch).is_err() {
                    return Ok(());
                }
                (after, bytes) = (rows_done, 0);
            }
            let Some(row) = next else { return Ok(()) };
            bytes += row.as_ref().map_or(0, |row| row.row.original.len());
            rows.extend(row);
        }
    }

    /// The command of a change.
    pub(super) fn command(&self, change: CustomerChange) -> ChangeCustomer {
        let at = self.clock.now();
        let stamp = Stamp { ids: self.ids.start(at), at, request_id: None };
        ChangeCustomer { quota: self.quotas.customers, ..ChangeCustomer::new(change, stamp) }
    }
}

/// The lease of an import.
fn held(holder: &str, import: &ImportJob) -> ImportHolder {
    ImportHolder { id: import.id, owner: import.owner, holder: holder.to_owned() }
}
