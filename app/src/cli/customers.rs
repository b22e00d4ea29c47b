//! `patron customers` and `patron onboarding`

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use patron_domain::{
    customer::ExternalId,
    ids::{CustomerId, EnvironmentId, ImportId},
    import::{BlankCells, ImportEncoding, ImportFormat, ImportMode, ImportPreset, UnmappedColumns},
    lifecycle::Version,
    onboarding::RunState,
    time::Timestamp,
};

use super::value;

#[derive(Debug, Subcommand)]
pub(crate) enum Customers {
    /// Fill an environment with made-up customers.
    ///
    /// Shows how Patron performs at the size you expect. Each customer is created as through the API, with its event.
    /// The same prefix and seed give the same customers.
    Generate(Generate),
    /// Import customers from a file.
    ///
    /// Takes files of Stripe, Chargebee, Lago, Flexprice, Patron and others, see docs/migrating.md. Prints the rows that fail. A
    /// running server may do the work; otherwise it is done here. If this is interrupted, --resume continues.
    Import(Box<Import>),
    /// Export all customers of an environment, as of one moment.
    Export(Export),
    /// Show a customer as JSON: now, at an earlier time, or as of a version.
    Show(Show),
    /// Show the differences between two versions of a customer.
    ///
    /// Prints one line per change. `patron customers history` shows the versions.
    Diff(Diff),
    /// List the versions of a customer: when, what and by whom it was changed.
    History(History),
    /// Find customers by a piece of text.
    ///
    /// Looks in names, e-mail addresses, ids, tax ids, city, tags, contact persons, links and metadata. Neither case nor accents
    /// matter, and several words must all match. The best customers come first.
    Find(Find),
}

/// The file to import.
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The file; - reads standard input. It may be compressed with gzip.
    #[arg(required_unless_present = "resume")]
    pub(crate) file: Option<PathBuf>,
    /// The environment; optional if there is only one.
    #[arg(long, value_name = "ENV_ID")]
    pub(crate) environment: Option<EnvironmentId>,
    /// The format: csv or ndjson. By default it follows from the name of the file, and is csv otherwise.
    #[arg(long, value_parser = ImportFormat::parse)]
    pub(crate) format: Option<ImportFormat>,
    /// Whose columns the file has: patron, stripe, chargebee, lago or flexprice.
    #[arg(long, value_parser = ImportPreset::parse, default_value = "patron")]
    pub(crate) preset: ImportPreset,
    /// What a row does: create, upsert or update.
    #[arg(long, value_parser = ImportMode::parse, default_value = "create")]
    pub(crate) mode: ImportMode,
    /// Check the rows and show what they would change, but write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Stop after the check. --resume starts the import.
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) confirm: bool,
    /// The fields of columns, as a JSON object, such as {"Kunde": "name"}.
    #[arg(long, value_name = "JSON")]
    pub(crate) columns: Option<String>,
    /// What happens to unknown columns: metadata, ignore or fail.
    #[arg(long, value_parser = UnmappedColumns::parse)]
    pub(crate) unmapped: Option<UnmappedColumns>,
    /// What a blank cell does to a value: keep or clear.
    #[arg(long, value_parser = BlankCells::parse)]
    pub(crate) blank: Option<BlankCells>,
    /// The encoding: utf-8 or windows-1252.
    #[arg(long, value_parser = ImportEncoding::parse)]
    pub(crate) encoding: Option<ImportEncoding>,
    /// Onboard new customers.
    #[arg(long)]
    pub(crate) onboard: bool,
    /// Accept tax ids that break the rules of their type.
    #[arg(long)]
    pub(crate) unchecked_tax_ids: bool,
    /// Accept a file that was imported before.
    #[arg(long)]
    pub(crate) again: bool,
    /// Continue this import instead of uploading a file: imp_…
    #[arg(long, value_name = "IMPORT_ID", conflicts_with = "file")]
    pub(crate) resume: Option<ImportId>,
}

impl Import {
    /// The format of the file.
    pub(crate) fn format(&self) -> ImportFormat {
        self.format.unwrap_or_else(|| format_of(self.file.as_deref(), ImportFormat::Csv))
    }
}

/// The customers to export.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The file to create. By default the export goes to standard output.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// The environment; optional if there is only one.
    #[arg(long, value_name = "ENV_ID")]
    pub(crate) environment: Option<EnvironmentId>,
    /// The format: csv or ndjson. By default it follows from the name of the file, and is ndjson otherwise.
    #[arg(long, value_parser = ImportFormat::parse)]
    pub(crate) format: Option<ImportFormat>,
    /// The columns of a CSV file, separated by commas.
    #[arg(long)]
    pub(crate) columns: Option<String>,
    /// The conditions of a search as JSON, such as [{"field": "address_country", …}].
    #[arg(long, value_name = "JSON")]
    pub(crate) filters: Option<String>,
    /// Put an apostrophe before cells that a spreadsheet would take for a formula.
    #[arg(long)]
    pub(crate) csv_safe: bool,
}

impl Export {
    /// The format of the file.
    pub(crate) fn format(&self) -> ImportFormat {
        self.format.unwrap_or_else(|| format_of(self.output.as_deref(), ImportFormat::Ndjson))
    }
}

