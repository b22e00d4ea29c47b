//! The rows of a CSV file. `csv-core` reads it in pieces of bounded size, whatever a quoted cell contains.

use std::io::{BufRead, BufReader, Read};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::file::{Content, FileProblem, MAX_ROW_BYTES, RawRow};

/// The most columns of a file.
const MAX_COLUMNS: usize = 1_000;
/// The separators that are guessed.
const DELIMITERS: [u8; 4] = *b",;\t|";

/// The records of a CSV file.
pub(super) struct Table<'r> {
    text: BufReader<Box<dyn Read + 'r>>,
    reader: Reader,
    cells: Vec<u8>,
    ends: Vec<usize>,
    ended: bool,
}

impl<'r> Table<'r> {
    /// Reads the header.
    pub(super) fn open(
        mut text: BufReader<Box<dyn Read + 'r>>,
        delimiter: Option<u8>,
    ) -> Result<(Self, Vec<String>), FileProblem> {
        let delimiter = match delimiter {
            Some(delimiter) => delimiter,
            None => guess(text.fill_buf()?),
        };
        let reader = ReaderBuilder::new().delimiter(delimiter).build();
        let mut table = Self { text, reader, cells: vec![0; 4_096], ends: vec![0; 64], ended: false };
        match table.next()? {
            Some(RawRow { content: Some(Content::Cells(header)), .. }) => Ok((table, header)),
            Some(_) => Err(FileProblem::LongHeader),
            None => Err(FileProblem::Empty),
        }
    }

    /// The next record. Blank lines are skipped.
    pub(super) fn next(&mut self) -> Result<Option<RawRow>, FileProblem> {
        if self.ended {
            return Ok(None);
        }
        let (mut bytes, mut count, mut is_long, mut last_byte) = (0, 0, false, None);
        loop {
            let input = self.text.fill_buf()?;
            let at_end = input.is_empty();
            // Without input the reader ends the last record.
            let (result, read, written, ended) =
                self.reader.read_record(input, &mut self.cells[bytes..], &mut self.ends[count..]);
            last_byte = read.checked_sub(1).and_then(|place| input.get(place)).copied().or(last_byte);
            self.text.consume(read);
            bytes += written;
            count += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.cells.len() < MAX_ROW_BYTES => {
                    self.cells.resize((self.cells.len() * 2).min(MAX_ROW_BYTES), 0);
                }
                ReadRecordResult::OutputEndsFull if self.ends.len() < MAX_COLUMNS => {
                    self.ends.resize((self.ends.len() * 2).min(MAX_COLUMNS), 0);
                }
                // The rest of the record is read over it.
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    (bytes, count, is_long) = (0, 0, true)
                }
                ReadRecordResult::Record => {
                    let line = self.line(at_end || last_byte == Some(b'\r'), bytes);
                    let content = if is_long { None } else { Some(Content::Cells(self.texts(count)?)) };
                    return Ok(Some(RawRow { line, content }));
                }
                ReadRecordResult::End => {
                    self.ended = true;
                    return Ok(None);
                }
            }
        }
    }

    /// The first line of the record that was just read.
    ///
    /// A record ends before the line feed of CR LF, or after a line feed alone. `is_within` says whether the reader is still
    /// in its last line.
    fn line(&self, is_within: bool, bytes: usize) -> u64 {
        let last = self.reader.line().saturating_sub(u64::from(!is_within));
        let cells = self.cells.get(..bytes).unwrap_or_default();
        let breaks = cells.iter().filter(|byte| **byte == b'\n').count() as u64;
        last.saturating_sub(breaks).max(1)
    }

    fn texts(&self, count: usize) -> Result<Vec<String>, FileProblem> {
        let mut start = 0;
        let ends = self.ends.get(..count).unwrap_or_default();
        let text = |end: &usize| {
            let bytes = self.cells.get(start..*end).unwrap_or_default();
            start = *end;
            // The text was decoded, and is split at ASCII characters.
            String::from_utf8(bytes.to_vec()).map_err(|_| FileProblem::Unreadable)
        };
        ends.iter().map(text).collect()
    }
}

/// The separator that the first line has most often, outside quotes.
fn guess(text: &[u8]) -> u8 {
    let mut counts = [0_usize; DELIMITERS.len()];
    let mut quoted = false;
    for byte in text {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            byte if !quoted => {
                if let Some(place) = DELIMITERS.iter().position(|delimiter| delimiter == byte) {
                    counts[place] += 1;
                }
            }
            _ => {}
        }
    }
    let most = counts.iter().copied().max().unwrap_or_default();
    let place = counts.iter().position(|count| *count == most).unwrap_or_default();
    DELIMITERS.get(place).copied().unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(text: &str) -> (Table<'_>, Vec<String>) {
        let text: Box<dyn Read> = Box::new(text.as_bytes());
        Table::open(BufReader::with_capacity(7, text), None).unwrap()
    }

    fn rows(text: &str) -> Vec<(u64, Option<Vec<String>>)> {
        let (mut table, _) = open(text);
        let mut rows = Vec::new();
        while let Some(row) = table.next().unwrap() {
            let cells = row.content.map(|content| match content {
                Content::Cells(cells) => cells,
                Content::Line(line) => vec![line],
            });
            rows.push((row.line, cells));
        }
        rows
    }

    fn cells(cells: &[&str]) -> Option<Vec<String>> {
        Some(cells.iter().map(|cell| (*cell).to_owned()).collect())
    }

    #[test]
    fn quotes_line_breaks_and_ragged_rows_are_read() {
        let text = "a,b\r\n1,\"x, \"\"y\"\"\nz\"\n\n2\n3,4,5";
        let found = rows(text);
        let contents: Vec<_> = found.iter().map(|(_, cells)| cells.clone()).collect();
        assert_eq!(contents, [cells(&["1", "x, \"y\"\nz"]), cells(&["2"]), cells(&["3", "4", "5"])]);
        let lines: Vec<_> = found.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [2, 5, 6]);
    }

    #[test]
    fn the_delimiter_is_guessed_from_the_header() {
        for (text, header) in [
            ("a;b;c\n1;2;3", vec!["a", "b", "c"]),
            ("a\tb\n", vec!["a", "b"]),
            ("\"a;x\",b\n", vec!["a;x", "b"]),
            ("a|b", vec!["a", "b"]),
            ("single", vec!["single"]),
        ] {
            let text: Box<dyn Read> = Box::new(text.as_bytes());
            assert_eq!(Table::open(BufReader::new(text), None).unwrap().1, header);
        }
    }

    #[test]
    fn a_row_that_is_too_long_is_skipped_in_bounded_memory() {
        let text = format!("a,b\n1,\"{}\"\n2,3\n", "x".repeat(5 * MAX_ROW_BYTES));
        let found: Vec<_> = rows(&text).into_iter().map(|(_, cells)| cells).collect();
        assert_eq!(found, [None, cells(&["2", "3"])]);
        let wide = format!("a,b\n{}\n2,3\n", ",".repeat(5_000));
        let found: Vec<_> = rows(&wide).into_iter().map(|(_, cells)| cells).collect();
        assert_eq!(found, [None, cells(&["2", "3"])]);
    }

    #[test]
    fn a_file_without_a_header_is_empty() {
        for text in ["", "\n\n"] {
            let text: Box<dyn Read> = Box::new(text.as_bytes());
            assert_eq!(Table::open(BufReader::new(text), None).err(), Some(FileProblem::Empty));
        }
    }
}
