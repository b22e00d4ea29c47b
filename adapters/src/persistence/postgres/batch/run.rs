//! One batch from its jobs to their answers: tried again where that helps, split where one job fails the others.

use std::time::Instant;

use diesel::QueryDsl;
use diesel_async::RunQueryDsl;
use patron_domain::{
    customer::{ChangeCustomerError, CustomerChanged},
    store::StoreError,
};

use super::{
    Job, MAX_TURNS,
    courage::Courage,
    plan::{Plan, Verdict},
    write::{self, Manner, Written},
};
use crate::persistence::{
    error::Failure,
    event, metrics,
    postgres::{
        names,
        pool::Pool,
        problem::{Kind, unavailable},
        session::{Ended, Session, WRITE},
        write::{LOOK_AFTER, PAUSE, TRIES, unknown},
    },
    written,
};

/// Makes the changes and answers them. Gives back those that have to wait for the next batch.
#[expect(clippy::disallowed_methods, reason = "how long a commit takes is no fact of the domain")]
pub(super) async fn run(pool: &Pool, slot: i32, courage: &Courage, jobs: Vec<Job>) -> Vec<Job> {
    let mut tries = 1;
    let mut manner = if courage.is_careful() { Manner::Careful } else { Manner::AtOnce };
    loop {
        let session = match pool.session().await {
            Ok(session) => session,
            Err(error) => return fail(jobs, &error),
        };
        let begun = Instant::now();
        let ended = session.transaction(WRITE, attempt(&session, slot, manner, &jobs)).await;
        metrics::batch("postgres", jobs.len(), begun.elapsed());
        let problem = match ended {
            Ok(verdicts) => {
                written::tell();
                return answer(jobs, verdicts);
            }
            Err(Ended::Unknown(verdicts)) => {
                drop(session);
                return find_out(pool, slot, jobs, verdicts).await;
            }
            Err(Ended::Refused(Halt::Taken)) => {
                courage.lose();
                manner = Manner::Careful;
                continue;
            }
            Err(Ended::Refused(Halt::Store(error))) if jobs.len() == 1 => return fail(jobs, &error),
            Err(Ended::Refused(Halt::Store(_))) => return Box::pin(one_by_one(pool, slot, courage, jobs)).await,
            Err(Ended::Failed(problem)) => problem,
        };
        drop(session);
        let alone = jobs.len() == 1;
        match problem.kind {
            Kind::Conflict | Kind::Lost if tries < TRIES => {}
            Kind::Unique if alone && tries < TRIES => {}
            // One of them is the cause; the others must not suffer for it.
            Kind::Unique if !alone => return Box::pin(one_by_one(pool, slot, courage, jobs)).await,
            Kind::Other if !alone && !matches!(problem.error, StoreError::Unavailable { .. }) => {
                return Box::pin(one_by_one(pool, slot, courage, jobs)).await;
            }
            _ => return fail(jobs, &problem.error),
        }
        tokio::time::sleep(PAUSE * tries).await;
        tries += 1;
    }
}

/// Why an attempt is taken back by ourselves.
enum Halt {
    /// An external id was taken, and everything was sent at once.
    Taken,
    Store(StoreError),
}

/// The work within the transaction.
async fn attempt(session: &Session, slot: i32, manner: Manner, jobs: &[Job]) -> Result<Vec<Verdict>, Failure<Halt>> {
    let ours = |failure| match failure {
        Failure::Refused(error) => Failure::Refused(Halt::Store(error)),
        Failure::Database(error) => Failure::Database(error),
    };
    let facts = super::facts::load(session.pg(), jobs).await.map_err(ours)?;
    let mut plan = Plan::new(jobs, facts).map_err(ours)?;
    match write::write(session.pg(), slot, manner, &mut plan, jobs).await.map_err(ours)? {
        Written::Well => Ok(plan.into_verdicts()),
        Written::TakeBack => Err(Failure::Refused(Halt::Taken)),
    }
}

async fn one_by_one(pool: &Pool, slot: i32, courage: &Courage, jobs: Vec<Job>) -> Vec<Job> {
    let mut put_off = Vec::new();
    for job in jobs {
        put_off.extend(run(pool, slot, courage, vec![job]).await);
    }
    put_off
}

fn fail(jobs: Vec<Job>, error: &StoreError) -> Vec<Job> {
    for job in jobs {
        job.answer(Err(error.clone().into()));
    }
    Vec::new()
}

fn answer(jobs: Vec<Job>, verdicts: Vec<Verdict>) -> Vec<Job> {
    let mut put_off = Vec::new();
    for (mut job, verdict) in jobs.into_iter().zip(verdicts) {
        match verdict {
            Verdict::Done(event) => job.answer(Ok(CustomerChanged { event: *event, replayed: false })),
            Verdict::Replayed(event) => job.answer(Ok(CustomerChanged { event: *event, replayed: true })),
            Verdict::Refused(refusal) => job.answer(Err(refusal)),
            Verdict::Later if job.turns < MAX_TURNS => {
                job.turns += 1;
                put_off.push(job);
            }
            Verdict::Later => job.answer(Err(ChangeCustomerError::Store(unavailable("too many changes at once")))),
        }
    }
    put_off
}

/// Finds out whether a commit happened whose answer was lost, and makes the changes if it did not.
///
/// Not finding it is no proof: the lost connection may still be committing. So the changes are then made again, under the
/// same ids. What is unique and what is locked makes that wait until the first has ended; it then takes its place, or
/// finds that the first stands: as an error (its events have these ids), which the next look shows, or as refusals, of
/// which [`settle`] asks whether they are owed to the first.
async fn find_out(pool: &Pool, slot: i32, jobs: Vec<Job>, first: Vec<Verdict>) -> Vec<Job> {
    let Some(sign) = first.iter().find_map(Verdict::made) else {
        // Nothing was written, so nothing can be lost.
        return answer(jobs, first);
    };
    let (tenant, environment) = names(sign.state.customer.owner);
    let event = sign.id.to_string();
    for pause in LOOK_AFTER {
        tokio::time::sleep(pause).await;
        let Ok(session) = pool.session().await else { continue };
        let look = async || {
            let written = event::queries::envelope(&tenant, &environment, &event);
            written.count().get_result::<i64>(&mut session.pg()).await
        };
        match session.answer(look()).await {
            Ok(1) => return answer(jobs, first),
            Ok(_) => {}
            Err(_) => continue,
        }
        let again = async {
            let verdicts = attempt(&session, slot, Manner::Careful, &jobs).await?;
            Ok::<_, Failure<Halt>>((verdicts, look().await? == 1))
        };
        if let Ok((second, is_written)) = session.transaction(WRITE, again).await {
            return answer(jobs, settle(first, second, is_written));
        }
    }
    fail(jobs, &unknown())
}

/// The verdicts of a repetition, of which the first event of the first transaction was looked for at its end. When it is
/// there, but not made by the repetition, the first transaction stands with all its verdicts, and the repetition was
/// refused what the first had done.
fn settle(first: Vec<Verdict>, second: Vec<Verdict>, is_written: bool) -> Vec<Verdict> {
    let made_again =
        first.iter().zip(&second).find(|(first, _)| first.made().is_some()).is_some_and(|(_, it)| it.made().is_some());
    if made_again || !is_written {
        return second;
    }
    let of_both = |(first, second): (Verdict, Verdict)| if second.made().is_some() { second } else { first };
    first.into_iter().zip(second).map(of_both).collect()
}
