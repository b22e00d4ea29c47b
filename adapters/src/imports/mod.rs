//! Imports: reading files, and the work on imports while the process lives.

mod decode;
mod driver;
mod engine;
mod file;
mod lines;
mod pace;
mod pipe;
mod rows;
mod seen;
mod table;
mod upload;

pub use driver::drive;
pub use engine::ImportEngine;
pub use upload::{FileSource, PIECE_BYTES, UploadError, upload};
