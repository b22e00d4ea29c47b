//! `GET /imports/{id}/errors`, `GET /imports/{id}/errors.csv`

use futures_util::{StreamExt, stream};
use patron_domain::{
    ids::ImportId,
    import::{FailedRow, ImportFormat, ImportJob, RowFault},
    violation::Rule,
};
use rocket::{get, http::ContentType, routes};

use super::{id_of, response::RowList};
use crate::http::{
    answer::Answer,
    error::ApiError,
    file::{FileCutOff, FileStream},
    guard::{CanRead, Services},
    listing::{Listing, cursor},
    openapi::{Endpoint, Limit, Look, Shape},
    query::Query,
};

/// The rows that are read at once for a file.
const SOME: u16 = 500;

/// Lists the rows that failed, in their order.
#[get("/imports/<id>/errors")]
pub(super) async fn errors(
    caller: CanRead,
    services: Services<'_>,
    query: Query<'_>,
    id: &str,
) -> Result<Answer, ApiError> {
    let mut broken = query.faults();
    let limit = Listing::without_cursor(&query, &mut broken).page.limit();
    let (name, after) = cursor(&query, &mut broken);
    let after = after.and_then(|after| broken.check(|| name.to_owned(), after.parse::<u64>().map_err(|_| NoRow)));
    broken.into_result()?;
    let found = services.imports()?.failed_rows(&caller, id_of(id)?, after.unwrap_or_default(), limit + 1).await?;
    Answer::page(&services, found.len(), &RowList::new(&found, limit)).await
}

/// A cursor that is not the number of a row.
#[derive(Debug, thiserror::Error)]
#[error("must be the next_cursor of the previous page")]
struct NoRow;

impl Rule for NoRow {
    fn rule(&self) -> &'static str {
        "cursor"
    }
}

/// The original rows that failed, with their faults in a further column. Corrected, the file can be imported again.
#[get("/imports/<id>/errors.csv")]
pub(super) async fn errors_csv<'r>(
    caller: CanRead,
    services: Services<'r>,
    id: &str,
) -> Result<FileStream<'r>, ApiError> {
    let import = services.imports()?.import(&caller, id_of(id)?).await?;
    let name = format!("{}-errors.csv", import.id);
    let state = Reading { caller, services, import, after: None };
    Ok(FileStream::new(ContentType::CSV, name, stream::try_unfold(state, Reading::next).boxed()))
}

/// The rows that were not sent yet.
struct Reading<'r> {
    caller: CanRead,
    services: Services<'r>,
    import: ImportJob,
    /// The last row that was sent; `None` before the header.
    after: Option<u64>,
}

impl Reading<'_> {
    /// The next part of the file; `None` at the end.
    async fn next(mut self) -> Result<Option<(Vec<u8>, Self)>, FileCutOff> {
        let mut part = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
        let Some(after) = self.after else {
            let header = match self.import.options.format {
                ImportFormat::Csv => self.import.header.clone(),
                ImportFormat::Ndjson => vec!["row".to_owned()],
            };
            part.write_record(header.iter().map(String::as_str).chain(["error"]))?;
            self.after = Some(0);
            return Ok(Some((part.into_inner().map_err(|_| FileCutOff)?, self)));
        };
        let imports = self.services.imports().map_err(|_| FileCutOff)?;
        let rows = imports.failed_rows(&self.caller, self.import.id, after, SOME).await.map_err(|error| {
            tracing::warn!(%error, "a file was cut off");
            FileCutOff
        })?;
        let Some(last) = rows.last().map(|row| row.row) else { return Ok(None) };
        for row in &rows {
            part.write_record(cells(row, &self.import))?;
        }
        self.after = Some(last);
        Ok(Some((part.into_inner().map_err(|_| FileCutOff)?, self)))
    }
}

/// The cells of a row as they were in the file, and a cell with its faults.
fn cells(row: &FailedRow, import: &ImportJob) -> Vec<String> {
    let mut cells: Vec<String> = match import.options.format {
        ImportFormat::Csv => serde_json::from_str(&row.original).unwrap_or_default(),
        ImportFormat::Ndjson => vec![row.original.clone()],
    };
    cells.resize(cells.len().max(import.header.len()), String::new());
    let fault = |fault: &RowFault| match fault.path.as_str() {
        "" => fault.message.clone(),
        path => format!("{path}: {}", fault.message),
    };
    cells.push(row.faults.iter().map(fault).collect::<Vec<_>>().join("; "));
    cells
}

/// The documentation of these endpoints.
pub(super) fn documented() -> [Endpoint; 2] {
    let rows = "In the order of the file, with their faults.";
    let file = "As they were in the file, with their faults in a further column. Correct them, remove the column, and \
                import the file again.";
    [
        Endpoint::new(routes![errors], "listImportErrors", "List the rows that failed", rows)
            .query::<Limit>("limit", "The most items.")
            .query::<Row>("cursor", "The `next_cursor` of the previous page.")
            .answers::<RowList<'_>>(200, "A page of rows."),
        Endpoint::new(routes![errors_csv], "downloadImportErrors", "Download the rows that failed", file)
            .answers_file("text/csv", "The rows."),
    ]
    .map(|endpoint| endpoint.with_key().path::<ImportId>("id", "The import."))
}

/// The number of a row.
struct Row;

impl Shape for Row {
    fn look() -> Look {
        Look::integer((1, ImportJob::MAX_ROWS as i64), "The number of a row.", 500)
    }
}
