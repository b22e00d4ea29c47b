//! Imports: files of customers, checked as a whole and written in chunks, each row exactly once.
//!
//! A job holds the options and the progress. [`RowMapper`] turns the cells or the object of a row into the body of a create,
//! for the columns of several products. Adapters read files, and the store writes a chunk together with the progress after it.

mod body;
mod columns;
mod custom_fields;
mod header;
mod job;
mod objects;
mod options;
mod port;
mod presets;
mod row;
mod service;
mod vat;

pub use columns::RowMapper;
pub use custom_fields::lift_custom_fields;
pub use header::HeaderFault;
pub use job::{ImportAmendment, ImportJob, ImportPhase, ImportProblem, ImportRefusal, ImportState, ImportWork};
pub use objects::map_object;
pub use options::{
    BlankCells, ColumnTarget, ColumnTargetError, ImportEncoding, ImportFormat, ImportMode, ImportOptions, ImportPreset,
    UnmappedColumns,
};
#[cfg(any(test, feature = "mock"))]
pub use port::MockImportRepository;
pub use port::{FailedRow, ImportChunk, ImportClaim, ImportHolder, ImportLoad, ImportRepository, ImportRow, RowFault};
pub use row::{ImportCounts, ImportDiff, RowOutcome, RowResult};
pub use service::{ImportError, ImportService};
