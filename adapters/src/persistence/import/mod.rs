//! Imports: jobs, the pieces of their files, and the rows that failed.

mod port;
mod record;
pub(crate) mod row;
pub(crate) mod statements;
