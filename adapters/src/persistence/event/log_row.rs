//! Rows of the table `logs`: one for each environment, which orders its events and counts its customers.

use super::super::rows::rows;

rows! {
    /// One row of `logs`.
    LogRow: logs {
        environment: i32;
        position: i64,
        at: i64,
        published: i64,
        archived: i64,
        audited: i64,
    }
}

impl LogRow {
    /// The log of an environment without events.
    pub(crate) fn empty(environment: i32) -> Self {
        Self { environment, position: 0, at: 0, published: 0, archived: 0, audited: 0 }
    }
}
