//! Results of commands, on standard output.

use std::io::{BufWriter, ErrorKind, Write, stderr, stdout};

use comfy_table::{Table, presets};
use serde_json::Value;

use crate::{
    failure::Failure,
    terminal::{Line, Lines},
};

/// Prints a line or a table. A closed pipe is not an error: the reader has seen enough.
pub(super) fn line(text: impl std::fmt::Display) -> Result<(), Failure> {
    lines([text]).map(drop)
}

/// Prints lines. Returns whether the output is still open. Escapes everything that a terminal would act on.
pub(super) fn lines(texts: impl IntoIterator<Item = impl std::fmt::Display>) -> Result<bool, Failure> {
    let mut out = BufWriter::new(stdout().lock());
    let written = texts.into_iter().try_for_each(|text| writeln!(out, "{}", Lines(text))).and_then(|()| out.flush());
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::failed(format!("cannot write to standard output: {error}"))),
    }
}

/// Prints a script or a page unchanged. Only for text from the program itself, never for data.
pub(super) fn text(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::failed(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Prints a remark about the result, on standard error.
pub(super) fn note(text: impl std::fmt::Display) {
    // Without a standard error there is nowhere to report it.
    let _ = writeln!(stderr(), "{}", Line(text));
}

/// Prints rows as a table, or as JSON.
pub(super) fn list(rows: &[Value], columns: &[&str], json: bool) -> Result<(), Failure> {
    if json {
        return line(Value::from(rows));
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(columns.iter().map(|column| column.to_uppercase().replace('_', " ")));
    for row in rows {
        table.add_row(columns.iter().map(|column| cell(&row[column])));
    }
    line(table)
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => Line(text).to_string(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
