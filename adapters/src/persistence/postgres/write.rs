//! Writes: each decision in its own transaction, retried if that can help, and never half done.

use std::time::{Duration, Instant};

use patron_domain::store::StoreError;
use tokio::sync::OwnedSemaphorePermit;

use super::{
    pool::Pool,
    problem::{Kind, unavailable},
    session::{Ended, Purpose},
};
use crate::persistence::{
    engine::{Answer, Deciding, Refused},
    error::Failure,
    idempotency::row::KeptAnswerRow,
    party::Party,
    timeout::within,
    unit::is_committed,
    writes::{Sign, Writes},
};

/// The most tries if other transactions conflict, or the connection is lost before the commit.
pub(super) const TRIES: u32 = 5;
/// The wait before the second try. It grows with each further try.
pub(super) const PAUSE: Duration = Duration::from_millis(10);
/// When to look for a commit whose answer was lost. A server needs time to restart.
const ASK_AFTER: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(5),
];

/// Decides and writes, and returns once it is durable. It is finished even if the caller stops waiting, as it does
/// after `wait`.
pub(super) async fn write(
    (pool, party): (Pool, Party),
    permit: OwnedSemaphorePermit,
    wait: Duration,
    work: Deciding,
) -> Result<Answer, Refused> {
    let task = tokio::spawn(async move {
        let _permit = permit;
        make(&pool, party, wait, &work).await
    });
    let made = async { task.await.unwrap_or_else(|_| Err(Refused::Store(unknown()))) };
    within("postgres", wait, made).await
}

#[expect(clippy::disallowed_methods, reason = "the duration of the tries is not part of the domain")]
async fn make(pool: &Pool, party: Party, wait: Duration, work: &Deciding) -> Result<Answer, Refused> {
    let (mut tries, begun) = (1, Instant::now());
    loop {
        let session = pool.session(party).await.map_err(Refused::Store)?;
        let unit = session.unit();
        let attempt = async {
            let decision = work(&unit).await?;
            let mut writes = decision.writes;
            mark(&mut writes);
            let sign = writes.sign();
            let nothing = writes.is_empty();
            writes.apply(&unit).await?;
            Ok::<_, Failure<Answer>>((decision.answer, sign, nothing))
        };
        let problem = match session.transaction(Purpose::Write, attempt).await {
            Ok((answer, ..)) => {
                pool.commits().wake();
                return Ok(answer);
            }
            Err(Ended::Refused(refusal)) => return Err(Refused::Refused(refusal)),
            // Nothing was written, so nothing can be lost.
            Err(Ended::Unknown((answer, _, true))) => return Ok(answer),
            Err(Ended::Unknown((answer, sign, false))) => {
                drop(session);
                match ask(pool, party, sign).await.map_err(Refused::Store)? {
                    true => {
                        pool.commits().wake();
                        return Ok(answer);
                    }
                    // It was rolled back, so it is decided again on the present state.
                    false if tries < TRIES => {
                        tries += 1;
                        continue;
                    }
                    false => return Err(Refused::Store(unavailable("the connection was lost during a commit"))),
                }
            }
            Err(Ended::Failed(problem)) => problem,
        };
        // The next try finds a unique value taken.
        // After the caller has given up, another try would only slow down others.
        if problem.kind == Kind::Other || tries == TRIES || begun.elapsed() > wait {
            return Err(Refused::Store(problem.error));
        }
        drop(session);
        tokio::time::sleep(PAUSE * tries).await;
        tries += 1;
    }
}

/// The outcome of a transaction that is always rolled back.
enum Outcome {
    Decided(Answer),
    Refused(Answer),
}

/// Decides and writes like [`write`], and rolls everything back.
pub(super) async fn try_out(
    (pool, party): (Pool, Party),
    _permit: OwnedSemaphorePermit,
    wait: Duration,
    work: Deciding,
) -> Result<Answer, Refused> {
    within("postgres", wait, rolled_back(&pool, party, &work)).await
}

async fn rolled_back(pool: &Pool, party: Party, work: &Deciding) -> Result<Answer, Refused> {
    let mut tries = 1;
    loop {
        let session = pool.session(party).await.map_err(Refused::Store)?;
        let unit = session.unit();
        let attempt = async {
            let decision = work(&unit).await.map_err(|failure| failure.map(Outcome::Refused))?;
            decision.writes.try_out(&unit).await?;
            Err::<(), _>(Failure::Refused(Outcome::Decided(decision.answer)))
        };
        let problem = match session.transaction(Purpose::Write, attempt).await {
            Err(Ended::Refused(Outcome::Decided(answer))) => return Ok(answer),
            Err(Ended::Refused(Outcome::Refused(refusal))) => return Err(Refused::Refused(refusal)),
            Err(Ended::Failed(problem)) => problem,
            // An attempt is never committed.
            Ok(()) | Err(Ended::Unknown(())) => return Err(Refused::Store(unknown())),
        };
        // The next try finds a unique value taken, as in a real write.
        if problem.kind == Kind::Other || tries == TRIES {
            return Err(Refused::Store(problem.error));
        }
        drop(session);
        tokio::time::sleep(PAUSE * tries).await;
        tries += 1;
    }
}

/// Adds a row to writes that would otherwise leave no trace by which to find out whether they were committed.
#[expect(clippy::disallowed_methods, reason = "a mark is not part of the domain")]
fn mark(writes: &mut Writes) {
    let Some(environment) = writes.marked else { return };
    if writes.sign().is_none() && !writes.is_empty() {
        // Clients' keys cannot contain this character.
        let key = format!("\u{1}{:032x}", fastrand::u128(..));
        let at = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        writes.kept.push(KeptAnswerRow::mark(environment, key, i64::try_from(at.as_micros()).unwrap_or(i64::MAX)));
    }
}

/// Finds out whether a transaction was committed whose commit got no answer. The result is exact: a commit in progress
/// holds the lock of its environment's log, for which this waits.
///
/// # Errors
/// If the database cannot be reached, or the transaction left no trace.
pub(super) async fn ask(pool: &Pool, party: Party, sign: Option<Sign>) -> Result<bool, StoreError> {
    let Some(sign) = sign else { return Err(unknown()) };
    for pause in ASK_AFTER {
        tokio::time::sleep(pause).await;
        let Ok(session) = pool.session(party).await else { continue };
        let unit = session.unit();
        let look = async { is_committed(&unit, &sign).await.map_err(Failure::<StoreError>::Database) };
        match session.transaction(Purpose::Write, look).await {
            Ok(committed) | Err(Ended::Unknown(committed)) => return Ok(committed),
            Err(_) => {}
        }
    }
    Err(unknown())
}

/// The error for a commit whose outcome could not be found out.
pub(super) fn unknown() -> StoreError {
    unavailable(
        "the connection was lost during a commit, and it is not known whether the change was made; look for it (a customer \
         by its external_id) before trying again, or repeat the request with its Idempotency-Key",
    )
}
