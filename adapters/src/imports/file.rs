//! A file as rows, and the faults of a whole file.

use std::{
    collections::BTreeSet,
    io::{self, Read},
};

use patron_domain::{
    import::{HeaderFault, ImportFormat, ImportJob, ImportOptions, RowFault, RowMapper, map_object},
    violation::{Rule, Violations},
};
use serde_json::{Map, Value};

use super::{decode::decoded, lines::Lines, table::Table};

/// The most bytes of a row.
pub(crate) const MAX_ROW_BYTES: usize = 1_048_576;

/// A fault of a whole file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FileProblem {
    #[error(
        "the byte at {at} (counted from 0, after decompression) is not {name}; save the file as UTF-8, or send \
         encoding=windows-1252"
    )]
    Encoding { name: &'static str, at: u64 },
    #[error("the gzip archive is damaged or incomplete; compress the file again")]
    Gzip,
    #[error("the file has more than {} MiB after decompression; split it", ImportJob::MAX_BYTES >> 20)]
    TooLarge,
    #[error("the file has more than {} rows; split it", ImportJob::MAX_ROWS)]
    TooManyRows,
    #[error("the file has no rows")]
    Empty,
    #[error("the header of the file is too long, or a quoted cell in it does not end")]
    LongHeader,
    #[error(transparent)]
    Header(#[from] HeaderFault),
    #[error("the file could not be read")]
    Unreadable,
}

impl Rule for FileProblem {
    fn rule(&self) -> &'static str {
        match self {
            Self::Encoding { .. } => "encoding",
            Self::Gzip => "gzip",
            Self::TooLarge | Self::TooManyRows => "max_size",
            Self::Empty | Self::LongHeader => "rows",
            Self::Header(fault) => fault.rule(),
            Self::Unreadable => "unreadable",
        }
    }
}

impl From<FileProblem> for io::Error {
    fn from(problem: FileProblem) -> Self {
        Self::other(problem)
    }
}

impl From<io::Error> for FileProblem {
    fn from(error: io::Error) -> Self {
        let problem = error.into_inner().and_then(|inner| inner.downcast::<Self>().ok());
        problem.map_or(Self::Unreadable, |problem| *problem)
    }
}

/// A row as it is in the file.
pub(super) struct RawRow {
    /// Its line, from 1.
    pub(super) line: u64,
    /// `None` if it is too long.
    pub(super) content: Option<Content>,
}

/// The content of a row.
pub(super) enum Content {
    Cells(Vec<String>),
    Line(String),
}

impl Content {
    /// The row for a report: a JSON array of cells, or the line.
    pub(super) fn original(&self) -> String {
        match self {
            Self::Cells(cells) => serde_json::to_string(cells).unwrap_or_default(),
            Self::Line(line) => line.clone(),
        }
    }
}

/// A file that is being read.
pub(super) struct File<'r> {
    rows: Rows<'r>,
    options: &'r ImportOptions,
    mapper: Option<RowMapper>,
    header: Vec<String>,
    ignored: BTreeSet<String>,
    count: u64,
}

enum Rows<'r> {
    Table(Box<Table<'r>>),
    Lines(Lines<'r>),
}

impl<'r> File<'r> {
    /// Reads the beginning of a file.
    pub(super) fn open(file: impl Read + 'r, options: &'r ImportOptions) -> Result<Self, FileProblem> {
        let text = decoded(file, options.encoding)?;
        let (mut mapper, mut header, mut ignored) = (None, Vec::new(), BTreeSet::new());
        let rows = match options.format {
            ImportFormat::Ndjson => Rows::Lines(Lines::new(text)),
            ImportFormat::Csv => {
                let (table, names) = Table::open(text, options.delimiter)?;
                let found = RowMapper::new(options, &names)?;
                ignored.extend(found.ignored().iter().cloned());
                (mapper, header) = (Some(found), names);
                Rows::Table(Box::new(table))
            }
        };
        Ok(Self { rows, options, mapper, header, ignored, count: 0 })
    }

    /// The next row with its number, from 1.
    pub(super) fn next(&mut self) -> Result<Option<(u64, RawRow)>, FileProblem> {
        let row = match &mut self.rows {
            Rows::Table(table) => table.next()?,
            Rows::Lines(lines) => lines.next()?,
        };
        let Some(row) = row else {
            return if self.count == 0 { Err(FileProblem::Empty) } else { Ok(None) };
        };
        self.count += 1;
        if self.count > ImportJob::MAX_ROWS {
            return Err(FileProblem::TooManyRows);
        }
        Ok(Some((self.count, row)))
    }

    /// The body of a create for a row; `None` if the row is to be skipped.
    pub(super) fn body(&mut self, content: &Content) -> Result<Option<Map<String, Value>>, Vec<RowFault>> {
        let faults = |broken: Violations| broken.into_iter().map(RowFault::from).collect();
        match (content, &self.mapper) {
            (Content::Cells(cells), Some(mapper)) => {
                if cells.len() != self.header.len() {
                    return Err(vec![ragged(cells.len(), self.header.len())]);
                }
                mapper.body(self.options, cells).map(Some).map_err(faults)
            }
            (Content::Line(line), _) => match serde_json::from_str::<Value>(line) {
                Ok(Value::Object(object)) => map_object(self.options, object, &mut self.ignored).map_err(faults),
                Ok(_) => Err(vec![fault("json", "the line must be a JSON object".to_owned())]),
                Err(error) => Err(vec![fault("json", format!("the line is not JSON: column {}", error.column()))]),
            },
            // Cells come with a mapper.
            (Content::Cells(_), None) => Ok(None),
        }
    }

    pub(super) fn header(&self) -> &[String] {
        &self.header
    }

    /// The columns and members that were ignored so far.
    pub(super) fn ignored(&self) -> Vec<String> {
        self.ignored.iter().take(ImportJob::MAX_DIFFS).cloned().collect()
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }
}

/// A fault of a row as a whole.
pub(super) fn fault(rule: &str, message: String) -> RowFault {
    RowFault { path: String::new(), rule: rule.to_owned(), message }
}

fn ragged(cells: usize, columns: usize) -> RowFault {
    let message = format!("the row has {cells} cells, but the header has {columns}; check quotes and delimiters");
    fault("columns", message)
}

/// The result of the check of a whole file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FileCheck {
    pub(crate) rows: u64,
    pub(crate) header: Vec<String>,
    pub(crate) ignored: Vec<String>,
}

impl FileCheck {
    /// Reads a file to its end, without interpreting its rows.
    pub(super) fn of(file: impl Read, options: &ImportOptions) -> Result<Self, FileProblem> {
        let mut file = File::open(file, options)?;
        while file.next()?.is_some() {}
        Ok(Self { rows: file.count(), header: file.header().to_vec(), ignored: file.ignored() })
    }
}
