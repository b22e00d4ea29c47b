//! An import as a job. Every transition is a pure function.

use std::time::Duration;

use super::{ImportCounts, ImportDiff, ImportOptions, RowOutcome, RowResult};
use crate::{
    ids::ImportId,
    lifecycle::{Audit, Owner},
    time::Timestamp,
    words::words,
};

/// The state of an import.
///
/// ```
/// use patron_domain::import::ImportState;
///
/// assert!(ImportState::Completed.is_final() && !ImportState::Ready.is_final());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ImportState {
    /// The file is being uploaded.
    Uploading,
    /// Every row is checked.
    Checking,
    /// The check is done, and a person must start the import.
    Ready,
    /// Rows are written.
    Running,
    /// Every row was written.
    Completed,
    /// Some rows were written, and others failed.
    CompletedWithErrors,
    /// The import could not continue.
    Failed,
    /// A person cancelled it, or did not start it in time. Rows that were written stay.
    Cancelled,
}

words!(
    ImportState, "uploading, checking, ready, running, completed, completed_with_errors, failed, cancelled",
    Uploading => "uploading", Checking => "checking", Ready => "ready", Running => "running", Completed => "completed",
    CompletedWithErrors => "completed_with_errors", Failed => "failed", Cancelled => "cancelled",
);

impl ImportState {
    /// Whether the import has ended.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::CompletedWithErrors | Self::Failed | Self::Cancelled)
    }
}

/// The work of an import.
///
/// ```
/// use patron_domain::import::ImportPhase;
///
/// assert_ne!(ImportPhase::Check, ImportPhase::Write);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportPhase {
    /// Every row is checked by itself.
    Check,
    /// Every row is checked, and decided without being written.
    Decide,
    /// Rows are written.
    Write,
}

/// A person's change of an import.
///
/// ```
/// use patron_domain::import::ImportAmendment;
///
/// assert_ne!(ImportAmendment::Start, ImportAmendment::Cancel);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportAmendment {
    /// Write the rows of an import that is ready.
    Start,
    /// End it. Rows that were written stay.
    Cancel,
}

/// Why an import ends without having written its rows.
///
/// ```
/// use patron_domain::import::ImportProblem;
///
/// assert_eq!(ImportProblem::NotStarted.to_string(), "the import was not started within 7 days of its check; upload the file again");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportProblem {
    /// The file cannot be read.
    #[error("{0}")]
    Unreadable(String),
    /// The upload did not end.
    #[error("the upload was interrupted; upload the file again")]
    Interrupted,
    /// It was ready, and was not started in time.
    #[error("the import was not started within {} days of its check; upload the file again", ImportJob::MAX_WAIT.as_secs() / 86_400)]
    NotStarted,
}

/// The work of an import that is due.
///
/// ```
/// use patron_domain::{import::{ImportPhase, ImportWork}, testkit::an_import};
///
/// assert_eq!(an_import().due_work(), Some(ImportWork::Rows(ImportPhase::Check)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportWork {
    /// To go on with its rows.
    Rows(ImportPhase),
    /// To end it.
    End(ImportProblem),
    /// To remove what it holds about customers: the rows that failed, and the differences.
    Forget,
}

/// The state of an import does not allow a change.
///
/// ```
/// use patron_domain::import::ImportRefusal;
///
/// assert_eq!(ImportRefusal::DryRun.to_string(), "a dry run cannot be started; upload the file again without dry_run");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportRefusal {
    /// It is not ready.
    #[error("the import is {0}; only an import that is ready can be started")]
    NotReady(ImportState),
    /// It was uploaded as a dry run.
    #[error("a dry run cannot be started; upload the file again without dry_run")]
    DryRun,
    /// It has ended.
    #[error("the import is {0} and cannot be cancelled")]
    Ended(ImportState),
}

