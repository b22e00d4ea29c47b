//! The bytes of a file as UTF-8: decompressed, and decoded strictly.

use std::io::{self, BufRead, BufReader, Read};

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use flate2::read::MultiGzDecoder;
use patron_domain::import::{ImportEncoding, ImportJob};

use super::file::FileProblem;

/// The bytes that are read at once.
const BLOCK: usize = 65_536;

/// A file as UTF-8 without a byte order mark. A read fails with a [`FileProblem`] within the error.
pub(super) fn decoded<'r>(file: impl Read + 'r, encoding: ImportEncoding) -> io::Result<BufReader<Box<dyn Read + 'r>>> {
    let mut file = BufReader::with_capacity(BLOCK, file);
    let is_gzip = file.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    let plain: Box<dyn Read + 'r> =
        if is_gzip { Box::new(Unzipped(MultiGzDecoder::new(file))) } else { Box::new(file) };
    let mut plain = BufReader::with_capacity(BLOCK, Bounded { inner: plain, left: ImportJob::MAX_BYTES });
    let head = plain.fill_buf()?;
    let (encoding, mark): (&'static Encoding, usize) = match encoding {
        ImportEncoding::Windows1252 => (WINDOWS_1252, 0),
        ImportEncoding::Unicode if head.starts_with(&[0xef, 0xbb, 0xbf]) => (UTF_8, 3),
        ImportEncoding::Unicode if head.starts_with(&[0xff, 0xfe]) => (UTF_16LE, 2),
        ImportEncoding::Unicode if head.starts_with(&[0xfe, 0xff]) => (UTF_16BE, 2),
        ImportEncoding::Unicode => (UTF_8, 0),
    };
    plain.consume(mark);
    let decoder = encoding.new_decoder_without_bom_handling();
    let text = Decoded {
        inner: plain,
        decoder,
        name: encoding.name(),
        place: mark as u64,
        rest: Vec::new(),
        given: 0,
        ended: false,
    };
    Ok(BufReader::with_capacity(BLOCK, Box::new(text)))
}

/// Reports a damaged or truncated archive.
struct Unzipped<R: BufRead>(MultiGzDecoder<R>);

impl<R: BufRead> Read for Unzipped<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.0.read(to).map_err(|error| match error.get_ref().is_some_and(|inner| inner.is::<FileProblem>()) {
            true => error,
            false => FileProblem::Gzip.into(),
        })
    }
}

/// Limits the size of the content, which a small archive may exceed by far.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(to)?;
        self.left = self.left.checked_sub(count as u64).ok_or(FileProblem::TooLarge)?;
        Ok(count)
    }
}

/// Text in UTF-8, decoded without replacement characters.
struct Decoded<R> {
    inner: BufReader<R>,
    decoder: Decoder,
    name: &'static str,
    /// The bytes that were decoded.
    place: u64,
    /// Decoded text, of which some was given.
    rest: Vec<u8>,
    given: usize,
    ended: bool,
}

impl<R: Read> Decoded<R> {
    /// Decodes more text. Leaves none only at the end.
    fn refill(&mut self) -> io::Result<()> {
        self.given = 0;
        self.rest.clear();
        while self.rest.is_empty() && !self.ended {
            let bytes = self.inner.fill_buf()?;
            let last = bytes.is_empty();
            let length = bytes.len();
            // Room for the longest text of these bytes.
            let most = self.decoder.max_utf8_buffer_length_without_replacement(length).unwrap_or(4 * length + 16);
            self.rest.resize(most.max(16), 0);
            let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(bytes, &mut self.rest, last);
            self.rest.truncate(written);
            self.inner.consume(read);
            self.place += read as u64;
            match result {
                DecoderResult::InputEmpty => self.ended = last,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(length, after) => {
                    let at = self.place.saturating_sub(u64::from(length) + u64::from(after));
                    return Err(FileProblem::Encoding { name: self.name, at }.into());
                }
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.given == self.rest.len() {
            self.refill()?;
        }
        let left = &self.rest[self.given..];
        let count = left.len().min(to.len());
        to[..count].copy_from_slice(&left[..count]);
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn text(bytes: &[u8], encoding: ImportEncoding) -> Result<String, FileProblem> {
        let mut text = String::new();
        match decoded(bytes, encoding).and_then(|mut reader| reader.read_to_string(&mut text)) {
            Ok(_) => Ok(text),
            Err(error) => Err(FileProblem::from(error)),
        }
    }

    fn zipped(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn every_encoding_is_read() {
        let utf_16 = |mark: [u8; 2], bytes: fn(u16) -> [u8; 2]| {
            mark.into_iter().chain("Müller €🦀".encode_utf16().flat_map(bytes)).collect::<Vec<_>>()
        };
        for bytes in [
            "Müller €🦀".as_bytes().to_vec(),
            "\u{feff}Müller €🦀".as_bytes().to_vec(),
            utf_16([0xff, 0xfe], u16::to_le_bytes),
            utf_16([0xfe, 0xff], u16::to_be_bytes),
            zipped("Müller €🦀".as_bytes()),
        ] {
            assert_eq!(text(&bytes, ImportEncoding::Unicode).unwrap(), "Müller €🦀");
        }
        assert_eq!(text(b"M\xfcller \x80", ImportEncoding::Windows1252).unwrap(), "Müller €");
        assert_eq!(text(b"", ImportEncoding::Unicode).unwrap(), "");
        let long = "aé🦀".repeat(100_000);
        assert_eq!(text(&zipped(long.as_bytes()), ImportEncoding::Unicode).unwrap(), long);
    }

    #[test]
    fn a_wrong_byte_is_named_by_its_place() {
        let mut bytes = "é".repeat(70_000).into_bytes();
        bytes.push(0xff);
        bytes.extend(b"abc");
        let problem = text(&bytes, ImportEncoding::Unicode).unwrap_err();
        assert_eq!(problem, FileProblem::Encoding { name: "UTF-8", at: 140_000 });
        assert!(matches!(text(b"ab\xc3", ImportEncoding::Unicode), Err(FileProblem::Encoding { at: 2, .. })));
        assert!(matches!(text(b"\xff\xfea\0\0\xd8", ImportEncoding::Unicode), Err(FileProblem::Encoding { .. })));
    }

    #[test]
    fn a_truncated_archive_is_refused() {
        let archive = zipped("text ".repeat(10_000).as_bytes());
        for length in [3, 20, archive.len() - 1] {
            assert_eq!(text(&archive[..length], ImportEncoding::Unicode), Err(FileProblem::Gzip), "{length}");
        }
    }
}
