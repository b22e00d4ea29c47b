//! Imports, and rows that failed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Stored, StoredError, read,
    values::{Int, Text, V1, audit_of, int_unless, is_false, text_unless, word_texts},
    write,
};
use crate::{
    ids::ImportId,
    import::{
        BlankCells, FailedRow, ImportCounts, ImportDiff, ImportEncoding, ImportFormat, ImportJob, ImportMode,
        ImportOptions, ImportPreset, ImportState, RowFault, RowOutcome, UnmappedColumns,
    },
    lifecycle::Owner,
    tenancy::Actor,
    time::Timestamp,
};

word_texts!(
    ImportState,
    ImportFormat,
    ImportPreset,
    ImportMode,
    UnmappedColumns,
    BlankCells,
    ImportEncoding,
    RowOutcome
);

fn is_zero(value: &u64) -> bool {
    *value == 0
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OptionsForm<'a> {
    format: Text<'a, ImportFormat>,
    preset: Text<'a, ImportPreset>,
    mode: Text<'a, ImportMode>,
    #[serde(default, skip_serializing_if = "is_false")]
    dry_run: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    confirm: bool,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    columns: BTreeMap<String, String>,
    unmapped: Text<'a, UnmappedColumns>,
    blank: Text<'a, BlankCells>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delimiter: Option<u8>,
    encoding: Text<'a, ImportEncoding>,
    skip_onboarding: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id_from: Option<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    lift_metadata: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    unchecked_tax_ids: bool,
}

impl<'a> OptionsForm<'a> {
    fn of(options: &'a ImportOptions) -> Self {
        Self {
            format: Text::of(&options.format),
            preset: Text::of(&options.preset),
            mode: Text::of(&options.mode),
            dry_run: options.dry_run,
            confirm: options.confirm,
            columns: options.columns.clone(),
            unmapped: Text::of(&options.unmapped),
            blank: Text::of(&options.blank),
            delimiter: options.delimiter,
            encoding: Text::of(&options.encoding),
            skip_onboarding: options.skip_onboarding,
            external_id_from: options.external_id_from.clone(),
            lift_metadata: options.lift_metadata,
            unchecked_tax_ids: options.unchecked_tax_ids,
        }
    }

    fn take(self) -> ImportOptions {
        ImportOptions {
            format: self.format.take(),
            preset: self.preset.take(),
            mode: self.mode.take(),
            dry_run: self.dry_run,
            confirm: self.confirm,
            columns: self.columns,
            unmapped: self.unmapped.take(),
            blank: self.blank.take(),
            delimiter: self.delimiter,
            encoding: self.encoding.take(),
            skip_onboarding: self.skip_onboarding,
            external_id_from: self.external_id_from,
            lift_metadata: self.lift_metadata,
            unchecked_tax_ids: self.unchecked_tax_ids,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DiffForm<'a> {
    row: u64,
    external_id: String,
    outcome: Text<'a, RowOutcome>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    changed: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ImportForm<'a> {
    #[serde(default, skip_serializing_if = "V1::goes_unsaid")]
    v: V1,
    id: Text<'a, ImportId>,
    options: OptionsForm<'a>,
    state: Text<'a, ImportState>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    digest: String,
    #[serde(default, skip_serializing_if = "is_zero")]
    bytes: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    rows: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    header: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ignored: Vec<String>,
    #[serde(default, skip_serializing_if = "is_zero")]
    bytes_done: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    rows_done: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    created: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    updated: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    unchanged: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    failed: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    diffs: Vec<DiffForm<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_at: Option<Int<Timestamp>>,
    phase_at: Int<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Int<Timestamp>>,
    created_at: Int<Timestamp>,
    created_by: Text<'a, Actor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<Int<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_by: Option<Text<'a, Actor>>,
}

impl Stored for ImportJob {
    const NAME: &'static str = "import";

    fn to_document(&self) -> String {
        let diff = |diff: &ImportDiff| DiffForm {
            row: diff.row,
            external_id: diff.external_id.clone(),
            outcome: diff.outcome.into(),
            changed: diff.changed.clone(),
        };
        write(&ImportForm {
            v: V1,
            id: Text::of(&self.id),
            options: OptionsForm::of(&self.options),
            state: Text::of(&self.state),
            digest: self.digest.clone(),
            bytes: self.bytes,
            rows: self.rows,
            header: self.header.clone(),
            ignored: self.ignored.clone(),
            bytes_done: self.bytes_done,
            rows_done: self.rows_done,
            created: self.counts.created,
            updated: self.counts.updated,
            unchanged: self.counts.unchanged,
            failed: self.counts.failed,
            diffs: self.diffs.iter().map(diff).collect(),
            failure: self.failure.clone(),
            due_at: self.due_at.map(Int),
            phase_at: Int(self.phase_at),
            ended_at: self.ended_at.map(Int),
            created_at: Int(self.audit.created_at),
            created_by: Text::of(&self.audit.created_by),
            updated_at: int_unless(self.audit.created_at, self.audit.updated_at),
            updated_by: text_unless(&self.audit.created_by, &self.audit.updated_by),
        })
    }

    fn from_document(owner: Owner, document: &str) -> Result<Self, StoredError> {
        let form = read::<ImportForm<'_>>(Self::NAME, document)?;
        let diff = |diff: DiffForm<'_>| ImportDiff {
            row: diff.row,
            external_id: diff.external_id,
            outcome: diff.outcome.take(),
            changed: diff.changed,
        };
        let counts = ImportCounts {
            created: form.created,
            updated: form.updated,
            unchanged: form.unchanged,
            failed: form.failed,
        };
        Ok(Self {
            id: form.id.take(),
            owner,
            options: form.options.take(),
            state: form.state.take(),
            digest: form.digest,
            bytes: form.bytes,
            rows: form.rows,
            header: form.header,
            ignored: form.ignored,
            bytes_done: form.bytes_done,
            rows_done: form.rows_done,
            counts,
            diffs: form.diffs.into_iter().map(diff).collect(),
            failure: form.failure,
            due_at: form.due_at.map(|at| at.0),
            phase_at: form.phase_at.0,
            ended_at: form.ended_at.map(|at| at.0),
            audit: audit_of(form.created_at, form.created_by, form.updated_at, form.updated_by),
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultForm {
    path: String,
    rule: String,
    message: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FailedRowForm {
    #[serde(default, skip_serializing_if = "V1::goes_unsaid")]
    v: V1,
    row: u64,
    line: u64,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    external_id: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    faults: Vec<FaultForm>,
    original: String,
}

impl Stored for FailedRow {
    const NAME: &'static str = "import_row";

    fn to_document(&self) -> String {
        let fault = |fault: &RowFault| FaultForm {
            path: fault.path.clone(),
            rule: fault.rule.clone(),
            message: fault.message.clone(),
        };
        write(&FailedRowForm {
            v: V1,
            row: self.row,
            line: self.line,
            external_id: self.external_id.clone(),
            faults: self.faults.iter().map(fault).collect(),
            original: self.original.clone(),
        })
    }

    fn from_document(_: Owner, document: &str) -> Result<Self, StoredError> {
        let form = read::<FailedRowForm>(Self::NAME, document)?;
        let fault = |FaultForm { path, rule, message }: FaultForm| RowFault { path, rule, message };
        Ok(Self {
            row: form.row,
            line: form.line,
            external_id: form.external_id,
            faults: form.faults.into_iter().map(fault).collect(),
            original: form.original,
        })
    }
}