/// An import.
///
/// ```
/// use patron_domain::{import::{ImportAmendment, ImportState}, testkit::{a_time, an_import}};
///
/// let import = an_import();
/// assert_eq!(import.state, ImportState::Checking);
/// let cancelled = import.amended(ImportAmendment::Cancel, a_time()).unwrap();
/// assert!(cancelled.state.is_final() && cancelled.amended(ImportAmendment::Cancel, a_time()).is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportJob {
    /// The id.
    pub id: ImportId,
    /// The environment.
    pub owner: Owner,
    /// The options.
    pub options: ImportOptions,
    /// The state.
    pub state: ImportState,
    /// A hash of the file and the options, in hexadecimal digits.
    pub digest: String,
    /// The size of the file.
    pub bytes: u64,
    /// The number of rows in the file.
    pub rows: u64,
    /// The columns of a CSV file.
    pub header: Vec<String>,
    /// The columns and members that are ignored.
    pub ignored: Vec<String>,
    /// The bytes that the current phase is done with.
    pub bytes_done: u64,
    /// The rows that the current phase is done with.
    pub rows_done: u64,
    /// The rows by outcome.
    pub counts: ImportCounts,
    /// The first rows and what they would change, after a check that decides.
    pub diffs: Vec<ImportDiff>,
    /// Why it failed, or ended by itself.
    pub failure: Option<String>,
    /// When its next work is due; `None` if it has none.
    pub due_at: Option<Timestamp>,
    /// When the current phase began.
    pub phase_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Who uploaded it, and when it changed.
    pub audit: Audit,
}

impl ImportJob {
    /// The most diffs that are kept.
    pub const MAX_DIFFS: usize = 100;
    /// The most rows of a file.
    pub const MAX_ROWS: u64 = 2_000_000;
    /// The most bytes of a file, and of its content if it is compressed.
    pub const MAX_BYTES: u64 = 1_073_741_824;
    /// The most bytes of a piece of a file.
    pub const PIECE_BYTES: usize = 1_048_576;
    /// The longest time of an upload.
    pub const MAX_UPLOAD: Duration = Duration::from_secs(86_400);
    /// The time that an import stays ready. Then it ends by itself.
    pub const MAX_WAIT: Duration = Duration::from_secs(7 * 86_400);
    /// The time for which the rows that failed and the differences are kept after the end.
    pub const DETAILS_KEPT: Duration = Duration::from_secs(30 * 86_400);

    /// An import whose upload begins.
    #[must_use]
    pub fn begin(id: ImportId, owner: Owner, options: ImportOptions, audit: Audit) -> Self {
        Self {
            id,
            owner,
            options,
            state: ImportState::Uploading,
            digest: String::new(),
            bytes: 0,
            rows: 0,
            header: Vec::new(),
            ignored: Vec::new(),
            bytes_done: 0,
            rows_done: 0,
            counts: ImportCounts::default(),
            diffs: Vec::new(),
            failure: None,
            due_at: Some(audit.created_at.later(Self::MAX_UPLOAD)),
            phase_at: audit.created_at,
            ended_at: None,
            audit,
        }
    }

    /// The import after its upload: the rows are to be checked.
    #[must_use]
    pub fn uploaded(self, at: Timestamp) -> Self {
        Self { state: ImportState::Checking, due_at: Some(at), ..self.phase(at) }
    }

    /// The work on its rows that is next; `None` if there is none.
    #[must_use]
    pub fn work(&self) -> Option<ImportPhase> {
        match self.state {
            ImportState::Checking if self.options.stops_at_ready() => Some(ImportPhase::Decide),
            ImportState::Checking => Some(ImportPhase::Check),
            ImportState::Running => Some(ImportPhase::Write),
            _ => None,
        }
    }

    /// The work when [`Self::due_at`] has come. `None` if nothing is ever due.
    #[must_use]
    pub fn due_work(&self) -> Option<ImportWork> {
        self.due_at?;
        Some(match self.state {
            ImportState::Uploading => ImportWork::End(ImportProblem::Interrupted),
            ImportState::Ready => ImportWork::End(ImportProblem::NotStarted),
            _ if self.state.is_final() => ImportWork::Forget,
            _ => ImportWork::Rows(self.work()?),
        })
    }

