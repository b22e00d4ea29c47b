//! One commit over many jobs.
//!
//! They run one after the other without savepoints, which cost more than what most jobs write. When the database fails
//! one of them, all of the transaction is taken back and done again with a savepoint around each, so that the one that
//! fails takes nothing of the others with it. That is rare: refusals are found before anything is written.

use diesel::{ExpressionMethods, QueryResult, RunQueryDsl, SqliteConnection, insert_into, result::Error};

use super::{cached::Cached, job::Job, onboarding::Workflows, positions::Positions};
use crate::persistence::customer::counts::CountChanges;

/// The most jobs of one commit: enough to make the disk's share of each small, few enough to keep the wait short.
pub(super) const MAX_BATCH: usize = 64;

/// What jobs of one commit share.
#[derive(Default)]
pub(super) struct Totals {
    /// How many customers there are more, or fewer: written once, at the end. Noted by a job when all of its own is written.
    pub(super) counts: CountChanges,
    /// The positions of the events.
    pub(super) positions: Positions,
    /// The workflows that were looked up.
    pub(super) workflows: Workflows,
}

/// Commits a job, and those that `more` gives meanwhile. Answers them all, and whether the commit stands.
pub(super) fn commit(
    connection: &mut SqliteConnection,
    first: Box<dyn Job>,
    mut more: impl FnMut() -> Option<Box<dyn Job>>,
) -> (Vec<Box<dyn Job>>, QueryResult<()>) {
    let mut batch = vec![first];
    let mut failed = false;
    let together = connection.immediate_transaction::<_, Error, _>(|connection| {
        let mut totals = Totals::default();
        let mut done = 0;
        while let Some(job) = batch.get_mut(done) {
            if !job.run(connection, &mut totals) {
                failed = true;
                return Err(Error::RollbackTransaction);
            }
            done += 1;
            if done < MAX_BATCH {
                batch.extend(more());
            }
        }
        write_counts(connection, &totals.counts)
    });
    let outcome = if failed { apart(connection, &mut batch) } else { together };
    (batch, outcome)
}

/// The same with each job in a savepoint.
fn apart(connection: &mut SqliteConnection, batch: &mut [Box<dyn Job>]) -> QueryResult<()> {
    connection.immediate_transaction(|connection| {
        let mut totals = Totals::default();
        for job in batch {
            job.run_apart(connection, &mut totals);
        }
        write_counts(connection, &totals.counts)
    })
}

/// The one writer of this file has the one slot.
const SLOT: i32 = 0;

pub(super) fn write_counts(connection: &mut SqliteConnection, counts: &CountChanges) -> QueryResult<()> {
    use crate::persistence::schema::customer_counts::dsl::*;
    for (tenant, environment, of, by) in counts.iter() {
        let row = (tenant_id.eq(tenant), environment_id.eq(environment), status.eq(of), slot.eq(SLOT), count.eq(by));
        let insert = insert_into(customer_counts).values(row).on_conflict((tenant_id, environment_id, status, slot));
        Cached(insert.do_update().set(count.eq(count + by))).execute(connection)?;
    }
    Ok(())
}
