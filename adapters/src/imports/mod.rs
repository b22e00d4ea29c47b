//! Imports: reading files, and the work on imports while the process lives.

mod decode;
mod driver;
mod engine;
mod file;
mod lines;
mod pipe;
mod table;

pub use driver::drive;
pub use engine::ImportEngine;
pub(crate) use file::FileCheck;
pub(crate) use pipe::UploadCheck;
