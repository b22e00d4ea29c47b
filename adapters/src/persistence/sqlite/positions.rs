//! The positions that the events of one commit are given.

use diesel::{QueryResult, RunQueryDsl, SqliteConnection, dsl::max, query_dsl::QueryDsl};

use crate::persistence::schema::events;

/// Counts on from the position of the last event, which is read once a commit, and only if that has events.
///
/// Housekeeping never removes the last event, so that no position is given twice.
#[derive(Default)]
pub(super) struct Positions {
    last: Option<i64>,
}

impl Positions {
    /// The position for the next event. When its job is taken back, it stays unused.
    pub(super) fn next(&mut self, connection: &mut SqliteConnection) -> QueryResult<i64> {
        let last = match self.last {
            Some(last) => last,
            None => last(connection)?,
        };
        let next = last.saturating_add(1);
        self.last = Some(next);
        Ok(next)
    }
}

/// The position of the last event; 0 when there is none.
pub(super) fn last(connection: &mut SqliteConnection) -> QueryResult<i64> {
    let last: Option<i64> = events::table.select(max(events::position)).get_result(connection)?;
    Ok(last.unwrap_or_default())
}
