//! A cheap client, because it shares two processors with the server: one connection, one request at a time, requests
//! rendered in advance, and only the needed parts of an answer are parsed.

use std::{io, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The parts of an answer that matter here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: u16,
    /// Whether it has `Retry-After`.
    pub(crate) retry_after: bool,
    /// Whether it has `Idempotency-Replayed`.
    pub(crate) replayed: bool,
    /// The length of headers and body, in bytes.
    pub(crate) lengths: (usize, usize),
}

/// A connection that stays open.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(8192) })
    }

    /// Sends bytes and reads nothing.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// Sends a request and reads its answer to the end.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> io::Result<Answer> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(answer) = head(&self.buffer)? {
                let end = answer.lengths.0 + answer.lengths.1;
                while self.buffer.len() < end {
                    if self.stream.read_buf(&mut self.buffer).await? == 0 {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                return Ok(answer);
            }
        }
    }

    /// The last answer's bytes.
    pub(crate) fn last(&self) -> &[u8] {
        &self.buffer
    }
}

/// The head of an answer, once it is there.
fn head(bytes: &[u8]) -> io::Result<Option<Answer>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let parsed = response.parse(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    let httparse::Status::Complete(length) = parsed else { return Ok(None) };
    let mut answer =
        Answer { status: response.code.unwrap_or_default(), retry_after: false, replayed: false, lengths: (length, 0) };
    for header in response.headers.iter() {
        if header.name.eq_ignore_ascii_case("content-length") {
            let length = std::str::from_utf8(header.value).ok().and_then(|text| text.parse().ok());
            answer.lengths.1 = length.ok_or(io::ErrorKind::InvalidData)?;
        }
        answer.retry_after |= header.name.eq_ignore_ascii_case("retry-after");
        answer.replayed |= header.name.eq_ignore_ascii_case("idempotency-replayed");
    }
    Ok(Some(answer))
}
