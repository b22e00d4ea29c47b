//! The positions that the events of one commit are given.

use diesel::{QueryResult, RunQueryDsl, SqliteConnection, dsl::sql, sql_query, sql_types::BigInt};

/// Counts on from the last position that an earlier commit gave. Read and written once a commit, and only if it has events.
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

    /// Remembers the last one for the next commit.
    pub(super) fn write(&self, connection: &mut SqliteConnection) -> QueryResult<()> {
        let Some(last) = self.last else { return Ok(()) };
        sql_query("UPDATE event_positions SET last = ?").bind::<BigInt, _>(last).execute(connection)?;
        Ok(())
    }
}

/// The last position that was given.
pub(super) fn last(connection: &mut SqliteConnection) -> QueryResult<i64> {
    sql::<BigInt>("SELECT last FROM event_positions").get_result(connection)
}
