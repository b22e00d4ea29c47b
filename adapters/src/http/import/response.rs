//! Imports in responses.

use patron_domain::{
    event::ImportSummary,
    ids::ImportId,
    import::{FailedRow, ImportCounts, ImportDiff, ImportJob, ImportState, RowFault},
    tenancy::Actor,
    time::Timestamp,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::{list::page_of, openapi::exactly};

/// One import.
#[derive(Serialize, ToSchema)]
#[schema(as = Import)]
pub(super) struct ImportResponse<'a> {
    #[schema(schema_with = exactly::<ImportId>)]
    id: ImportId,
    #[schema(schema_with = exactly::<ImportState>)]
    state: ImportState,
    format: &'static str,
    preset: &'static str,
    mode: &'static str,
    dry_run: bool,
    confirm: bool,
    /// The size of the file in bytes.
    bytes: u64,
    /// The number of rows in the file.
    rows: u64,
    /// The bytes that the current phase is done with.
    bytes_done: u64,
    /// The rows that the current phase is done with.
    rows_done: u64,
    /// The rows a second of the current phase.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    rows_per_second: Option<u64>,
    /// About how many seconds the current phase still takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    seconds_left: Option<u64>,
    counts: CountsResponse,
    /// The columns and members that are ignored; at most 100.
    ignored: &'a [String],
    /// The first 100 rows that would change something, after a check with `dry_run` or `confirm`.
    diffs: Vec<DiffResponse<'a>>,
    /// Why the import failed, or ended by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    failure: Option<&'a str>,
    #[schema(schema_with = exactly::<Timestamp>)]
    created_at: Timestamp,
    #[schema(schema_with = exactly::<Actor>)]
    created_by: &'a Actor,
    #[schema(schema_with = exactly::<Timestamp>)]
    updated_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<Timestamp>)]
    ended_at: Option<Timestamp>,
}

/// The rows by what happened to them, or would happen.
#[derive(Serialize, ToSchema)]
#[schema(as = ImportCounts)]
struct CountsResponse {
    created: u64,
    updated: u64,
    unchanged: u64,
    failed: u64,
}

impl CountsResponse {
    fn new(counts: ImportCounts) -> Self {
        let ImportCounts { created, updated, unchanged, failed } = counts;
        Self { created, updated, unchanged, failed }
    }
}

/// An import that has ended, as events show it.
#[derive(Serialize, ToSchema)]
#[schema(as = EndedImport)]
pub(crate) struct ImportSummaryResponse<'a> {
    #[schema(schema_with = exactly::<ImportId>)]
    id: ImportId,
    #[schema(schema_with = exactly::<ImportState>)]
    state: ImportState,
    format: &'static str,
    preset: &'static str,
    mode: &'static str,
    /// The size of the file in bytes.
    bytes: u64,
    /// The number of rows in the file.
    rows: u64,
    counts: CountsResponse,
    #[schema(schema_with = exactly::<Timestamp>)]
    created_at: Timestamp,
    #[schema(schema_with = exactly::<Actor>)]
    created_by: &'a Actor,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<Timestamp>)]
    ended_at: Option<Timestamp>,
}

impl<'a> ImportSummaryResponse<'a> {
    pub(crate) fn new(import: &'a ImportSummary) -> Self {
        Self {
            id: import.id,
            state: import.state,
            format: import.format.as_str(),
            preset: import.preset.as_str(),
            mode: import.mode.as_str(),
            bytes: import.bytes,
            rows: import.rows,
            counts: CountsResponse::new(import.counts),
            created_at: import.created_at,
            created_by: &import.created_by,
            ended_at: import.ended_at,
        }
    }
}

/// What a row would change.
#[derive(Serialize, ToSchema)]
#[schema(as = ImportDiff)]
struct DiffResponse<'a> {
    /// The number of the row, from 1.
    row: u64,
    external_id: &'a str,
    /// `created` or `updated`.
    outcome: &'static str,
    /// The fields that an update would change.
    changed: &'a [String],
}

