//! The options of an import, from the query.

use std::collections::BTreeMap;

use patron_domain::{
    import::{
        BlankCells, ColumnTarget, ImportEncoding, ImportFormat, ImportMode, ImportOptions, ImportPreset,
        UnmappedColumns,
    },
    violation::{Rule, Violations},
};

use crate::http::query::Query;

/// The parameters of an upload.
pub(super) const NAMES: [&str; 15] = [
    "format",
    "preset",
    "mode",
    "dry_run",
    "confirm",
    "columns",
    "unmapped",
    "blank",
    "delimiter",
    "encoding",
    "skip_onboarding",
    "external_id_from",
    "lift_metadata",
    "tax_ids",
    "again",
];

/// A parameter that cannot be used.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(
        "columns must be a JSON object from the names of columns to the names of fields, such as {{\"Kunde\": \"name\"}}"
    )]
    Columns,
    #[error("delimiter must be one ASCII character, such as , or ; (send a tab as %09)")]
    Delimiter,
    #[error("external_id_from must be metadata. and a key, and is for the preset stripe")]
    ExternalIdFrom,
    #[error("tax_ids must be checked or unchecked")]
    TaxIds,
}

impl Rule for Fault {
    fn rule(&self) -> &'static str {
        match self {
            Self::Columns => "json",
            Self::Delimiter => "delimiter",
            Self::ExternalIdFrom => "metadata_key",
            Self::TaxIds => "one_of",
        }
    }
}

/// The options, and whether a file that was imported before is accepted. `None` if a parameter is invalid.
pub(super) fn options(query: &Query<'_>, broken: &mut Violations) -> Option<(ImportOptions, bool)> {
    query.only(&NAMES, broken);
    query.required("format", broken);
    let format = query.checked("format", broken, ImportFormat::parse);
    let preset = query.checked("preset", broken, ImportPreset::parse).unwrap_or(ImportPreset::Patron);
    let mode = query.checked("mode", broken, ImportMode::parse).unwrap_or(ImportMode::Create);
    let columns = query.checked("columns", broken, columns).unwrap_or_default();
    for (column, field) in &columns {
        broken.check(|| format!("columns.{column}"), ColumnTarget::parse(field));
    }
    let external_id_from = query.checked("external_id_from", broken, |place| match place.strip_prefix("metadata.") {
        Some(key) if !key.is_empty() && preset == ImportPreset::Stripe => Ok(place.to_owned()),
        _ => Err(Fault::ExternalIdFrom),
    });
    let options = ImportOptions {
        dry_run: query.flag("dry_run", broken).unwrap_or_default(),
        confirm: query.flag("confirm", broken).unwrap_or_default(),
        columns,
        unmapped: query.checked("unmapped", broken, UnmappedColumns::parse).unwrap_or_default(),
        blank: query.checked("blank", broken, BlankCells::parse).unwrap_or_default(),
        delimiter: query.checked("delimiter", broken, delimiter),
        encoding: query.checked("encoding", broken, ImportEncoding::parse).unwrap_or_default(),
        skip_onboarding: query.flag("skip_onboarding", broken).unwrap_or(true),
        external_id_from,
        lift_metadata: query.flag("lift_metadata", broken).unwrap_or_default(),
        unchecked_tax_ids: query.checked("tax_ids", broken, unchecked).unwrap_or_default(),
        ..ImportOptions::new(format?, preset, mode)
    };
    let again = query.flag("again", broken).unwrap_or_default();
    Some((options, again))
}

fn columns(text: &str) -> Result<BTreeMap<String, String>, Fault> {
    let columns: BTreeMap<String, Option<String>> = serde_json::from_str(text).map_err(|_| Fault::Columns)?;
    Ok(columns.into_iter().map(|(column, field)| (column, field.unwrap_or_default())).collect())
}

fn delimiter(text: &str) -> Result<u8, Fault> {
    match text.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(*byte),
        _ => Err(Fault::Delimiter),
    }
}

fn unchecked(word: &str) -> Result<bool, Fault> {
    match word {
        "unchecked" => Ok(true),
        "checked" => Ok(false),
        _ => Err(Fault::TaxIds),
    }
}
