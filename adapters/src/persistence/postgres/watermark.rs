//! Up to which position the log of events is settled: nothing can appear there any more.
//!
//! A position is drawn before its transaction commits, so a later position can be there to be read while an earlier one is
//! still missing. Only an `INSERT` into `events` draws one, and before it does, its transaction holds a lock on that table
//! (in the mode of every write, which hinders no other), until its commit can be seen. So a *mark* is taken: first the last
//! position drawn, then the transactions that hold such a lock. When all of those have ended, every position up to the mark
//! is committed or gone for good.
//!
//! Snapshots would tell the same from transaction ids, but they know the transactions of the whole server: a long one in
//! another database would hold the log back. Locks are those of this database and this table.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use diesel::{
    QueryResult,
    dsl::sql,
    sql_types::{BigInt, Text},
};
use diesel_async::RunQueryDsl;

use super::{problem::Problem, session::Session};

/// How long is waited, in all, for transactions that were under way: the pauses between looks, in milliseconds.
const PAUSES: [u64; 6] = [1, 2, 4, 8, 15, 30];
/// The most marks that wait to be settled.
const MOST_MARKS: usize = 64;

const DRAWN: &str = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM event_positions";
const WRITERS: &str = "SELECT virtualtransaction FROM pg_locks WHERE locktype = 'relation' \
                       AND relation = 'events'::regclass AND mode = 'RowExclusiveLock' AND granted \
                       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

/// What this instance knows of it.
#[derive(Default)]
pub(super) struct Watermark(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    settled: i64,
    /// In the order in which they were taken.
    marks: VecDeque<Mark>,
}

/// A position that is settled once some transactions have ended.
#[derive(Debug)]
struct Mark {
    position: i64,
    waits_for: HashSet<String>,
}

impl Watermark {
    /// The last settled position. Waits a moment for transactions that are about to end, so that what was written before
    /// this call is found; one that takes long holds back only what came after it.
    pub(super) async fn settled(&self, session: &Session) -> Result<i64, Problem> {
        let drawn: i64 = session.answer(sql::<BigInt>(DRAWN).get_result(&mut session.pg())).await?;
        if drawn <= self.known().settled {
            return Ok(self.known().settled);
        }
        let now = session.answer(writers(session)).await?;
        let mut settled = {
            let mut known = self.known();
            known.take(Mark { position: drawn, waits_for: now.clone() });
            known.settle(&now)
        };
        for pause in PAUSES {
            if settled >= drawn {
                break;
            }
            tokio::time::sleep(Duration::from_millis(pause)).await;
            let now = session.answer(writers(session)).await?;
            settled = self.known().settle(&now);
        }
        Ok(settled)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Nothing in it is ever half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The transactions that may have drawn a position and are still under way.
async fn writers(session: &Session) -> QueryResult<HashSet<String>> {
    let all: Vec<String> = sql::<Text>(WRITERS).load(&mut session.pg()).await?;
    Ok(all.into_iter().collect())
}

impl Known {
    fn take(&mut self, mark: Mark) {
        // Those that wait already are settled sooner; when there are too many, a later look takes another.
        if self.marks.len() < MOST_MARKS && self.marks.back().is_none_or(|last| last.position < mark.position) {
            self.marks.push_back(mark);
        }
    }

    /// Settles the marks whose transactions have all ended. A later mark waits for all that an earlier one still waits for.
    fn settle(&mut self, under_way: &HashSet<String>) -> i64 {
        for mark in &mut self.marks {
            mark.waits_for.retain(|writer| under_way.contains(writer));
        }
        while let Some(mark) = self.marks.front().filter(|mark| mark.waits_for.is_empty()) {
            self.settled = self.settled.max(mark.position);
            self.marks.pop_front();
        }
        self.settled
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{Known, MOST_MARKS, Mark};

    fn writers(names: &[&str]) -> HashSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_mark_is_settled_when_every_transaction_it_saw_has_ended() {
        let mut known = Known::default();
        known.take(Mark { position: 10, waits_for: writers(&["1/1", "2/1"]) });
        known.take(Mark { position: 20, waits_for: writers(&["2/1", "3/1"]) });
        assert_eq!(known.settle(&writers(&["2/1", "3/1"])), 0);
        assert_eq!(known.settle(&writers(&["3/1", "4/9"])), 10, "the later mark's transactions do not count");
        assert_eq!(known.settle(&writers(&["3/2", "4/9"])), 20, "another transaction of the same connection");
        assert!(known.marks.is_empty());
    }

    #[test]
    fn marks_are_few() {
        let mut known = Known::default();
        for position in 1..1_000 {
            known.take(Mark { position, waits_for: writers(&["1/1"]) });
        }
        assert_eq!(known.marks.len(), MOST_MARKS);
        assert_eq!(known.settle(&writers(&[])), 64);
    }
}
