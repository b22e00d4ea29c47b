//! Deletes expired data in small steps.

use async_trait::async_trait;
use futures_util::FutureExt;
use patron_domain::{
    lifecycle::Owner,
    retention::{OldEvents, RetentionStore},
    store::StoreError,
    tenancy::SystemScope,
    time::Timestamp,
};

use super::{
    author::Author, engine::Decision, error::Failure, event::row::EventPlaceRow, idempotency::row::KeptAnswerRow,
    party::Party, store::Store, writes::Writes,
};

#[async_trait]
impl RetentionStore for Store {
    async fn remove_kept_answers(
        &self,
        _scope: &SystemScope,
        made_before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let before = made_before.micros();
        let remove = self.write(Author::system(), Party::System, move |unit| {
            let remove = async move {
                let all = unit.environments_known().await?;
                let mut writes = Writes::default();
                for (environment, key) in unit.kept_before(&all, before, limit.into()).await? {
                    // Locked, because a request may use the key again in the meantime.
                    let row = unit.lock_kept(environment, &key).await?;
                    writes.kept_gone.extend(row.filter(|row: &KeptAnswerRow| row.at < before));
                }
                let count = writes.kept_gone.len() as u64;
                Ok::<_, Failure<StoreError>>(Decision { answer: count, writes })
            };
            remove.boxed()
        });
        remove.await
    }

    async fn remove_events(
        &self,
        _scope: &SystemScope,
        owner: Owner,
        old: OldEvents,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let Some(environment) = self.environment(owner).await? else { return Ok(0) };
        let remove = self.write(Author::system(), Party::System, move |unit| {
            let remove = async move {
                // Keeps the last event, by which readers see that their cursor belongs to this log.
                let last = unit.last_position(environment).await?.unwrap_or_default();
                let up_to = old.up_to.stored().min(last - 1);
                let first = unit.first_events(environment, up_to, limit.into()).await?;
                // Up to the first one that stays, so the chain of the others begins at one place.
                let is_old = |(_, at, _): &(i64, i64, Vec<u8>)| *at < old.happened_before.micros();
                let mut writes = Writes::default();
                for (position, _, hash) in first.into_iter().take_while(is_old) {
                    writes.events_gone.push(EventPlaceRow { environment, position });
                    writes.anchors.insert(environment, (position, hash));
                }
                let count = writes.events_gone.len() as u64;
                Ok::<_, Failure<StoreError>>(Decision { answer: count, writes })
            };
            remove.boxed()
        });
        remove.await
    }
}
