//! `GET /customers/export`

use std::{collections::BTreeMap, sync::Arc};

use futures_util::{StreamExt, stream};
use patron_domain::{
    customer::{CustomerAggregate, ExportPart, ExportService, query::CustomerQuery},
    ids::{CustomerId, TaxRateId},
    import::ImportFormat,
    page::PageRequest,
    tax::{TaxRateCode, TaxRateFilter, TaxService},
    tenancy::Caller,
    time::Timestamp,
};
use rocket::{get, http::ContentType, routes};
use serde_json::Value;

use super::{
    export_columns::{ALL, cell, columns, disarmed},
    export_row::ExportRow,
    search_request::SearchRequest,
};
use crate::{
    blocking::blocking,
    http::{
        error::ApiError,
        file::{FileCutOff, FileStream, Parts},
        guard::{CanRead, Services},
        json::parse,
        openapi::Endpoint,
        query::Query,
    },
};

/// The parameters of an export.
const NAMES: [&str; 4] = ["format", "columns", "filters", "csv_safe"];

/// All customers that match, as of the moment of the request.
#[get("/customers/export", rank = 0)]
pub(super) async fn export<'r>(
    caller: CanRead,
    services: Services<'r>,
    query: Query<'r>,
) -> Result<FileStream<'r>, ApiError> {
    let mut broken = query.faults();
    query.only(&NAMES, &mut broken);
    let format = query.checked("format", &mut broken, ImportFormat::parse).unwrap_or(ImportFormat::Ndjson);
    let columns = query.checked("columns", &mut broken, columns);
    let safe = query.flag("csv_safe", &mut broken).unwrap_or_default();
    let conditions = match search(query.get("filters")) {
        Ok(conditions) => conditions,
        Err(refusal) => return Err(refusal.within("filters").beside(broken)),
    };
    broken.into_result()?;
    let (kind, name) = match format {
        ImportFormat::Csv => (ContentType::CSV, "customers.csv"),
        ImportFormat::Ndjson => (ContentType::new("application", "x-ndjson"), "customers.ndjson"),
    };
    let form = (format, columns, safe);
    let file = ExportFile::new(services.exports()?, services.taxes.as_ref(), &caller, conditions, form).await?;
    Ok(FileStream::new(kind, name.to_owned(), file.parts()))
}

/// The conditions of a search: its body, or its `filters` alone. By default all customers match.
fn search(text: Option<&str>) -> Result<CustomerQuery, ApiError> {
    let text = text.unwrap_or("{}");
    let body = if text.trim_start().starts_with('[') { format!("{{\"filters\":{text}}}") } else { text.to_owned() };
    parse(body.as_bytes(), SearchRequest::into_domain)
}

/// The options of an export.
///
/// ```
/// use patron_adapters::http::ExportOptions;
/// use patron_domain::import::ImportFormat;
///
/// let all = ExportOptions { format: ImportFormat::Ndjson, columns: None, filters: None, csv_safe: false };
/// ```
#[derive(Debug, Clone)]
pub struct ExportOptions {
    /// The format.
    pub format: ImportFormat,
    /// The columns of a CSV file, separated by commas; `None` for all.
    pub columns: Option<String>,
    /// The conditions: the body of a search, or its `filters` alone, as JSON.
    pub filters: Option<String>,
    /// Whether cells that a spreadsheet would take for formulas are disarmed.
    pub csv_safe: bool,
}

/// An export as a file: the customers that match, as of the moment when it was opened.
pub struct ExportFile {
    exports: ExportService,
    caller: Caller,
    query: CustomerQuery,
    moment: Timestamp,
    writer: Arc<Writer>,
    place: Place,
}

/// The next part of the export.
enum Place {
    Header,
    After(Option<CustomerId>),
    End,
}

impl ExportFile {
    /// Opens an export. The tax service provides the codes of tax rates; without it no overrides are exported.
    ///
    /// # Errors
    /// A text that says which option is invalid, or why the tax rates cannot be read.
    pub async fn open(
        exports: ExportService,
        taxes: Option<&TaxService>,
        caller: Caller,
        options: &ExportOptions,
    ) -> Result<Self, String> {
        let columns = options.columns.as_deref().map(columns).transpose().map_err(|error| error.to_string())?;
        let query = search(options.filters.as_deref());
        let query = query.map_err(|_| "filters must be the conditions of a search as JSON".to_owned())?;
        let form = (options.format, columns, options.csv_safe);
        let file = Self::new(&exports, taxes, &caller, query, form).await;
        file.map_err(|_| "the tax rates cannot be read".to_owned())
    }

