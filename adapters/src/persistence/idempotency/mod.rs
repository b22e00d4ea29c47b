//! Work that is done once under an idempotency key.
//!
//! The answer under a key is read after all other reads, and before a refusal. A transaction that sees the effects of
//! an earlier request with the same key therefore also sees its answer. The answer is written in the transaction of the
//! work. If two transactions with one key run at the same time, the second fails at the key, is rolled back, and finds
//! the answer of the first.

mod port;
pub(crate) mod row;
pub(crate) mod statements;

use diesel::QueryResult;
use patron_domain::{
    event::EventRecord,
    idempotency::{Answer, CallersClaim, IdempotencyClaim, IdempotencyKeyReused, KeptAnswer, OnceError, Outcome},
    ids::EventId,
    lifecycle::{Owner, Version},
    store::StoreError,
    tenancy::Origin,
    time::Timestamp,
};

use self::row::KeptAnswerRow;
use super::{
    error::{Failure, refused},
    event::row::version_number,
    store::Store,
    unit::Reads,
    value::Key,
    writes::Writes,
};

/// A claim with the number of the environment that the key belongs to.
#[derive(Debug, Clone)]
pub(crate) struct Once {
    pub(crate) environment: i32,
    pub(crate) owner: Owner,
    pub(crate) claim: IdempotencyClaim,
}

/// The result of looking for a key.
pub(crate) enum Before<T> {
    /// The work was done before, with this answer.
    Done(T),
    /// The work must be done now.
    Free(Box<Keeping>),
}

/// Keeps the answer under the key of the request, if it has one.
#[derive(Debug, Default)]
pub(crate) struct Keeping {
    once: Option<Once>,
    /// An answer under the same key that has expired.
    stale: Option<KeptAnswerRow>,
}

impl Once {
    /// The claim of work that may be in another environment than the caller's.
    pub(crate) async fn of(store: &Store, claim: Option<CallersClaim>) -> Result<Option<Self>, StoreError> {
        let Some(CallersClaim { owner, claim }) = claim else { return Ok(None) };
        // A dry run has no claim.
        let environment = store.environment_to_write(&Origin::default(), owner).await?;
        Ok(Some(Self { environment, owner, claim }))
    }
}

/// The earlier answer under a key, for work that keeps the whole answer.
pub(crate) async fn before<T, E>(unit: &dyn Reads, once: Option<&Once>) -> Result<Before<T>, Failure<E>>
where
    T: Answer,
    E: From<OnceError> + From<StoreError>,
{
    let Some(once) = once else { return Ok(Before::Free(Box::default())) };
    let row = unit.lock_kept(once.environment, once.claim.key.as_str()).await?;
    let record = row.as_ref().map(|row| row.record()).transpose().map_err(refused)?;
    match once.claim.settle_kept::<T>(once.owner, record.as_ref()).map_err(|error| Failure::Refused(error.into()))? {
        Some(answer) => Ok(Before::Done(answer)),
        None => Ok(Before::Free(Box::new(Keeping { once: Some(once.clone()), stale: row }))),
    }
}

/// The event that an earlier request with the same key returned.
pub(crate) async fn event_before<E>(unit: &dyn Reads, once: Option<&Once>) -> Result<Before<EventRecord>, Failure<E>>
where
    E: From<OnceError> + From<StoreError>,
{
    let Some(once) = once else { return Ok(Before::Free(Box::default())) };
    let row = unit.lock_kept(once.environment, once.claim.key.as_str()).await?;
    let record = row.as_ref().map(|row| row.record()).transpose().map_err(refused)?;
    let Some(id) = once.claim.settle(record.as_ref()).map_err(reused)? else {
        return Ok(Before::Free(Box::new(Keeping { once: Some(once.clone()), stale: row })));
    };
    let event = unit.event(once.environment, id.into()).await?;
    // Kept answers are deleted before the events that they name.
    let event = event.ok_or_else(|| reused(IdempotencyKeyReused::default()))?;
    event.record(once.owner).map(Before::Done).map_err(refused)
}

impl Keeping {
    pub(crate) fn new(once: Once, stale: Option<KeptAnswerRow>) -> Self {
        Self { once: Some(once), stale }
    }

    /// Keeps an answer.
    pub(crate) fn answer(self, writes: &mut Writes, answer: &impl Answer, at: Timestamp) {
        self.outcome(writes, || Outcome::kept(answer), None, at);
    }

    /// Keeps an answer about a customer.
    pub(crate) fn answer_about(self, writes: &mut Writes, customer: Key, answer: &impl Answer, at: Timestamp) {
        self.outcome(writes, || Outcome::kept(answer), Some(customer), at);
    }

    /// Keeps the id of the event that is the answer, with the customer that it is about, if it is about one.
    pub(crate) fn event(self, writes: &mut Writes, event: EventId, customer: Option<Key>, at: Timestamp) {
        self.outcome(writes, || Outcome::Event(event), customer, at);
    }

    /// Keeps the event that made a version of an entity, as the answer to a change that changed nothing.
    pub(crate) async fn latest(
        self,
        unit: &dyn Reads,
        writes: &mut Writes,
        (entity, customer): (Key, Option<Key>),
        version: Version,
        at: Timestamp,
    ) -> QueryResult<()> {
        let Some(environment) = self.once.as_ref().map(|once| once.environment) else { return Ok(()) };
        // Without the event, the key stays free.
        if let Some(event) = unit.event_of_version(environment, entity, version_number(version)).await? {
            self.event(writes, event.id(), customer, at);
        }
        Ok(())
    }

    fn outcome(self, writes: &mut Writes, outcome: impl FnOnce() -> Outcome, customer: Option<Key>, at: Timestamp) {
        let Self { once, stale } = self;
        let Some(once) = once else { return };
        let kept: (Option<Key>, Option<KeptAnswer>) = match outcome() {
            Outcome::Event(id) => (Some(id.into()), None),
            Outcome::Kept(kept) => (None, Some(kept)),
            // An erased answer is not kept.
            Outcome::Gone => return,
        };
        writes.kept_gone.extend(stale);
        writes.kept.push(KeptAnswerRow::new(&once, kept, customer, at));
    }
}

fn reused<E: From<OnceError>>(error: IdempotencyKeyReused) -> Failure<E> {
    Failure::Refused(OnceError::from(error).into())
}
