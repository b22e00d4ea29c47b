//! Writing: each decision in a transaction of its own, tried again where that helps, and never half done.

use std::time::{Duration, Instant};

use patron_domain::store::StoreError;
use tokio::sync::OwnedSemaphorePermit;

use super::{
    pool::Pool,
    problem::{Kind, unavailable},
    session::{Ended, WRITE},
    unit::PostgresUnit,
};
use crate::persistence::{
    engine::{Answer, Deciding, Refused},
    error::Failure,
    idempotency::row::KeptAnswerRow,
    timeout::{TIMEOUT, within},
    unit::is_committed,
    writes::{Sign, Writes},
    written,
};

/// How often work is tried when other transactions are in its way, or the connection is lost before the commit.
pub(super) const TRIES: u32 = 5;
/// How long to wait before the second try; longer before each further one.
pub(super) const PAUSE: Duration = Duration::from_millis(10);
/// When to ask what became of a commit whose answer was lost. A server needs its time to start again.
const ASK_AFTER: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(5),
];

/// Decides and writes, and answers when it is durable. It is finished even when the caller goes away meanwhile.
pub(super) async fn write(pool: Pool, permit: OwnedSemaphorePermit, work: Deciding) -> Result<Answer, Refused> {
    let task = tokio::spawn(async move {
        let _permit = permit;
        make(&pool, &work).await
    });
    let made = async { task.await.unwrap_or_else(|_| Err(Refused::Store(unknown()))) };
    within("postgres", made).await
}

#[expect(clippy::disallowed_methods, reason = "how long tries have taken is no fact of the domain")]
async fn make(pool: &Pool, work: &Deciding) -> Result<Answer, Refused> {
    let (mut tries, begun) = (1, Instant::now());
    loop {
        let session = pool.session().await.map_err(Refused::Store)?;
        let unit = PostgresUnit::new(session.pg());
        let attempt = async {
            let decision = work(&unit).await?;
            let mut writes = decision.writes;
            mark(&mut writes);
            let sign = writes.sign();
            let nothing = writes.is_empty();
            writes.apply(&unit).await?;
            Ok::<_, Failure<Answer>>((decision.answer, sign, nothing))
        };
        let problem = match session.transaction(WRITE, attempt).await {
            Ok((answer, ..)) => {
                written::tell();
                return Ok(answer);
            }
            Err(Ended::Refused(refusal)) => return Err(Refused::Refused(refusal)),
            // Nothing was written, so nothing can be lost.
            Err(Ended::Unknown((answer, _, true))) => return Ok(answer),
            Err(Ended::Unknown((answer, sign, false))) => {
                drop(session);
                match ask(pool, sign).await.map_err(Refused::Store)? {
                    true => {
                        written::tell();
                        return Ok(answer);
                    }
                    // It was taken back, so it is done anew, on what is there now.
                    false if tries < TRIES => {
                        tries += 1;
                        continue;
                    }
                    false => return Err(Refused::Store(unavailable("the connection was lost during a commit"))),
                }
            }
            Err(Ended::Failed(problem)) => problem,
        };
        // What is unique and was taken meanwhile is found taken by the next try.
        // When the caller has given up, a further try would only be in the way of others.
        if problem.kind == Kind::Other || tries == TRIES || begun.elapsed() > TIMEOUT {
            return Err(Refused::Store(problem.error));
        }
        drop(session);
        tokio::time::sleep(PAUSE * tries).await;
        tries += 1;
    }
}

/// Adds a row of its own to writes that leave nothing else by which one could find out whether they were committed.
#[expect(clippy::disallowed_methods, reason = "a mark is no fact of the domain")]
fn mark(writes: &mut Writes) {
    let Some(environment) = writes.marked else { return };
    if writes.sign().is_none() && !writes.is_empty() {
        // No client's key has such a character.
        let key = format!("\u{1}{:032x}", rand::random::<u128>());
        let at = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        writes.kept.push(KeptAnswerRow::mark(environment, key, i64::try_from(at.as_micros()).unwrap_or(i64::MAX)));
    }
}

/// Finds out whether a transaction was committed whose commit was not answered. The answer is exact: a commit that is still on
/// its way holds the lock of its environment's log, for which this waits.
///
/// # Errors
/// When the database cannot be asked, or there is nothing to ask about.
pub(super) async fn ask(pool: &Pool, sign: Option<Sign>) -> Result<bool, StoreError> {
    let Some(sign) = sign else { return Err(unknown()) };
    for pause in ASK_AFTER {
        tokio::time::sleep(pause).await;
        let Ok(session) = pool.session().await else { continue };
        let unit = PostgresUnit::new(session.pg());
        let look = async { is_committed(&unit, &sign).await.map_err(Failure::<StoreError>::Database) };
        match session.transaction(WRITE, look).await {
            Ok(committed) | Err(Ended::Unknown(committed)) => return Ok(committed),
            Err(_) => {}
        }
    }
    Err(unknown())
}

/// Nobody could find out what became of a commit.
pub(super) fn unknown() -> StoreError {
    unavailable(
        "the connection was lost during a commit, and whether the change was made is not known; look for it (a customer \
         by its external_id) before trying again, or repeat the request with its Idempotency-Key",
    )
}
