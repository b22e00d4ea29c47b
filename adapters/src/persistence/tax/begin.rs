//! Scheduled changes of tax rates that begin.

use futures_util::FutureExt;
use patron_domain::{ids::IdSequence, store::StoreError, time::Timestamp};

use super::{port::rate, row::RateRow};
use crate::persistence::{
    author::Author,
    engine::{Decision, Pace},
    error::Failure,
    event::row::EventRow,
    party::Party,
    store::Store,
    writes::Writes,
};

/// Writes the events of changes that have begun. Rates are found without a lock, and each is decided under its own.
pub(super) async fn begin(store: &Store, at: Timestamp, mut ids: IdSequence, limit: u32) -> Result<u64, StoreError> {
    // Usually there is nothing to do, and no transaction is needed to find out.
    let found = store.read(Pace::list(Party::System), move |unit| {
        let due = async move {
            let all = unit.environments_known().await?;
            unit.due_rates(&all, at.micros(), limit.into()).await
        };
        due.boxed()
    });
    let due = found.await?;
    let owners = store.owners_of(due.iter().map(|(environment, _)| *environment)).await?;
    for (environment, id) in &due {
        let (environment, id) = (*environment, *id);
        let Some(owner) = owners.get(&environment).copied() else { continue };
        let first = ids;
        let write = store.write(Author::system(), environment, move |unit| {
            let write = async move {
                let (mut writes, mut ids) = (Writes::default(), first);
                let row = unit.lock_rate(environment, id).await?;
                let mut current = row.map(|row| rate(owner, &row)).transpose().map_err(Failure::Refused)?;
                // Another server may have written the events since the read.
                while let Some(event) = current.as_ref().and_then(|rate| rate.begin(at, ids.next_id())) {
                    let row = RateRow::new(environment, &event.state);
                    let event_row = EventRow::of_tax_rate(environment, &event, &row.document);
                    writes.events.push(event_row.map_err(Failure::Refused)?);
                    writes.rates = vec![row];
                    current = Some(event.state);
                }
                Ok::<_, Failure<StoreError>>(Decision { answer: ids, writes })
            };
            write.boxed()
        });
        ids = write.await?;
    }
    Ok(due.len() as u64)
}
