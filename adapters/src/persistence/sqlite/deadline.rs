//! The time limit of a read on SQLite, and its pauses for other reads. Statements call a function for every row, which
//! checks the time.
//!
//! SQLite has a progress handler, but only in its C interface. A non-deterministic function is evaluated for every row,
//! so it is one of the conditions of statements that may read many rows.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use diesel::{
    QueryResult, SqliteConnection,
    serialize::{self, IsNull, Output, ToSql},
    sql_types::Bool,
    sqlite::Sqlite,
};

use crate::slices::Slices;

/// The condition in SQL. Every connection has the function.
pub(crate) const IN_TIME: &str = "patron_in_time()";

/// SQLite's error when the time is up.
pub(crate) const TIME_IS_UP: &str = "the time for this statement is up";

/// The number of calls between two looks at the clock.
const CALLS: u32 = 256;
/// A read that takes longer than this needs a slice of processor time to continue, in microseconds.
const SHORT: u64 = 5_000;
/// The length of a slice while others wait, in microseconds.
const SLICE: u64 = 20_000;

/// The time limit of the statements of a connection.
#[derive(Clone)]
pub(crate) struct Deadline(Arc<Clock>);

/// All times are in microseconds from `begun`.
struct Clock {
    begun: Instant,
    /// When the read began.
    since: AtomicU64,
    until: AtomicU64,
    slices: Arc<Slices>,
    /// Whether the read has a slice.
    runs: AtomicBool,
    slice: AtomicU64,
}

/// A read with a time limit, until this is dropped.
pub(super) struct Timed<'a>(&'a Clock);

/// The result of the function: true, or an error once the time is up.
#[derive(Debug)]
struct InTime(bool);

mod function {
    #[diesel::declare_sql_function]
    extern "SQL" {
        /// Returns true while the read has time left.
        fn patron_in_time() -> Bool;
    }
}

impl ToSql<Bool, Sqlite> for InTime {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        if !self.0 {
            return Err(TIME_IS_UP.into());
        }
        out.set_value(1);
        Ok(IsNull::No)
    }
}

impl Deadline {
    /// Adds the function to a new connection. The limit is infinite until [`Self::give`].
    #[expect(clippy::disallowed_methods, reason = "the duration of a statement is not part of the domain")]
    pub(crate) fn on(connection: &SqliteConnection, slices: Arc<Slices>) -> QueryResult<Self> {
        let never = || AtomicU64::new(u64::MAX);
        let (runs, slice) = (AtomicBool::new(false), AtomicU64::new(0));
        let clock = Arc::new(Clock { begun: Instant::now(), since: never(), until: never(), slices, runs, slice });
        let (asked, mut calls) = (clock.clone(), 0_u32);
        function::patron_in_time_utils::register_nondeterministic_impl(connection, move || {
            calls = calls.wrapping_add(1);
            InTime(!calls.is_multiple_of(CALLS) || asked.goes_on())
        })?;
        Ok(Self(clock))
    }

    /// Limits the time of the following statements.
    pub(super) fn give(&self, time: Duration) -> Timed<'_> {
        let (clock, now) = (&self.0, self.0.now());
        let time = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        clock.since.store(now, Ordering::Relaxed);
        clock.until.store(now.saturating_add(time), Ordering::Relaxed);
        Timed(clock)
    }
}

impl Clock {
    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Returns whether there is time left. A long read waits here for its next slice.
    fn goes_on(&self) -> bool {
        let now = self.now();
        let taken = |since: &AtomicU64| now.saturating_sub(since.load(Ordering::Relaxed));
        let runs = self.runs.load(Ordering::Relaxed);
        if !runs && taken(&self.since) > SHORT {
            self.slices.enter();
            self.runs.store(true, Ordering::Relaxed);
        } else if runs && taken(&self.slice) > SLICE {
            self.slices.let_others();
        } else {
            return now < self.until.load(Ordering::Relaxed);
        }
        let now = self.now();
        self.slice.store(now, Ordering::Relaxed);
        now < self.until.load(Ordering::Relaxed)
    }
}

impl Drop for Timed<'_> {
    fn drop(&mut self) {
        self.0.until.store(u64::MAX, Ordering::Relaxed);
        self.0.since.store(u64::MAX, Ordering::Relaxed);
        if self.0.runs.swap(false, Ordering::Relaxed) {
            self.0.slices.leave();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use diesel::{Connection, RunQueryDsl, SqliteConnection, sql_types::BigInt};

    use super::{Deadline, IN_TIME, Slices, TIME_IS_UP};
    use crate::persistence::error::store_error;

    #[test]
    fn a_statement_ends_when_its_time_is_up_and_the_connection_serves_on() {
        let connection = &mut SqliteConnection::establish(":memory:").unwrap();
        let deadline = Deadline::on(connection, Slices::new(1).into()).unwrap();
        let mut count = |rows: u64| {
            let numbers = format!(
                "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT {rows}) \
                 SELECT COUNT(*) FROM numbers WHERE {IN_TIME}"
            );
            diesel::sql_query(format!("SELECT ({numbers}) AS n")).get_result::<Count>(connection)
        };
        assert_eq!(count(1_000).unwrap().n, 1_000);
        let timed = deadline.give(Duration::ZERO);
        let error = count(100_000_000).unwrap_err();
        assert!(error.to_string().contains(TIME_IS_UP), "{error}");
        assert!(store_error(&error).to_string().contains("took too long"), "{}", store_error(&error));
        drop(timed);
        let _timed = deadline.give(Duration::from_secs(60));
        assert_eq!(count(1_000_000).unwrap().n, 1_000_000, "with slices");
    }

    #[derive(Debug, diesel::QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        n: i64,
    }
}