    async fn new(
        exports: &ExportService,
        taxes: Option<&TaxService>,
        caller: &Caller,
        query: CustomerQuery,
        (format, columns, safe): (ImportFormat, Option<Vec<String>>, bool),
    ) -> Result<Self, ApiError> {
        let moment = exports.moment();
        let columns = columns.unwrap_or_else(|| ALL.map(str::to_owned).to_vec());
        let codes = match taxes {
            Some(taxes) => {
                let found = taxes.rates(caller, &TaxRateFilter::default(), PageRequest::whole()).await?;
                found.items.into_iter().map(|rate| (rate.id, rate.code)).collect()
            }
            None => BTreeMap::new(),
        };
        let writer = Arc::new(Writer { format, columns, safe, codes });
        Ok(Self { exports: exports.clone(), caller: caller.clone(), query, moment, writer, place: Place::Header })
    }

    /// The parts of the file.
    #[must_use]
    pub fn parts(self) -> Parts<'static> {
        stream::try_unfold(self, Self::next).boxed()
    }

    /// The next part; `None` at the end.
    async fn next(mut self) -> Result<Option<(Vec<u8>, Self)>, FileCutOff> {
        let after = match self.place {
            Place::End => return Ok(None),
            Place::Header => {
                self.place = Place::After(None);
                let header = self.writer.header()?;
                return Ok(Some((header, self)));
            }
            Place::After(after) => after,
        };
        let part = self.exports.part(&self.caller, &self.query, self.moment, after).await.map_err(|error| {
            tracing::warn!(%error, "an export was cut off");
            FileCutOff
        })?;
        let ExportPart { customers, next } = part;
        self.place = next.map_or(Place::End, |next| Place::After(Some(next)));
        let bytes = blocking(customers.len().saturating_mul(1_000), || self.writer.rows(&customers))?;
        Ok(Some((bytes, self)))
    }
}

/// Writes rows.
struct Writer {
    format: ImportFormat,
    columns: Vec<String>,
    safe: bool,
    codes: BTreeMap<TaxRateId, TaxRateCode>,
}

impl Writer {
    fn header(&self) -> Result<Vec<u8>, FileCutOff> {
        match self.format {
            ImportFormat::Ndjson => Ok(Vec::new()),
            ImportFormat::Csv => {
                let mut header = csv::Writer::from_writer(Vec::new());
                header.write_record(&self.columns)?;
                header.into_inner().map_err(|_| FileCutOff)
            }
        }
    }

    fn rows(&self, customers: &[CustomerAggregate]) -> Result<Vec<u8>, FileCutOff> {
        match self.format {
            ImportFormat::Ndjson => {
                let mut lines = Vec::new();
                for customer in customers {
                    serde_json::to_writer(&mut lines, &ExportRow::new(customer, &self.codes))
                        .map_err(|_| FileCutOff)?;
                    lines.push(b'\n');
                }
                Ok(lines)
            }
            ImportFormat::Csv => {
                let mut rows = csv::Writer::from_writer(Vec::new());
                for customer in customers {
                    let row = serde_json::to_value(ExportRow::new(customer, &self.codes)).map_err(|_| FileCutOff)?;
                    let Value::Object(row) = row else { return Err(FileCutOff) };
                    let cell =
                        |column: &String| if self.safe { disarmed(cell(&row, column)) } else { cell(&row, column) };
                    rows.write_record(self.columns.iter().map(cell))?;
                }
                rows.into_inner().map_err(|_| FileCutOff)
            }
        }
    }
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "All customers that match, in the order of their creation, as of the moment of the request, however long the \
                download takes. An import with the preset `patron` takes the file back. If the server cannot read the rest, \
                the last line is an error.";
    Endpoint::new(routes![export], "exportCustomers", "Export customers to a file", says)
        .with_key()
        .query::<ImportFormat>("format", "The format of the file. Default: ndjson.")
        .query::<str>("columns", "The columns of a CSV file, separated by commas. By default all.")
        .query::<str>("filters", "The conditions: the body of a search, or its `filters` alone.")
        .query::<bool>(
            "csv_safe",
            "Whether cells that begin with = + - @ get an apostrophe in front, for spreadsheets.",
        )
        .answers_file("application/x-ndjson", "The customers.")
}
