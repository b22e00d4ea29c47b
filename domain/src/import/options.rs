//! The options of an import.

use std::collections::BTreeMap;

use crate::{violation::Rule, words::words};

/// The format of a file.
///
/// ```
/// use patron_domain::import::ImportFormat;
///
/// assert_eq!(ImportFormat::parse("csv"), Ok(ImportFormat::Csv));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ImportFormat {
    /// Comma-separated values (RFC 4180), with a header.
    Csv,
    /// One JSON object a line.
    Ndjson,
}

words!(ImportFormat, "csv, ndjson", Csv => "csv", Ndjson => "ndjson");

/// The product whose columns and objects a file has.
///
/// ```
/// use patron_domain::import::ImportPreset;
///
/// assert_eq!(ImportPreset::parse("lago"), Ok(ImportPreset::Lago));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ImportPreset {
    /// Our own export.
    Patron,
    /// Stripe.
    Stripe,
    /// Chargebee.
    Chargebee,
    /// Lago.
    Lago,
    /// Flexprice.
    Flexprice,
}

words!(
    ImportPreset, "patron, stripe, chargebee, lago, flexprice",
    Patron => "patron", Stripe => "stripe", Chargebee => "chargebee", Lago => "lago", Flexprice => "flexprice",
);

/// What a row does.
///
/// ```
/// use patron_domain::import::ImportMode;
///
/// assert_eq!(ImportMode::parse("upsert"), Ok(ImportMode::Upsert));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ImportMode {
    /// It creates a customer. An existing one makes it fail.
    Create,
    /// It updates the customer with its external id, or creates it.
    Upsert,
    /// It updates the customer with its external id. A missing one makes it fail.
    Update,
}

words!(ImportMode, "create, upsert, update", Create => "create", Upsert => "upsert", Update => "update");

/// What happens to columns that the preset does not know.
///
/// ```
/// use patron_domain::import::UnmappedColumns;
///
/// assert_eq!(UnmappedColumns::default(), UnmappedColumns::Fail);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnmappedColumns {
    /// They become metadata, under their own names.
    Metadata,
    /// They are ignored, and listed in the report.
    Ignore,
    /// The file is refused.
    #[default]
    Fail,
}

words!(
    UnmappedColumns, "metadata, ignore, fail",
    Metadata => "metadata", Ignore => "ignore", Fail => "fail",
);

/// What a blank cell does to an existing customer.
///
/// ```
/// use patron_domain::import::BlankCells;
///
/// assert_eq!(BlankCells::default(), BlankCells::Keep);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BlankCells {
    /// It keeps the value.
    #[default]
    Keep,
    /// It clears the value.
    Clear,
}

words!(BlankCells, "keep, clear", Keep => "keep", Clear => "clear");

/// The encoding of a file.
///
/// ```
/// use patron_domain::import::ImportEncoding;
///
/// assert_eq!(ImportEncoding::parse("windows-1252"), Ok(ImportEncoding::Windows1252));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ImportEncoding {
    /// UTF-8, or UTF-16 if the file begins with its byte order mark.
    #[default]
    Unicode,
    /// Windows-1252.
    Windows1252,
}

words!(ImportEncoding, "utf-8, windows-1252", Unicode => "utf-8", Windows1252 => "windows-1252");

/// Where the values of a column go.
///
/// ```
/// use patron_domain::import::ColumnTarget;
///
/// assert_eq!(ColumnTarget::parse("metadata.plan"), Ok(ColumnTarget::Metadata("plan".to_owned())));
/// assert!(ColumnTarget::parse("colour").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ColumnTarget {
    /// A text of the customer, such as `name`.
    Text(&'static str),
    /// A text of an object of the customer, such as `shipping_address.line1`.
    Member(&'static str, &'static str),
    /// A list of texts, separated by commas or as JSON.
    Texts(&'static str),
    /// A list or an object, as JSON.
    Json(&'static str),
    /// A key of the metadata.
    Metadata(String),
    /// A key of the custom fields.
    CustomField(String),
    /// Nothing: the column is ignored, and listed in the report.
    Ignored,
}

/// Why a text is not a [`ColumnTarget`].
///
/// ```
/// use patron_domain::import::ColumnTarget;
///
/// let error = ColumnTarget::parse("colour").unwrap_err();
/// assert!(error.to_string().starts_with("must be a field of a customer"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be a field of a customer, such as name, metadata.plan or shipping_address.line1; \"\" ignores the column"
)]
pub struct ColumnTargetError;

impl Rule for ColumnTargetError {
    fn rule(&self) -> &'static str {
        "column_target"
    }
}

macro_rules! text_names {
    ($($wire:ident: $type:ident, $variant:ident, [$($place:tt)+], $unset:ident, $says:literal;)+) => {
        &[$(stringify!($wire)),+]
    };
}

