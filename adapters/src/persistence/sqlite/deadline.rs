//! When a read is given up, and when it lets others run: SQLite asks in the course of a statement, by a function that the statement
//! calls for every row.
//!
//! SQLite can ask by itself every so many steps, but only over its C interface. A function that is not deterministic is called
//! wherever it stands; so it stands among the conditions of statements that may look at many rows.

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

use super::slices::Slices;

/// The condition, as it stands in statements. Every connection has the function.
pub(crate) const IN_TIME: &str = "patron_in_time()";

/// What SQLite answers when the time is up.
pub(crate) const TIME_IS_UP: &str = "the time for this statement is up";

/// At each so many calls the clock is looked at.
const CALLS: u32 = 256;
/// A read that takes longer needs a slice of processor time to go on, in microseconds.
const SHORT: u64 = 5_000;
/// How long a slice is when others wait.
const SLICE: u64 = 20_000;

/// Until when the statements of a connection may go on.
#[derive(Clone)]
pub(crate) struct Deadline(Arc<Clock>);

/// All times are in microseconds from `begun`.
struct Clock {
    begun: Instant,
    /// When the read began.
    since: AtomicU64,
    until: AtomicU64,
    slices: Arc<Slices>,
    /// Whether it has a slice, and since when.
    runs: AtomicBool,
    slice: AtomicU64,
}

/// A read, for as long as this lives.
pub(super) struct Timed<'a>(&'a Clock);

/// Whether the time is left; an error once it is not.
#[derive(Debug)]
struct InTime(bool);

mod function {
    #[diesel::declare_sql_function]
    extern "SQL" {
        /// Whether the time of the read is not up yet.
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
    /// One that is never reached, for a new connection, which gets the function.
    #[expect(clippy::disallowed_methods, reason = "how long a statement takes is no fact of the domain")]
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

    /// The statements from now on have so long.
    pub(super) fn give(&self, time: Duration) -> Timed<'_> {
        let (clock, now) = (&self.0, self.0.now());
        let time = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        clock.since.store(now, Ordering::Relaxed);
        clock.until.store(now.saturating_add(time), Ordering::Relaxed);
        Timed(clock)
    }
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "how long a statement takes is no fact of the domain")]
    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Whether there is time left. A read that takes long waits here for its next slice.
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
