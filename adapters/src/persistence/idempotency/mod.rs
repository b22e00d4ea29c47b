//! Work that is done once under an idempotency key, whatever it is.
//!
//! The answer under a key is looked for after everything else that is read, and before anything is refused: whoever sees what
//! the first of two repetitions has done also sees its answer. It is kept in the transaction of the work. Of two transactions
//! that come with one key at once the second fails at the key, is taken back, and finds the answer of the first.

mod port;
pub(crate) mod row;
pub(crate) mod statements;

use patron_domain::{
    event::EventRecord,
    idempotency::{Answer, CallersClaim, IdempotencyClaim, IdempotencyKeyReused, KeptAnswer, OnceError, Outcome},
    ids::EventId,
    lifecycle::Owner,
    store::StoreError,
    time::Timestamp,
};

use self::row::KeptAnswerRow;
use super::{error::Failure, store::Store, unit::Reads, value::Key, writes::Writes};

/// A claim with the number of the environment that the key belongs to.
#[derive(Debug, Clone)]
pub(crate) struct Once {
    pub(crate) environment: i32,
    pub(crate) owner: Owner,
    pub(crate) claim: IdempotencyClaim,
}

/// What was found under a key.
pub(crate) enum Before<T> {
    /// The work was done: what was answered.
    Done(T),
    /// The work is to be done now.
    Free(Box<Keeping>),
}

/// Keeps the answer under a key, if the work came with one.
#[derive(Debug, Default)]
pub(crate) struct Keeping {
    once: Option<Once>,
    /// An answer under the same key that is too old to count.
    stale: Option<KeptAnswerRow>,
}

impl Once {
    /// The claim of work that may lie in another environment than the caller's.
    pub(crate) async fn of(store: &Store, claim: Option<CallersClaim>) -> Result<Option<Self>, StoreError> {
        let Some(CallersClaim { owner, claim }) = claim else { return Ok(None) };
        Ok(Some(Self { environment: store.environment_to_write(owner).await?, owner, claim }))
    }
}

/// What was answered under a key, of work whose answer is kept itself.
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

/// The event whose state was answered under a key.
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
    // Answers are removed before the events that they name.
    let event = event.ok_or_else(|| reused(IdempotencyKeyReused))?;
    event.record(once.owner).map(Before::Done).map_err(refused)
}

impl Keeping {
    pub(crate) fn new(once: Once, stale: Option<KeptAnswerRow>) -> Self {
        Self { once: Some(once), stale }
    }

    /// Keeps an answer.
    pub(crate) fn answer(self, writes: &mut Writes, answer: &impl Answer, at: Timestamp) {
        self.outcome(writes, || Outcome::kept(answer), at);
    }

    /// Keeps that an event's state was answered.
    pub(crate) fn event(self, writes: &mut Writes, event: EventId, at: Timestamp) {
        self.outcome(writes, || Outcome::Event(event), at);
    }

    fn outcome(self, writes: &mut Writes, outcome: impl FnOnce() -> Outcome, at: Timestamp) {
        let Self { once, stale } = self;
        let Some(once) = once else { return };
        let (event, kept): (Option<Key>, Option<KeptAnswer>) = match outcome() {
            Outcome::Event(id) => (Some(id.into()), None),
            Outcome::Kept(kept) => (None, Some(kept)),
        };
        writes.kept_gone.extend(stale);
        writes.kept.push(KeptAnswerRow::new(&once, event, kept, at));
    }
}

fn refused<E: From<StoreError>>(error: StoreError) -> Failure<E> {
    Failure::Refused(error.into())
}

fn reused<E: From<OnceError>>(error: IdempotencyKeyReused) -> Failure<E> {
    Failure::Refused(OnceError::from(error).into())
}
