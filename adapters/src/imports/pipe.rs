//! Pieces of a file on their way to a thread that reads it.

use std::{
    io::{self, Read},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use patron_domain::import::ImportOptions;
use tokio::{
    sync::mpsc,
    task::{JoinHandle, spawn_blocking},
};

use super::file::{FileCheck, FileProblem};

/// The pieces that wait for the reader. Each has 1 MiB.
const WAITING: usize = 1;

/// A piece of a file, or its end. A pipe that closes without an end was interrupted.
enum Piece {
    Bytes(Vec<u8>),
    End,
}

/// The end of a pipe that takes pieces.
pub(super) struct PieceSender(mpsc::Sender<Piece>);

/// The end of a pipe that is read.
pub(super) struct PieceReader {
    pieces: mpsc::Receiver<Piece>,
    piece: Vec<u8>,
    at: usize,
    ended: bool,
    done: Arc<AtomicU64>,
}

/// Returns a pipe, and the number of bytes that were read from it.
pub(super) fn pipe() -> (PieceSender, PieceReader, Arc<AtomicU64>) {
    let (sender, pieces) = mpsc::channel(WAITING);
    let done = Arc::new(AtomicU64::new(0));
    (PieceSender(sender), PieceReader { pieces, piece: Vec::new(), at: 0, ended: false, done: done.clone() }, done)
}

impl PieceSender {
    /// Passes a piece on. Returns whether the reader wants more.
    pub(super) async fn send(&self, bytes: Vec<u8>) -> bool {
        self.0.send(Piece::Bytes(bytes)).await.is_ok()
    }

    pub(super) async fn end(self) {
        // A reader that has stopped needs no end.
        let _ = self.0.send(Piece::End).await;
    }
}

impl Read for PieceReader {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.at == self.piece.len() && !self.ended {
            match self.pieces.blocking_recv() {
                Some(Piece::Bytes(bytes)) => (self.piece, self.at) = (bytes, 0),
                Some(Piece::End) => self.ended = true,
                None => return Err(FileProblem::Unreadable.into()),
            }
        }
        let left = self.piece.get(self.at..).unwrap_or_default();
        let count = left.len().min(to.len());
        to[..count].copy_from_slice(&left[..count]);
        self.at += count;
        self.done.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// The check of a file while it is uploaded.
pub(crate) struct UploadCheck {
    pieces: PieceSender,
    check: JoinHandle<Result<FileCheck, FileProblem>>,
}

impl UploadCheck {
    pub(crate) fn start(options: ImportOptions) -> Self {
        let (pieces, reader, _) = pipe();
        let check = spawn_blocking(move || FileCheck::of(reader, &options));
        Self { pieces, check }
    }

    /// Passes a piece on. Returns whether the file is acceptable so far.
    pub(crate) async fn send(&self, bytes: Vec<u8>) -> bool {
        self.pieces.send(bytes).await
    }

    /// The result, once all pieces were passed on or the file was refused.
    pub(crate) async fn finish(self) -> Result<FileCheck, FileProblem> {
        self.pieces.end().await;
        self.check.await.unwrap_or(Err(FileProblem::Unreadable))
    }
}
