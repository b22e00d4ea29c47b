//! Responses that are files of any length, sent while they are made.

use futures_util::{StreamExt, TryStreamExt, stream::BoxStream};
use rocket::{
    Request, Response,
    http::ContentType,
    response::{self, Responder, stream::ByteStream},
};

/// The rest of a file could not be read. The cause is in the log.
#[derive(Debug, Clone, Copy)]
pub struct FileCutOff;

impl From<csv::Error> for FileCutOff {
    fn from(_: csv::Error) -> Self {
        // Writing to memory does not fail.
        Self
    }
}

/// The parts of a file.
pub type Parts<'r> = BoxStream<'r, Result<Vec<u8>, FileCutOff>>;

/// A file.
pub(crate) struct FileStream<'r> {
    kind: ContentType,
    name: String,
    parts: Parts<'r>,
}

/// The last line of a file that is cut off: the status was sent long before, and a client must not take it for complete.
const CUT_OFF: &str =
    "{\"error\":\"the file is not complete, because the server could not read the rest; download it again\"}\n";

impl<'r> FileStream<'r> {
    /// A file under the name that browsers save it by.
    pub(crate) fn new(kind: ContentType, name: String, parts: Parts<'r>) -> Self {
        Self { kind, name, parts }
    }
}

impl<'r> Responder<'r, 'r> for FileStream<'r> {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'r> {
        let parts = self.parts.or_else(|FileCutOff| async { Ok::<_, FileCutOff>(CUT_OFF.as_bytes().to_vec()) });
        let parts = parts.filter_map(|part| async { part.ok() });
        Response::build_from(ByteStream::from(parts.boxed()).respond_to(request)?)
            .header(self.kind)
            .raw_header("Content-Disposition", format!("attachment; filename=\"{}\"", self.name))
            .ok()
    }
}
