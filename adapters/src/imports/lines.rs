//! The rows of a file with one JSON object a line.

use std::io::{BufRead, BufReader, Read};

use super::file::{Content, FileProblem, MAX_ROW_BYTES, RawRow};

/// Lines of a text. Blank ones are skipped.
pub(super) struct Lines<'r> {
    text: BufReader<Box<dyn Read + 'r>>,
    line: u64,
}

impl<'r> Lines<'r> {
    pub(super) fn new(text: BufReader<Box<dyn Read + 'r>>) -> Self {
        Self { text, line: 0 }
    }

    pub(super) fn next(&mut self) -> Result<Option<RawRow>, FileProblem> {
        loop {
            let Some((line, is_long)) = self.read_line()? else { return Ok(None) };
            self.line += 1;
            if is_long {
                return Ok(Some(RawRow { line: self.line, content: None }));
            }
            // The text was decoded, so it is UTF-8.
            let line = String::from_utf8(line).map_err(|_| FileProblem::Unreadable)?;
            if !line.trim().is_empty() {
                let content = Some(Content::Line(line.trim_end_matches(['\n', '\r']).to_owned()));
                return Ok(Some(RawRow { line: self.line, content }));
            }
        }
    }

    /// A line, and whether it is too long; then only its beginning is kept. `None` at the end.
    fn read_line(&mut self) -> Result<Option<(Vec<u8>, bool)>, FileProblem> {
        let (mut line, mut is_long, mut any) = (Vec::new(), false, false);
        loop {
            let bytes = self.text.fill_buf()?;
            if bytes.is_empty() {
                return Ok(any.then_some((line, is_long)));
            }
            any = true;
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(bytes.len(), |end| end + 1);
            if line.len() + taken > MAX_ROW_BYTES {
                is_long = true;
            } else {
                line.extend_from_slice(&bytes[..taken]);
            }
            self.text.consume(taken);
            if end.is_some() {
                return Ok(Some((line, is_long)));
            }
        }
    }
}
