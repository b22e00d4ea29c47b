//! Writing: each change in a transaction of its own, tried again where that helps, and never half done.

use std::time::Duration;

use async_trait::async_trait;
use diesel::QueryResult;
use diesel_async::AsyncPgConnection;
use patron_domain::store::StoreError;

use super::{
    PostgresStore,
    pool::Pool,
    problem::{Kind, unavailable},
    session::{Ended, WRITE},
};
use crate::persistence::error::Failure;

/// How often work is tried when other transactions are in its way, or the connection is lost before the commit.
pub(super) const TRIES: u32 = 5;
/// How long to wait before the second try; longer before each further one.
pub(super) const PAUSE: Duration = Duration::from_millis(10);
/// When to look what became of a commit whose answer was lost. A server needs its time to start again.
pub(super) const LOOK_AFTER: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(200), Duration::from_secs(1), Duration::from_secs(3)];

/// One change: what a transaction does. It owns all it needs, because it outlives a caller that goes away.
#[async_trait]
pub(super) trait Change: Send + Sync + 'static {
    /// What is answered when it is written.
    type Answer: Send + 'static;
    /// Why it may be refused.
    type Refusal: From<StoreError> + Send + 'static;

    /// Does it, within a transaction. May be called again after that transaction was taken back.
    async fn write(&self, pg: &AsyncPgConnection) -> Result<Self::Answer, Failure<Self::Refusal>>;

    /// Whether the transaction that gave this answer was committed.
    async fn is_written(&self, pg: &AsyncPgConnection, answer: &Self::Answer) -> QueryResult<bool>;
}

impl PostgresStore {
    /// Makes a change, and answers when it is durable. It is finished even when the caller goes away meanwhile.
    pub(super) async fn write<C: Change>(&self, change: C) -> Result<C::Answer, C::Refusal> {
        let place = self.writes.clone().try_acquire_owned();
        let place = place.map_err(|_| unavailable("too many writes are waiting"))?;
        let pool = self.pool.clone();
        let task = tokio::spawn(async move {
            let _place = place;
            make(&pool, &change).await
        });
        task.await.unwrap_or_else(|_| Err(unknown().into()))
    }
}

async fn make<C: Change>(pool: &Pool, change: &C) -> Result<C::Answer, C::Refusal> {
    let mut tries = 1;
    loop {
        let session = pool.session().await?;
        let problem = match session.transaction(WRITE, change.write(session.pg())).await {
            Ok(answer) => return Ok(answer),
            Err(Ended::Refused(refusal)) => return Err(refusal),
            Err(Ended::Unknown(answer)) => {
                drop(session);
                return find_out(pool, change, answer).await;
            }
            Err(Ended::Failed(problem)) => problem,
        };
        // What is unique and was taken meanwhile is found taken by the next try.
        if problem.kind == Kind::Other || tries == TRIES {
            return Err(problem.error.into());
        }
        drop(session);
        tokio::time::sleep(PAUSE * tries).await;
        tries += 1;
    }
}

/// Finds out whether a commit happened whose answer was lost, and makes the change if it did not.
///
/// Not finding it is no proof: the lost connection may still be committing. So the change is then made again, under the
/// same ids. What is unique makes that wait until the first has ended; it then takes its place, or is refused because the
/// first stands, which the next look shows.
async fn find_out<C: Change>(pool: &Pool, change: &C, first: C::Answer) -> Result<C::Answer, C::Refusal> {
    for pause in LOOK_AFTER {
        tokio::time::sleep(pause).await;
        let Ok(session) = pool.session().await else { continue };
        match session.answer(change.is_written(session.pg(), &first)).await {
            Ok(true) => return Ok(first),
            Ok(false) => {}
            Err(_) => continue,
        }
        if let Ok(answer) = session.transaction(WRITE, change.write(session.pg())).await {
            return Ok(answer);
        }
    }
    Err(unknown().into())
}

/// Nobody could find out what became of a commit.
pub(super) fn unknown() -> StoreError {
    unavailable(
        "the connection was lost during a commit, and whether the change was made is not known; look for it (a customer \
         by its external_id) before trying again, or repeat the request with its Idempotency-Key",
    )
}
