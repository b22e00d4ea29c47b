//! Receiving the file of an import.

use std::fmt::Write as _;

use async_trait::async_trait;
use patron_domain::{
    import::{ImportError, ImportJob, ImportOptions, ImportService},
    tenancy::Caller,
    violation::{Rule, Violation},
};
use sha2::{Digest, Sha256};

use super::{
    file::{FileCheck, FileProblem},
    pipe::UploadCheck,
};

/// The size of a piece of a file.
pub const PIECE_BYTES: usize = ImportJob::PIECE_BYTES;

/// Why a file was not accepted. Nothing of it is left.
#[derive(Debug, thiserror::Error)]
pub enum UploadError<E> {
    /// The next piece could not be read.
    #[error("{0}")]
    Source(E),
    /// The file cannot be imported as a whole.
    #[error("{}", .0.message)]
    File(Violation),
    /// The import was refused, or could not be stored.
    #[error(transparent)]
    Import(#[from] ImportError),
}

/// A file that arrives in pieces.
#[async_trait]
pub trait FileSource: Send {
    /// The reason why the next piece cannot be read.
    type Error: Send;

    /// The next piece, of at most [`PIECE_BYTES`]; `None` at the end.
    async fn piece(&mut self) -> Result<Option<Vec<u8>>, Self::Error>;
}

/// Stores a file piece by piece, and reads it meanwhile. Then the import has work. With `again` a file that was imported
/// before is accepted.
///
/// # Errors
/// See [`UploadError`].
pub async fn upload<S: FileSource>(
    service: &ImportService,
    caller: &Caller,
    options: ImportOptions,
    again: bool,
    source: &mut S,
) -> Result<ImportJob, UploadError<S::Error>> {
    let import = service.begin(caller, options).await?;
    let id = import.id;
    match receive(service, caller, &import, source).await {
        Ok(Received { bytes, digest, check: FileCheck { rows, header, ignored } }) => {
            let import = ImportJob { bytes, digest, rows, header, ignored, ..import };
            Ok(service.finish(caller, import, again).await?)
        }
        Err(error) => {
            service.abandon(caller, id).await?;
            Err(error)
        }
    }
}

/// A file that was received and is acceptable as a whole.
struct Received {
    bytes: u64,
    digest: String,
    check: FileCheck,
}

async fn receive<S: FileSource>(
    service: &ImportService,
    caller: &Caller,
    import: &ImportJob,
    source: &mut S,
) -> Result<Received, UploadError<S::Error>> {
    let check = UploadCheck::start(import.options.clone());
    let (mut hash, mut bytes, mut number) = (Sha256::new(), 0_u64, 0_u32);
    hash.update(format!("{:?}", import.options));
    while let Some(piece) = source.piece().await.map_err(UploadError::Source)? {
        hash.update(&piece);
        bytes += piece.len() as u64;
        if bytes > ImportJob::MAX_BYTES {
            return Err(refused(&FileProblem::TooLarge));
        }
        if !check.send(piece.clone()).await {
            break;
        }
        service.add_piece(caller, import.id, number, piece).await?;
        number += 1;
    }
    let check = check.finish().await.map_err(|problem| refused(&problem))?;
    let mut digest = String::with_capacity(64);
    for byte in hash.finalize() {
        // Writing to a string cannot fail.
        let _ = write!(digest, "{byte:02x}");
    }
    Ok(Received { bytes, digest, check })
}

fn refused<E>(problem: &FileProblem) -> UploadError<E> {
    UploadError::File(Violation { path: "file".to_owned(), rule: problem.rule(), message: problem.to_string() })
}
