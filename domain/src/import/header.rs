//! The header of CSV files: the field of each column.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ColumnTarget, ImportOptions, ImportPreset, UnmappedColumns, custom_fields,
    presets::{self, Column, Own},
};
use crate::violation::Rule;

/// Why a header is refused. Names of columns are shown, because they are not personal data.
///
/// ```
/// use patron_domain::import::HeaderFault;
///
/// let fault = HeaderFault::Twice("Name".to_owned());
/// assert_eq!(fault.to_string(), "the column Name is there twice; remove or rename one");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderFault {
    /// Two columns have one name.
    #[error("the column {0} is there twice; remove or rename one")]
    Twice(String),
    /// Two columns go to the same field.
    #[error("the columns {0} and {1} both go to the field {2}; map one of them to \"\" in columns to ignore it")]
    SameField(String, String, String),
    /// No rule says what to do with some columns.
    #[error("the columns {0} are unknown; map them in columns, or send unmapped=metadata or unmapped=ignore")]
    Unmapped(String),
    /// No column holds the external id.
    #[error("no column holds the external id; map one to external_id in columns")]
    NoExternalId,
    /// The option `columns` names a column that the file does not have.
    #[error("columns names {0}, but the file has no such column")]
    NoSuchColumn(String),
}

impl Rule for HeaderFault {
    fn rule(&self) -> &'static str {
        match self {
            Self::Twice(_) => "unique",
            Self::SameField(..) => "one_field",
            Self::Unmapped(_) => "unmapped",
            Self::NoExternalId => "required",
            Self::NoSuchColumn(_) => "column",
        }
    }
}

/// The field of each column, and the columns that are ignored.
pub(super) fn columns_of(
    options: &ImportOptions,
    header: &[impl AsRef<str>],
) -> Result<(Vec<Column>, Vec<String>), HeaderFault> {
    let mut mapped: BTreeMap<String, &String> =
        options.columns.iter().map(|(name, field)| (normal(name), field)).collect();
    let (mut seen, mut columns) = (BTreeSet::new(), Vec::new());
    let (mut ignored, mut unmapped) = (Vec::new(), Vec::new());
    for name in header {
        let name = name.as_ref();
        let header = normal(name);
        if !seen.insert(header.clone()) {
            return Err(HeaderFault::Twice(shown(name)));
        }
        let column = match mapped.remove(&header).and_then(|field| ColumnTarget::parse(field).ok()) {
            Some(target) => Some(Column::To(target)),
            None => metadata_column(name)
                .or_else(|| custom_field_column(options.preset, &header))
                .or_else(|| presets::column(options.preset, &header)),
        };
        let column = column.unwrap_or_else(|| match options.unmapped {
            UnmappedColumns::Metadata => Column::To(ColumnTarget::Metadata(name.trim().to_owned())),
            UnmappedColumns::Ignore => Column::To(ColumnTarget::Ignored),
            UnmappedColumns::Fail => {
                unmapped.push(shown(name));
                Column::To(ColumnTarget::Ignored)
            }
        });
        if column == Column::To(ColumnTarget::Ignored) {
            ignored.push(shown(name));
        }
        columns.push(column);
    }
    if let Some((name, _)) = mapped.first_key_value() {
        return Err(HeaderFault::NoSuchColumn(shown(name)));
    }
    if !unmapped.is_empty() {
        return Err(HeaderFault::Unmapped(unmapped.join(", ")));
    }
    one_column_a_field(&columns, header)?;
    let names_one = |column: &Column| {
        matches!(column, Column::To(ColumnTarget::Text("external_id")) | Column::Own(Own::ProviderId))
    };
    if !columns.iter().any(names_one) {
        return Err(HeaderFault::NoExternalId);
    }
    Ok((columns, ignored))
}

/// A header as it is compared.
fn normal(header: &str) -> String {
    header.trim().to_lowercase()
}

/// A header in messages.
fn shown(header: &str) -> String {
    header.trim().chars().take(100).collect()
}

/// `X (metadata)` and `metadata.X`.
fn metadata_column(header: &str) -> Option<Column> {
    let header = header.trim();
    let key = header.strip_suffix(" (metadata)").or_else(|| header.strip_prefix("metadata."))?;
    Some(Column::To(ColumnTarget::Metadata(key.to_owned())))
}

/// Chargebee's custom fields.
fn custom_field_column(preset: ImportPreset, header: &str) -> Option<Column> {
    let is_one = preset == ImportPreset::Chargebee && header.starts_with(custom_fields::PREFIX);
    is_one.then(|| Column::To(ColumnTarget::Metadata(header.to_owned())))
}

fn one_column_a_field(columns: &[Column], header: &[impl AsRef<str>]) -> Result<(), HeaderFault> {
    let mut fields: BTreeMap<&ColumnTarget, &str> = BTreeMap::new();
    for (column, name) in columns.iter().zip(header) {
        let Column::To(target) = column else { continue };
        if *target == ColumnTarget::Ignored {
            continue;
        }
        if let Some(other) = fields.insert(target, name.as_ref()) {
            let field = match target {
                ColumnTarget::Text(name) | ColumnTarget::Texts(name) | ColumnTarget::Json(name) => (*name).to_owned(),
                ColumnTarget::Member(object, member) => format!("{object}.{member}"),
                ColumnTarget::Metadata(key) => format!("metadata.{key}"),
                ColumnTarget::CustomField(key) => format!("custom_fields.{key}"),
                ColumnTarget::Ignored => String::new(),
            };
            return Err(HeaderFault::SameField(shown(other), shown(name.as_ref()), field));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{ImportFormat, ImportMode};

    fn options(preset: ImportPreset) -> ImportOptions {
        ImportOptions::new(ImportFormat::Csv, preset, ImportMode::Upsert)
    }

    #[test]
    fn headers_are_refused_for_a_reason() {
        let refused = |options: &ImportOptions, header: &[&str]| columns_of(options, header).unwrap_err();
        let plain = options(ImportPreset::Patron);
        assert_eq!(refused(&plain, &["external_id", "Name", " name "]), HeaderFault::Twice("name".to_owned()));
        assert_eq!(
            refused(&plain, &["external_id", "Colour", "Size"]),
            HeaderFault::Unmapped("Colour, Size".to_owned())
        );
        assert_eq!(refused(&plain, &["name"]), HeaderFault::NoExternalId);
        let columns = [("Kunde".to_owned(), "name".to_owned())];
        let mapped = ImportOptions { columns: columns.into(), ..plain };
        assert_eq!(refused(&mapped, &["external_id"]), HeaderFault::NoSuchColumn("kunde".to_owned()));
        assert!(matches!(refused(&mapped, &["external_id", "Kunde", "name"]), HeaderFault::SameField(..)));
        assert!(columns_of(&mapped, &["external_id", "kunde"]).is_ok());
        for (unmapped, ignored) in [(UnmappedColumns::Ignore, vec!["Colour"]), (UnmappedColumns::Metadata, vec![])] {
            let options = ImportOptions { unmapped, ..options(ImportPreset::Patron) };
            assert_eq!(columns_of(&options, &["external_id", "Colour"]).unwrap().1, ignored);
        }
    }
}
