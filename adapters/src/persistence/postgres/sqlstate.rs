//! The SQLSTATE of an error that the server reports.
//!
//! Diesel distinguishes a few kinds of errors and otherwise gives only the server's text, which is translated and
//! quotes values of rows. So the code is read from the protocol's messages as they arrive, and nothing else of them is
//! kept.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

/// A SQLSTATE: five digits or upper-case letters (PostgreSQL, appendix A).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct SqlState([u8; 5]);

impl SqlState {
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let code: [u8; 5] = text.try_into().ok()?;
        code.iter().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase()).then_some(Self(code))
    }

    pub(super) fn as_str(&self) -> &str {
        // The constructor accepts only ASCII.
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for SqlState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The first SQLSTATE since it was last cleared. Later errors in a transaction only result from the first.
#[derive(Default)]
pub(super) struct LastError(AtomicU64);

impl LastError {
    pub(super) fn forget(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> Option<SqlState> {
        let [_, _, _, code @ ..] = self.0.load(Ordering::Relaxed).to_be_bytes();
        SqlState::parse(&code)
    }

    pub(super) fn note(&self, SqlState([a, b, c, d, e]): SqlState) {
        let number = u64::from_be_bytes([0, 0, 0, a, b, c, d, e]);
        // Keeps the first one.
        let _ = self.0.compare_exchange(0, number, Ordering::Relaxed, Ordering::Relaxed);
    }
}

/// Finds errors in the bytes from the server. A message is one byte for its type, four for its length including
/// themselves, and its body (PostgreSQL, section 55.7). It only watches; it ignores a stream that it cannot follow.
#[derive(Default)]
pub(super) struct Watch(Reading);

enum Reading {
    Header { bytes: [u8; 5], have: usize },
    Skip { left: usize },
    Error { body: Vec<u8>, left: usize },
    Lost,
}

impl Default for Reading {
    fn default() -> Self {
        Self::Header { bytes: [0; 5], have: 0 }
    }
}

/// The most bytes of an error that are read. Its first fields are short, and the code is one of them.
const MAX_ERROR: usize = 1_024;

impl Watch {
    /// Reads the next bytes, split in any way.
    pub(super) fn feed(&mut self, mut bytes: &[u8], last: &LastError) {
        while let Some(&next) = bytes.first() {
            match &mut self.0 {
                Reading::Header { bytes: header, have } => {
                    header[*have] = next;
                    *have += 1;
                    bytes = &bytes[1..];
                    if *have == header.len() {
                        self.0 = Self::body(*header);
                    }
                }
                Reading::Skip { left } => {
                    let taken = bytes.len().min(*left);
                    *left -= taken;
                    bytes = &bytes[taken..];
                }
                Reading::Error { body, left } => {
                    let taken = bytes.len().min(*left);
                    let kept = taken.min(MAX_ERROR.saturating_sub(body.len()));
                    body.extend_from_slice(&bytes[..kept]);
                    *left -= taken;
                    bytes = &bytes[taken..];
                }
                Reading::Lost => return,
            }
            match &self.0 {
                Reading::Error { body, left: 0 } => {
                    if let Some(code) = code(body) {
                        last.note(code);
                    }
                    self.0 = Reading::default();
                }
                Reading::Skip { left: 0 } => self.0 = Reading::default(),
                _ => {}
            }
        }
    }

    fn body([kind, length @ ..]: [u8; 5]) -> Reading {
        match usize::try_from(u32::from_be_bytes(length)).ok().and_then(|length| length.checked_sub(4)) {
            Some(left) if kind == b'E' => Reading::Error { body: Vec::new(), left },
            Some(left) => Reading::Skip { left },
            None => Reading::Lost,
        }
    }
}

/// The field `C` of an error: each field is a letter and a zero-terminated text.
fn code(body: &[u8]) -> Option<SqlState> {
    let field = body.split(|byte| *byte == 0).find(|field| field.first() == Some(&b'C'))?;
    SqlState::parse(&field[1..])
}

#[cfg(test)]
mod tests {
    use super::{LastError, Watch};

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        [&[kind], length.as_slice(), body].concat()
    }

    fn seen(pieces: &[&[u8]]) -> Option<String> {
        let (mut watch, last) = (Watch::default(), LastError::default());
        pieces.iter().for_each(|piece| watch.feed(piece, &last));
        last.get().map(|code| code.to_string())
    }

    #[test]
    fn the_first_error_is_found_however_the_bytes_are_split() {
        let stream = [
            message(b'D', b"SERROR\0C99999\0"),
            message(b'Z', b""),
            message(b'E', b"SFEHLER\0VERROR\0C40P01\0MVerklemmung entdeckt\0\0"),
            message(b'Z', b"E"),
            message(b'E', b"SERROR\0C25P02\0\0"),
        ]
        .concat();
        for size in [1, 2, 3, 7, stream.len()] {
            let pieces: Vec<_> = stream.chunks(size).collect();
            assert_eq!(seen(&pieces).as_deref(), Some("40P01"), "in pieces of {size}");
        }
    }

    #[test]
    fn long_errors_are_skipped_after_their_first_fields() {
        let long = [b"SERROR\0C22001\0M".as_slice(), &vec![b'x'; 100_000], b"\0\0"].concat();
        let (mut watch, last) = (Watch::default(), LastError::default());
        watch.feed(&message(b'E', &long), &last);
        assert_eq!(last.get().map(|code| code.to_string()).as_deref(), Some("22001"));
        last.forget();
        watch.feed(&message(b'E', b"C57014\0\0"), &last);
        assert_eq!(last.get().map(|code| code.to_string()).as_deref(), Some("57014"));
    }

    #[test]
    fn bytes_that_are_not_messages_are_ignored() {
        assert_eq!(seen(&[b"E\0\0\0\x01", &message(b'E', b"C22001\0\0")]), None);
        assert_eq!(seen(&[&message(b'E', b"Cshort\0\0")]), None);
        assert_eq!(seen(&[&message(b'E', b"")]), None);
    }
}
