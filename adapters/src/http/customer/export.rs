//! `GET /customers/export`

use std::{collections::BTreeMap, sync::Arc};

use futures_util::{StreamExt, stream};
use patron_domain::{
    customer::{CustomerAggregate, ExportPart, query::CustomerQuery},
    ids::{CustomerId, TaxRateId},
    import::ImportFormat,
    lifecycle::Status as LifecycleStatus,
    page::PageRequest,
    tax::{TaxRateCode, TaxRateFilter},
    time::Timestamp,
};
use rocket::{get, http::ContentType, routes};
use serde_json::{Map, Value, json};

use super::{
    export_columns::{ALL, cell, columns, disarmed},
    response::CustomerResponse,
    search_request::SearchRequest,
};
use crate::http::{
    Api,
    error::ApiError,
    file::{FileCutOff, FileStream},
    guard::{CanRead, Services},
    json::parse,
    openapi::Endpoint,
    query::Query,
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
    let filters = match query.get("filters").map(search).transpose() {
        Ok(filters) => filters,
        Err(refusal) => return Err(refusal.within("filters").beside(broken)),
    };
    broken.into_result()?;
    let columns = columns.unwrap_or_else(|| ALL.iter().map(|name| (*name).to_owned()).collect());
    let query = match filters {
        Some(query) => query,
        None => search("{}")?,
    };
    let moment = services.exports()?.moment();
    let codes = rate_codes(&services, &caller).await?;
    let writer = Writer { format, columns, safe, codes };
    let (kind, name) = match format {
        ImportFormat::Csv => (ContentType::CSV, "customers.csv"),
        ImportFormat::Ndjson => (ContentType::new("application", "x-ndjson"), "customers.ndjson"),
    };
    let state = Reading { caller, services, query, moment, writer: Arc::new(writer), place: Place::Header };
    Ok(FileStream::new(kind, name.to_owned(), stream::try_unfold(state, Reading::next).boxed()))
}

/// The conditions of a search: its body, or its `filters` alone.
fn search(text: &str) -> Result<CustomerQuery, ApiError> {
    let body = if text.trim_start().starts_with('[') { format!("{{\"filters\":{text}}}") } else { text.to_owned() };
    parse(body.as_bytes(), SearchRequest::into_domain)
}

/// The codes of tax rates by id, for the overrides of a create.
async fn rate_codes(api: &Api, caller: &CanRead) -> Result<BTreeMap<TaxRateId, TaxRateCode>, ApiError> {
    let Some(taxes) = &api.taxes else { return Ok(BTreeMap::new()) };
    let found = taxes.rates(caller, &TaxRateFilter::default(), PageRequest::whole()).await?;
    Ok(found.items.into_iter().map(|rate| (rate.id, rate.code)).collect())
}

/// The place in the export.
enum Place {
    Header,
    After(Option<CustomerId>),
    End,
}

/// What was not sent yet.
struct Reading<'r> {
    caller: CanRead,
    services: Services<'r>,
    query: CustomerQuery,
    moment: Timestamp,
    writer: Arc<Writer>,
    place: Place,
}

impl Reading<'_> {
    /// The next part of the file; `None` at the end.
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
        let exports = self.services.exports().map_err(|_| FileCutOff)?;
        let part = exports.part(&self.caller, &self.query, self.moment, after).await.map_err(|error| {
            tracing::warn!(%error, "an export was cut off");
            FileCutOff
        })?;
        let ExportPart { customers, next } = part;
        self.place = next.map_or(Place::End, |next| Place::After(Some(next)));
        let writer = self.writer.clone();
        let bytes =
            self.services.long_work.apart(customers.len().saturating_mul(1_000), || writer.rows(&customers)).await?;
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
                    serde_json::to_writer(&mut lines, &self.row(customer)?).map_err(|_| FileCutOff)?;
                    lines.push(b'\n');
                }
                Ok(lines)
            }
            ImportFormat::Csv => {
                let mut rows = csv::Writer::from_writer(Vec::new());
                for customer in customers {
                    let row = self.row(customer)?;
                    let cell =
                        |column: &String| if self.safe { disarmed(cell(&row, column)) } else { cell(&row, column) };
                    rows.write_record(self.columns.iter().map(cell))?;
                }
                rows.into_inner().map_err(|_| FileCutOff)
            }
        }
    }

    /// A customer as in responses, with its taxes and links in the form that a create takes.
    fn row(&self, aggregate: &CustomerAggregate) -> Result<Map<String, Value>, FileCutOff> {
        let row = serde_json::to_value(CustomerResponse::bare(&aggregate.customer)).map_err(|_| FileCutOff)?;
        let Value::Object(mut row) = row else { return Err(FileCutOff) };
        let published = aggregate.associations.iter().filter(|one| one.status == LifecycleStatus::Published);
        let overrides = published.filter_map(|one| {
            let (code, currency) = (self.codes.get(&one.tax_rate_id)?, one.currency?);
            let mut value = json!({
                "tax_rate_code": code,
                "currency": currency,
                "priority": one.priority.get(),
                "auto_apply": one.auto_apply,
                "metadata": one.metadata.as_map(),
            });
            if let (Some(behavior), Some(members)) = (one.behavior, value.as_object_mut()) {
                members.insert("tax_behavior".to_owned(), json!(behavior));
            }
            Some(value)
        });
        row.insert("tax_rate_overrides".to_owned(), overrides.collect());
        let published = aggregate.mappings.iter().filter(|one| one.status == LifecycleStatus::Published);
        let links = published.map(|one| {
            json!({
                "provider_type": one.provider_type,
                "provider_entity_id": one.provider_entity_id,
                "metadata": one.metadata,
            })
        });
        row.insert("integration_entity_mapping".to_owned(), links.collect());
        Ok(row)
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