/// The single texts of a customer.
const TEXTS: &[&str] = crate::customer_texts!(text_names);
/// The texts of its objects.
const MEMBERS: &[(&str, &[&str])] = &[
    ("shipping_address", &["name", "phone", "line1", "line2", "city", "state", "postal_code", "country"]),
    ("electronic_address", &["scheme", "value"]),
];
const LISTS: &[&str] = &["tags", "preferred_locales"];
const JSON: &[&str] = &[
    "shipping_address",
    "electronic_address",
    "contact_persons",
    "tax_ids",
    "tax_exemptions",
    "metadata",
    "custom_fields",
    "tax_rate_overrides",
    "integration_entity_mapping",
];

impl ColumnTarget {
    /// Reads the name of a field. The empty text is [`Self::Ignored`].
    ///
    /// # Errors
    /// When customers do not have the field.
    pub fn parse(name: &str) -> Result<Self, ColumnTargetError> {
        if name.is_empty() {
            return Ok(Self::Ignored);
        }
        if name == "external_id" {
            return Ok(Self::Text("external_id"));
        }
        if let Some(key) = name.strip_prefix("metadata.") {
            return Ok(Self::Metadata(key.to_owned()));
        }
        if let Some(key) = name.strip_prefix("custom_fields.") {
            return Ok(Self::CustomField(key.to_owned()));
        }
        let known = |names: &'static [&'static str], name: &str| names.iter().copied().find(|known| *known == name);
        if let Some((object, member)) = name.split_once('.') {
            let object = MEMBERS.iter().find(|(known, _)| *known == object);
            let found = object.and_then(|(object, members)| Some(Self::Member(object, known(members, member)?)));
            return found.ok_or(ColumnTargetError);
        }
        let text = known(TEXTS, name).map(Self::Text);
        let list = || known(LISTS, name).map(Self::Texts);
        let json = || known(JSON, name).map(Self::Json);
        text.or_else(list).or_else(json).ok_or(ColumnTargetError)
    }
}

/// The options of an import. They never change after its upload.
///
/// ```
/// use patron_domain::import::{ImportFormat, ImportMode, ImportOptions, ImportPreset};
///
/// let options = ImportOptions::new(ImportFormat::Csv, ImportPreset::Patron, ImportMode::Create);
/// assert!(options.skip_onboarding && !options.stops_at_ready());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportOptions {
    /// The format.
    pub format: ImportFormat,
    /// The product whose columns and objects it has.
    pub preset: ImportPreset,
    /// What a row does.
    pub mode: ImportMode,
    /// Whether the rows are only checked, and never written.
    pub dry_run: bool,
    /// Whether the import waits for a person after the check.
    pub confirm: bool,
    /// The fields of columns, by header. They override the preset.
    pub columns: BTreeMap<String, String>,
    /// What happens to unknown columns.
    pub unmapped: UnmappedColumns,
    /// What a blank cell does.
    pub blank: BlankCells,
    /// The separator of cells; `None` to guess it from the header.
    pub delimiter: Option<u8>,
    /// The encoding.
    pub encoding: ImportEncoding,
    /// Whether new customers are not onboarded.
    pub skip_onboarding: bool,
    /// The place of the external id, such as `metadata.crm_id`, for customers of Stripe.
    pub external_id_from: Option<String>,
    /// Whether `metadata.gstin` also becomes a tax id, for customers of Flexprice.
    pub lift_metadata: bool,
    /// Whether tax ids that break the rules of their type are accepted.
    pub unchecked_tax_ids: bool,
}

impl ImportOptions {
    /// Options with the defaults.
    #[must_use]
    pub fn new(format: ImportFormat, preset: ImportPreset, mode: ImportMode) -> Self {
        Self {
            format,
            preset,
            mode,
            dry_run: false,
            confirm: false,
            columns: BTreeMap::new(),
            unmapped: UnmappedColumns::default(),
            blank: BlankCells::default(),
            delimiter: None,
            encoding: ImportEncoding::default(),
            skip_onboarding: true,
            external_id_from: None,
            lift_metadata: false,
            unchecked_tax_ids: false,
        }
    }

    /// Whether the import stops after the check.
    #[must_use]
    pub fn stops_at_ready(&self) -> bool {
        self.dry_run || self.confirm
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_their_names() {
        use ColumnTarget::{CustomField, Ignored, Json, Member, Metadata, Text, Texts};
        for (name, target) in [
            ("external_id", Text("external_id")),
            ("name", Text("name")),
            ("billing_currency", Text("billing_currency")),
            ("shipping_address.line1", Member("shipping_address", "line1")),
            ("shipping_address", Json("shipping_address")),
            ("tags", Texts("tags")),
            ("tax_ids", Json("tax_ids")),
            ("metadata.a.b", Metadata("a.b".to_owned())),
            ("custom_fields.tier", CustomField("tier".to_owned())),
            ("", Ignored),
        ] {
            assert_eq!(ColumnTarget::parse(name), Ok(target), "{name}");
        }
        for name in ["Name", "id", "shipping_address.planet", "a.b", "metadat"] {
            assert_eq!(ColumnTarget::parse(name), Err(ColumnTargetError), "{name}");
        }
    }
}