    /// Whether its file is still needed: until it has ended, and of a dry run until it is ready.
    #[must_use]
    pub fn needs_file(&self) -> bool {
        match self.state {
            ImportState::Ready => !self.options.dry_run,
            state => !state.is_final(),
        }
    }

    /// Adds columns and members that are ignored, at most [`Self::MAX_DIFFS`] in all.
    #[must_use]
    pub fn ignoring(mut self, names: &[String]) -> Self {
        for name in names {
            if !self.ignored.contains(name) && self.ignored.len() < Self::MAX_DIFFS {
                self.ignored.push(name.clone());
            }
        }
        self
    }

    /// The state after further rows. `rows_done` and `bytes_done` count from the beginning of the file; `end` says whether
    /// it ends there.
    #[must_use]
    pub fn after_rows(
        &self,
        results: &[RowResult],
        (rows_done, bytes_done): (u64, u64),
        end: bool,
        at: Timestamp,
    ) -> Self {
        let mut next = Self { rows_done, bytes_done, ..self.clone() };
        for result in results {
            next.counts.add(result.outcome);
            let diff = result.diff.iter().filter(|diff| diff.outcome != RowOutcome::Unchanged);
            next.diffs.extend(diff.take(Self::MAX_DIFFS - next.diffs.len().min(Self::MAX_DIFFS)).cloned());
        }
        next.audit.updated_at = at;
        if !end {
            return next;
        }
        match next.state {
            ImportState::Checking if next.options.stops_at_ready() => {
                Self { state: ImportState::Ready, due_at: Some(at.later(Self::MAX_WAIT)), ..next }
            }
            ImportState::Checking => next.running(at),
            _ if next.counts.failed > 0 => next.ended(ImportState::CompletedWithErrors, at),
            _ => next.ended(ImportState::Completed, at),
        }
    }

    /// The state after a person's change.
    ///
    /// # Errors
    /// When the state does not allow it.
    pub fn amended(&self, amendment: ImportAmendment, at: Timestamp) -> Result<Self, ImportRefusal> {
        match amendment {
            ImportAmendment::Start if self.state != ImportState::Ready => Err(ImportRefusal::NotReady(self.state)),
            ImportAmendment::Start if self.options.dry_run => Err(ImportRefusal::DryRun),
            ImportAmendment::Start => Ok(self.clone().running(at)),
            ImportAmendment::Cancel if self.state.is_final() => Err(ImportRefusal::Ended(self.state)),
            ImportAmendment::Cancel => Ok(self.clone().ended(ImportState::Cancelled, at)),
        }
    }

    /// The import ends because of a problem.
    #[must_use]
    pub fn stopped(&self, problem: &ImportProblem, at: Timestamp) -> Self {
        let state = match problem {
            ImportProblem::NotStarted => ImportState::Cancelled,
            ImportProblem::Unreadable(_) | ImportProblem::Interrupted => ImportState::Failed,
        };
        Self { failure: Some(problem.to_string()), ..self.clone().ended(state, at) }
    }

    /// The import without what it holds about customers, long after its end.
    #[must_use]
    pub fn forgotten(&self) -> Self {
        Self { diffs: Vec::new(), due_at: None, ..self.clone() }
    }

    fn running(self, at: Timestamp) -> Self {
        Self { state: ImportState::Running, due_at: Some(at), counts: ImportCounts::default(), ..self.phase(at) }
    }

    fn ended(mut self, state: ImportState, at: Timestamp) -> Self {
        self.audit.updated_at = at;
        Self { state, due_at: Some(at.later(Self::DETAILS_KEPT)), ended_at: Some(at), ..self }
    }

    fn phase(mut self, at: Timestamp) -> Self {
        self.audit.updated_at = at;
        Self { rows_done: 0, bytes_done: 0, phase_at: at, ..self }
    }
}

#[cfg(test)]
mod tests;
