//! The body of an upload: any bytes, in pieces.

use std::time::Duration;

use patron_domain::import::ImportJob;
use rocket::{
    Data, Request,
    data::{DataStream, FromData, Outcome, ToByteUnit},
    tokio::{io::AsyncReadExt, time::timeout},
};

use crate::{
    http::{Api, deadline::body_begins, error::ApiError, wrap::fail},
    imports::{FileSource, PIECE_BYTES},
};

/// A body that has not been read.
pub(super) struct Upload<'r> {
    stream: DataStream<'r>,
    timeout_of_part: Duration,
    /// The bytes that may still come.
    left: u64,
    /// While the body arrives, the time limit of the request stands still.
    arriving: Option<Box<dyn Send + 'r>>,
}

#[rocket::async_trait]
impl<'r> FromData<'r> for Upload<'r> {
    type Error = ();

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r, Self> {
        let api = match Api::of(request) {
            Ok(api) => api,
            Err(error) => return Outcome::Error((fail(request, error), ())),
        };
        let codings: Vec<_> = request.headers().get("content-encoding").collect();
        let known = |coding: &str| {
            coding.is_empty() || ["gzip", "x-gzip", "identity"].iter().any(|known| coding.eq_ignore_ascii_case(known))
        };
        if !codings.iter().all(|coding| known(coding.trim())) {
            return Outcome::Error((fail(request, ApiError::unsupported_encoding()), ()));
        }
        let stream = data.open((ImportJob::MAX_BYTES + 1).bytes());
        let arriving: Box<dyn Send + 'r> = Box::new(body_begins(request));
        let timeout_of_part = api.options.body_timeout;
        Outcome::Success(Self { stream, timeout_of_part, left: ImportJob::MAX_BYTES, arriving: Some(arriving) })
    }
}

#[rocket::async_trait]
impl FileSource for Upload<'_> {
    type Error = ApiError;

    /// An error says that the client sent nothing for a while, went away, or sent too much.
    async fn piece(&mut self) -> Result<Option<Vec<u8>>, ApiError> {
        let mut piece = Vec::with_capacity(PIECE_BYTES);
        while piece.len() < PIECE_BYTES {
            let room = (PIECE_BYTES - piece.len()) as u64;
            let mut part = (&mut self.stream).take(room);
            let read = timeout(self.timeout_of_part, part.read_buf(&mut piece)).await;
            let read = read.map_err(|_| ApiError::body_timeout(self.timeout_of_part.as_secs()))?;
            let count =
                read.map_err(|_| ApiError::malformed("the upload ended before it was complete; send it again"))?;
            if count == 0 {
                break;
            }
        }
        self.left = self
            .left
            .checked_sub(piece.len() as u64)
            .ok_or_else(|| ApiError::too_large(usize::try_from(ImportJob::MAX_BYTES).unwrap_or(usize::MAX)))?;
        if piece.is_empty() {
            self.arriving = None;
            return Ok(None);
        }
        Ok(Some(piece))
    }
}
