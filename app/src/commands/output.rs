//! What a person or a script asked for, on standard output.

use std::io::{BufWriter, ErrorKind, Write, stderr, stdout};

use comfy_table::{Table, presets};
use serde_json::Value;

use crate::{
    failure::Failure,
    terminal::{Line, Lines},
};

/// One line, or a table. A reader that has seen enough and closed the pipe is no failure.
pub(super) fn line(text: impl std::fmt::Display) -> Result<(), Failure> {
    lines([text]).map(drop)
}

/// Lines, and whether there is still a reader. Data cannot make a terminal do anything.
pub(super) fn lines(texts: impl IntoIterator<Item = impl std::fmt::Display>) -> Result<bool, Failure> {
    let mut out = BufWriter::new(stdout().lock());
    let written = texts.into_iter().try_for_each(|text| writeln!(out, "{}", Lines(text))).and_then(|()| out.flush());
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::failed(format!("cannot write to standard output: {error}"))),
    }
}

/// A script or a page as it is: from the program itself, without data.
pub(super) fn text(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::failed(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// One line beside the result, on standard error.
pub(super) fn note(text: impl std::fmt::Display) {
    // With no stderr there is nobody to tell.
    let _ = writeln!(stderr(), "{}", Line(text));
}

/// Rows as a table, or as they are.
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
