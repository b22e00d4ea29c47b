//! The port of the chain.

use async_trait::async_trait;
use futures_util::FutureExt;
use patron_domain::{
    event::{
        EventEntityType, EventPosition,
        chain::{ChainEnds, ChainHead, EventChain, SealedEvent},
    },
    lifecycle::Owner,
    store::StoreError,
    tenancy::SystemScope,
};

use super::row::EventRow;
use crate::persistence::{engine::Pace, store::Store, word::Word};

#[async_trait]
impl EventChain for Store {
    async fn ends(&self, _scope: &SystemScope, owner: Owner) -> Result<ChainEnds, StoreError> {
        let nothing = ChainEnds { anchor: ChainHead::START, head: ChainHead::START };
        let Some(environment) = self.environment(owner).await? else { return Ok(nothing) };
        let log = self.read(Pace::LookUp, move |unit| unit.log(environment).boxed()).await?;
        Ok(log.map_or(nothing, |log| log.ends()))
    }

    async fn sealed(
        &self,
        _scope: &SystemScope,
        owner: Owner,
        after: EventPosition,
        limit: u16,
    ) -> Result<Vec<SealedEvent<'static>>, StoreError> {
        let Some(environment) = self.environment(owner).await? else { return Ok(Vec::new()) };
        let (after, limit) = (after.stored(), limit.into());
        let read =
            self.read(Pace::list(environment), move |unit| unit.sealed_events(environment, after, limit).boxed());
        Ok(read.await?.into_iter().map(sealed).collect())
    }
}

/// An event as it is sealed. Without the row of its customer, the customer is suppressed or erased.
fn sealed((row, exists): (EventRow, bool)) -> SealedEvent<'static> {
    let withheld = !exists && row.entity_kind == EventEntityType::Customer.code();
    SealedEvent { withheld, ..row.sealed().into_owned() }
}
