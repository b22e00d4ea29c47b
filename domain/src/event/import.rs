//! Events of imports.

use super::EventType;
use crate::{
    ids::{EventId, ImportId},
    import::{ImportCounts, ImportFormat, ImportJob, ImportMode, ImportPreset, ImportState},
    lifecycle::Owner,
    tenancy::{Actor, RequestId},
    time::Timestamp,
};

/// The end of an import. It is written in the transaction that ends the import, after the events of its last rows.
///
/// ```
/// use patron_domain::{
///     event::{ImportEvent, ImportEventKind}, import::ImportAmendment, tenancy::Actor, testkit::{a_time, an_id, an_import},
/// };
///
/// let cancelled = an_import().amended(ImportAmendment::Cancel, a_time()).unwrap();
/// let event = ImportEvent::of(an_id(1), &cancelled, Actor::system(), None).unwrap();
/// assert_eq!(event.kind, ImportEventKind::Cancelled);
/// assert_eq!(ImportEvent::of(an_id(1), &an_import(), Actor::system(), None), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportEvent {
    /// The id.
    pub id: EventId,
    /// How the import ended.
    pub kind: ImportEventKind,
    /// The time of the end.
    pub at: Timestamp,
    /// The actor: the uploader, or the person who cancelled the import.
    pub actor: Actor,
    /// The request.
    pub request_id: Option<RequestId>,
    /// The import.
    pub state: ImportSummary,
}

/// How an import ended.
///
/// ```
/// use patron_domain::event::ImportEventKind;
///
/// assert_eq!(ImportEventKind::Completed.event_type().as_str(), "import.completed");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImportEventKind {
    /// Every row was written, or failed by itself.
    Completed,
    /// It could not continue.
    Failed,
    /// It was cancelled, or was never started.
    Cancelled,
}

impl ImportEventKind {
    /// The type on the wire and in stores, such as `import.completed`.
    #[must_use]
    pub fn event_type(self) -> EventType {
        match self {
            Self::Completed => EventType::ImportCompleted,
            Self::Failed => EventType::ImportFailed,
            Self::Cancelled => EventType::ImportCancelled,
        }
    }
}

/// An import that has ended, without the contents of its file.
///
/// ```
/// use patron_domain::{event::ImportSummary, import::ImportState, testkit::an_import};
///
/// assert_eq!(ImportSummary::of(&an_import()).state, ImportState::Checking);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportSummary {
    /// The id.
    pub id: ImportId,
    /// The environment.
    pub owner: Owner,
    /// The state.
    pub state: ImportState,
    /// The format of the file.
    pub format: ImportFormat,
    /// The product whose columns the file has.
    pub preset: ImportPreset,
    /// What a row does.
    pub mode: ImportMode,
    /// The size of the file.
    pub bytes: u64,
    /// The number of rows in the file.
    pub rows: u64,
    /// The rows by outcome.
    pub counts: ImportCounts,
    /// When it was uploaded.
    pub created_at: Timestamp,
    /// Who uploaded it.
    pub created_by: Actor,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

impl ImportSummary {
    /// The summary of an import.
    #[must_use]
    pub fn of(import: &ImportJob) -> Self {
        Self {
            id: import.id,
            owner: import.owner,
            state: import.state,
            format: import.options.format,
            preset: import.options.preset,
            mode: import.options.mode,
            bytes: import.bytes,
            rows: import.rows,
            counts: import.counts,
            created_at: import.audit.created_at,
            created_by: import.audit.created_by.clone(),
            ended_at: import.ended_at,
        }
    }
}

impl ImportEvent {
    /// The event of an import that has ended; `None` if it has not ended, or is a dry run, which writes no events.
    #[must_use]
    pub fn of(id: EventId, import: &ImportJob, actor: Actor, request_id: Option<RequestId>) -> Option<Self> {
        let kind = match import.state {
            _ if import.options.dry_run => return None,
            ImportState::Completed | ImportState::CompletedWithErrors => ImportEventKind::Completed,
            ImportState::Failed => ImportEventKind::Failed,
            ImportState::Cancelled => ImportEventKind::Cancelled,
            ImportState::Uploading | ImportState::Checking | ImportState::Ready | ImportState::Running => return None,
        };
        let at = import.ended_at.unwrap_or(import.audit.updated_at);
        Some(Self { id, kind, at, actor, request_id, state: ImportSummary::of(import) })
    }
}