/// The format that the name of a file shows.
fn format_of(file: Option<&Path>, otherwise: ImportFormat) -> ImportFormat {
    let name = file.and_then(Path::file_name).map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let name = name.trim_end_matches(".gz");
    if name.ends_with(".csv") {
        ImportFormat::Csv
    } else if name.ends_with(".ndjson") || name.ends_with(".jsonl") {
        ImportFormat::Ndjson
    } else {
        otherwise
    }
}

/// A customer, by its id or by its external id.
#[derive(Debug, Args)]
pub(crate) struct NamedCustomer {
    /// The customer: cust_…
    #[arg(value_parser = value::customer, required_unless_present = "external_id", conflicts_with = "external_id")]
    pub(crate) customer: Option<CustomerId>,
    /// The external id of a published customer, instead of its id.
    #[arg(long, value_name = "EXTERNAL_ID", value_parser = value::external_id)]
    pub(crate) external_id: Option<ExternalId>,
}

/// The customer to show, and the moment. With --at, an external id is looked up as of that time.
#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    pub(crate) named: NamedCustomer,
    /// The environment; optional if there is only one.
    #[arg(long, value_name = "ENV_ID")]
    pub(crate) environment: Option<EnvironmentId>,
    /// The customer as it was at this time, for example 2030-01-31T00:00:00Z.
    #[arg(long, value_parser = Timestamp::parse, value_name = "TIME", conflicts_with = "version")]
    pub(crate) at: Option<Timestamp>,
    /// The customer as of this version.
    #[arg(long, value_parser = value::version, value_name = "N")]
    pub(crate) version: Option<Version>,
}

/// The customer and the versions to compare.
#[derive(Debug, Args)]
pub(crate) struct Diff {
    #[command(flatten)]
    pub(crate) named: NamedCustomer,
    /// The environment; optional if there is only one.
    #[arg(long, value_name = "ENV_ID")]
    pub(crate) environment: Option<EnvironmentId>,
    /// The first version, by default the one before the second.
    #[arg(long, value_parser = value::version, value_name = "N")]
    pub(crate) from: Option<Version>,
    /// The second version.
    #[arg(long, value_parser = value::version, value_name = "N")]
    pub(crate) to: Version,
    /// Print JSON instead of lines.
    #[arg(long)]
    pub(crate) json: bool,
}

/// The customer whose versions are listed.
#[derive(Debug, Args)]
pub(crate) struct History {
    #[command(flatten)]
    pub(crate) named: NamedCustomer,
    /// The environment; optional if there is only one.
    #[arg(long, value_name = "ENV_ID")]
    pub(crate) environment: Option<EnvironmentId>,
    /// The number of versions to skip, to continue after the first 1000.
    #[arg(long, value_parser = value::whole_number, default_value = "0")]
    pub(crate) offset: u64,
    /// Print JSON instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Options of a search.
#[derive(Debug, Args)]
pub(crate) struct Find {
    /// The text: 2 to 200 characters. Several arguments are several words.
    #[arg(required = true, value_name = "TEXT")]
    pub(crate) text: Vec<String>,
    /// The environment; optional if there is only one.
    #[arg(long, value_name = "ENV_ID")]
    pub(crate) environment: Option<EnvironmentId>,
    /// The most customers, up to 50.
    #[arg(long, value_parser = value::whole_number, default_value = "20", allow_negative_numbers = true)]
    pub(crate) limit: u64,
    /// Also find archived customers, which come last.
    #[arg(long)]
    pub(crate) all: bool,
    /// Print JSON instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Options of the generator.
#[derive(Debug, Args)]
pub(crate) struct Generate {
    /// The environment; optional if there is only one.
    #[arg(long, value_name = "ENV_ID")]
    pub(crate) environment: Option<EnvironmentId>,
    /// The number of customers, up to 999999999.
    #[arg(long, value_name = "N", value_parser = value::count, allow_negative_numbers = true)]
    pub(crate) count: u32,
    /// The start of their external ids; the number of the customer follows, in nine digits.
    #[arg(long, default_value = "generated-")]
    pub(crate) prefix: String,
    /// The seed from which names and other fields are derived.
    #[arg(long, value_parser = value::whole_number, default_value = "1", allow_negative_numbers = true)]
    pub(crate) seed: u64,
    /// Skip customers that already exist, for example after an interrupted run.
    #[arg(long = "continue")]
    pub(crate) go_on: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Onboarding {
    /// List onboarding runs, at most 1000 at a time.
    List {
        /// The environment; optional if there is only one.
        #[arg(long, value_name = "ENV_ID")]
        environment: Option<EnvironmentId>,
        /// The state of the runs: pending, running, waiting, succeeded, failed or cancelled.
        #[arg(long, value_parser = RunState::parse, default_value = "failed")]
        state: RunState,
        /// Continue after this customer: the last one of the previous list.
        #[arg(long, value_name = "CUSTOMER_ID")]
        after: Option<CustomerId>,
        /// Print JSON instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Continue a run that has failed.
    ///
    /// A running server picks it up within seconds.
    Retry {
        /// The customer: cust_…
        customer: CustomerId,
        /// The environment; optional if there is only one.
        #[arg(long, value_name = "ENV_ID")]
        environment: Option<EnvironmentId>,
    },
}
