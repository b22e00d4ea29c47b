//! The rows of a file as changes of customers.

use patron_domain::{
    custom_field::CustomFieldDefinition,
    customer::CustomerChange,
    import::{FailedRow, ImportJob, ImportOptions, ImportRow, RowFault, lift_custom_fields},
};
use serde_json::{Map, Value};

use super::{
    engine::ImportEngine,
    file::{File, FileProblem, MAX_ROW_BYTES, RawRow, fault},
    pipe::PieceReader,
    seen::Seen,
};
use crate::http::row_change;

/// Reads the rows of an import that are not done yet.
pub(super) struct Rows<'r> {
    engine: &'r ImportEngine,
    import: &'r ImportJob,
    fields: &'r [CustomFieldDefinition],
    file: File<'r>,
    seen: Seen,
}

impl<'r> Rows<'r> {
    /// Opens the file. `fields` are the definitions that other products' custom fields may have.
    pub(super) fn open(
        engine: &'r ImportEngine,
        import: &'r ImportJob,
        fields: &'r [CustomFieldDefinition],
        pieces: PieceReader,
    ) -> Result<Self, FileProblem> {
        Ok(Self { engine, import, fields, file: File::open(pieces, &import.options)?, seen: Seen::new() })
    }

    /// The rows that were read so far.
    pub(super) fn count(&self) -> u64 {
        self.file.count()
    }

    /// The columns and members that were ignored so far.
    pub(super) fn ignored(&self) -> Vec<String> {
        self.file.ignored()
    }

    /// The next row; `None` at the end, `Some(None)` for a row that is skipped or done.
    pub(super) fn next(&mut self) -> Result<Option<Option<ImportRow>>, FileProblem> {
        let Some((number, RawRow { line, content })) = self.file.next()? else { return Ok(None) };
        let is_done = number <= self.import.rows_done;
        let row =
            FailedRow { row: number, line, external_id: String::new(), faults: Vec::new(), original: String::new() };
        let Some(content) = content else {
            let message = format!("the row has more than {} KiB or 1,000 cells", MAX_ROW_BYTES >> 10);
            let row = FailedRow { faults: vec![fault("max_size", message)], ..row };
            return Ok(Some((!is_done).then_some(ImportRow { row, command: None })));
        };
        let body = self.file.body(&content);
        let external_id = body.as_ref().ok().and_then(|body| body.as_ref()?.get("external_id")?.as_str());
        let external_id = external_id.unwrap_or_default().to_owned();
        let is_new = external_id.is_empty() || self.seen.is_new(&external_id);
        if is_done {
            return Ok(Some(None));
        }
        let change = match body {
            Ok(None) => return Ok(Some(None)),
            Ok(Some(_)) if !is_new => Err(vec![duplicate()]),
            Ok(Some(body)) => change(&self.import.options, body, self.fields),
            Err(faults) => Err(faults),
        };
        let (faults, command) = match change {
            Ok(change) => (Vec::new(), Some(Box::new(self.engine.command(change)))),
            Err(faults) => (faults, None),
        };
        let row = FailedRow { external_id, faults, original: content.original(), ..row };
        Ok(Some(Some(ImportRow { row, command })))
    }
}

/// The change that a row requests.
fn change(
    options: &ImportOptions,
    mut body: Map<String, Value>,
    fields: &[CustomFieldDefinition],
) -> Result<CustomerChange, Vec<RowFault>> {
    lift_custom_fields(&mut body, fields);
    row_change(options.mode, body).map_err(|broken| broken.into_iter().map(RowFault::from).collect())
}

fn duplicate() -> RowFault {
    let message = "an earlier row of the file has this external id; remove one of them".to_owned();
    RowFault { path: "external_id".to_owned(), rule: "duplicate".to_owned(), message }
}
