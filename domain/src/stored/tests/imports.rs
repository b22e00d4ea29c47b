//! The stored form of imports.

use super::is_golden;
use crate::{
    event::ImportSummary,
    import::{
        BlankCells, FailedRow, ImportCounts, ImportDiff, ImportEncoding, ImportFormat, ImportJob, ImportMode,
        ImportOptions, ImportPreset, ImportState, RowFault, RowOutcome, UnmappedColumns,
    },
    testkit::{a_time, an_import},
};

/// An import with every member.
fn a_full_import() -> ImportJob {
    let import = an_import();
    let options = ImportOptions {
        dry_run: true,
        confirm: true,
        columns: [("Kunde".to_owned(), "name".to_owned())].into(),
        unmapped: UnmappedColumns::Metadata,
        blank: BlankCells::Clear,
        delimiter: Some(b';'),
        encoding: ImportEncoding::Windows1252,
        skip_onboarding: false,
        external_id_from: Some("metadata.crm".to_owned()),
        lift_metadata: true,
        unchecked_tax_ids: true,
        ..ImportOptions::new(ImportFormat::Ndjson, ImportPreset::Stripe, ImportMode::Upsert)
    };
    let diff = ImportDiff {
        row: 1,
        external_id: "acme".to_owned(),
        outcome: RowOutcome::Updated,
        changed: vec!["name".to_owned()],
    };
    ImportJob {
        options,
        state: ImportState::Failed,
        header: vec!["Kunde".to_owned()],
        ignored: vec!["Plan".to_owned()],
        bytes_done: 20,
        rows_done: 1,
        counts: ImportCounts { created: 1, updated: 2, unchanged: 3, failed: 4 },
        diffs: vec![diff],
        failure: Some("the file could not be read".to_owned()),
        ended_at: Some(a_time()),
        ..import
    }
}

#[test]
fn an_import_and_its_rows_lose_nothing() {
    is_golden("import.v1.minimal", &an_import());
    is_golden("import.v1.full", &a_full_import());
    is_golden("import_summary.v1.minimal", &ImportSummary::of(&an_import()));
    is_golden("import_summary.v1.full", &ImportSummary::of(&a_full_import()));
    let fault = RowFault { path: "email".to_owned(), rule: "email".to_owned(), message: "correct it".to_owned() };
    let row = FailedRow {
        row: 3,
        line: 4,
        external_id: "acme".to_owned(),
        faults: vec![fault],
        original: "[\"acme\",\"x\"]".to_owned(),
    };
    is_golden("import_row.v1.full", &row);
}