impl<'a> ImportResponse<'a> {
    pub(super) fn new(import: &'a ImportJob) -> Self {
        let options = &import.options;
        let (rows_per_second, seconds_left) = pace(import);
        Self {
            id: import.id,
            state: import.state,
            format: options.format.as_str(),
            preset: options.preset.as_str(),
            mode: options.mode.as_str(),
            dry_run: options.dry_run,
            confirm: options.confirm,
            bytes: import.bytes,
            rows: import.rows,
            bytes_done: import.bytes_done,
            rows_done: import.rows_done,
            rows_per_second,
            seconds_left,
            counts: CountsResponse::new(import.counts),
            ignored: &import.ignored,
            diffs: import.diffs.iter().map(DiffResponse::new).collect(),
            failure: import.failure.as_deref(),
            created_at: import.audit.created_at,
            created_by: &import.audit.created_by,
            updated_at: import.audit.updated_at,
            ended_at: import.ended_at,
        }
    }
}

/// The rows a second, and the seconds that are left; `None` before the first rows.
fn pace(import: &ImportJob) -> (Option<u64>, Option<u64>) {
    let micros = import.audit.updated_at.micros().saturating_sub(import.phase_at.micros());
    let Some(micros) = u64::try_from(micros).ok().filter(|micros| *micros > 0 && import.rows_done > 0) else {
        return (None, None);
    };
    let rate = import.rows_done.saturating_mul(1_000_000) / micros;
    let left = import.rows.saturating_sub(import.rows_done);
    let seconds = import.work().and_then(|_| left.checked_div(rate));
    (Some(rate), seconds)
}

impl<'a> DiffResponse<'a> {
    fn new(diff: &'a ImportDiff) -> Self {
        let ImportDiff { row, external_id, outcome, changed } = diff;
        Self { row: *row, external_id, outcome: outcome.as_str(), changed }
    }
}

/// A page of imports.
#[derive(Serialize, ToSchema)]
#[schema(as = ImportList)]
pub(super) struct ImportList<'a> {
    items: Vec<ImportResponse<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<ImportId>)]
    next_cursor: Option<ImportId>,
}

impl<'a> ImportList<'a> {
    /// Builds a page from the imports found. One more than the limit was requested.
    pub(super) fn new(found: &'a [ImportJob], limit: u16) -> Self {
        let (shown, last) = page_of(found, limit);
        let next_cursor = last.map(|import| import.id);
        Self { items: shown.iter().map(ImportResponse::new).collect(), next_cursor }
    }
}

/// A row that failed.
#[derive(Serialize, ToSchema)]
#[schema(as = ImportRowError)]
pub(super) struct RowResponse<'a> {
    /// The number of the row, from 1.
    row: u64,
    /// The line of the file, from 1.
    line: u64,
    external_id: &'a str,
    details: Vec<FaultResponse<'a>>,
}

/// A fault of a row.
#[derive(Serialize, ToSchema)]
#[schema(as = ImportRowFault)]
struct FaultResponse<'a> {
    /// The place in the body of a create; empty if the row as a whole is wrong.
    path: &'a str,
    rule: &'a str,
    message: &'a str,
}

/// A page of rows that failed.
#[derive(Serialize, ToSchema)]
#[schema(as = ImportRowErrorList)]
pub(super) struct RowList<'a> {
    items: Vec<RowResponse<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<u64>,
}

impl<'a> RowList<'a> {
    /// Builds a page from the rows found. One more than the limit was requested.
    pub(super) fn new(found: &'a [FailedRow], limit: u16) -> Self {
        let (shown, last) = page_of(found, limit);
        let next_cursor = last.map(|row| row.row);
        let fault = |RowFault { path, rule, message }: &'a RowFault| FaultResponse { path, rule, message };
        let row = |row: &'a FailedRow| RowResponse {
            row: row.row,
            line: row.line,
            external_id: &row.external_id,
            details: row.faults.iter().map(fault).collect(),
        };
        Self { items: shown.iter().map(row).collect(), next_cursor }
    }
}
