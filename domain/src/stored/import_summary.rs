//! Imports in their events.

use serde::{Deserialize, Serialize};

use super::{
    Stored, StoredError, read,
    values::{Int, Text, V1},
    write,
};
use crate::{
    event::ImportSummary,
    ids::ImportId,
    import::{ImportCounts, ImportFormat, ImportMode, ImportPreset, ImportState},
    lifecycle::Owner,
    tenancy::Actor,
    time::Timestamp,
};

fn is_zero(value: &u64) -> bool {
    *value == 0
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SummaryForm<'a> {
    #[serde(default, skip_serializing_if = "V1::goes_unsaid")]
    v: V1,
    id: Text<'a, ImportId>,
    state: Text<'a, ImportState>,
    format: Text<'a, ImportFormat>,
    preset: Text<'a, ImportPreset>,
    mode: Text<'a, ImportMode>,
    bytes: u64,
    rows: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    created: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    updated: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    unchanged: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    failed: u64,
    created_at: Int<Timestamp>,
    created_by: Text<'a, Actor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Int<Timestamp>>,
}

impl Stored for ImportSummary {
    const NAME: &'static str = "import_summary";

    fn to_document(&self) -> String {
        write(&SummaryForm {
            v: V1,
            id: Text::of(&self.id),
            state: Text::of(&self.state),
            format: Text::of(&self.format),
            preset: Text::of(&self.preset),
            mode: Text::of(&self.mode),
            bytes: self.bytes,
            rows: self.rows,
            created: self.counts.created,
            updated: self.counts.updated,
            unchanged: self.counts.unchanged,
            failed: self.counts.failed,
            created_at: Int(self.created_at),
            created_by: Text::of(&self.created_by),
            ended_at: self.ended_at.map(Int),
        })
    }

    fn from_document(owner: Owner, document: &str) -> Result<Self, StoredError> {
        let form = read::<SummaryForm<'_>>(Self::NAME, document)?;
        let SummaryForm { created, updated, unchanged, failed, .. } = form;
        Ok(Self {
            id: form.id.take(),
            owner,
            state: form.state.take(),
            format: form.format.take(),
            preset: form.preset.take(),
            mode: form.mode.take(),
            bytes: form.bytes,
            rows: form.rows,
            counts: ImportCounts { created, updated, unchanged, failed },
            created_at: form.created_at.0,
            created_by: form.created_by.take(),
            ended_at: form.ended_at.map(|at| at.0),
        })
    }
}
