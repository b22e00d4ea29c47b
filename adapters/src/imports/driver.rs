//! Works on imports while the process lives, for a bounded number at a time and one of each environment.

use std::{collections::HashMap, sync::Arc, time::Duration};

use patron_domain::{lifecycle::Owner, tenancy::SystemScope};
use tokio::{
    sync::watch,
    task::{Id, JoinError, JoinSet},
};

use super::engine::ImportEngine;

/// The time between two checks for due imports.
const TICK: Duration = Duration::from_millis(500);
/// The time between two measurements of the load.
const MEASURE: Duration = Duration::from_secs(15);
/// The most imports at a time. Each has a thread, and up to 16 MiB in memory.
const MOST: usize = 2;

/// Works on imports until the stop signal. Unfinished ones continue when their leases end.
pub async fn drive(engine: Arc<ImportEngine>, mut stop: watch::Receiver<bool>) {
    let mut tasks = JoinSet::new();
    let mut owners: HashMap<Id, Owner> = HashMap::new();
    let mut measure_at = engine.clock.now();
    while !*stop.borrow() {
        while tasks.len() < MOST {
            match engine.claim(owners.values().copied().collect()).await {
                Ok(Some((holder, import))) => {
                    let (engine, owner) = (engine.clone(), import.owner);
                    let task = tasks.spawn(async move {
                        let id = import.id;
                        if let Err(error) = engine.work(&holder, import).await {
                            tracing::warn!(%error, import = %id, "an import failed for now and will be retried");
                        }
                    });
                    owners.insert(task.id(), owner);
                }
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(%error, "claiming imports failed and will be retried");
                    break;
                }
            }
        }
        let now = engine.clock.now();
        if now >= measure_at {
            measure_at = now.later(MEASURE);
            match engine.imports.import_load(&SystemScope::patron()).await {
                Ok(load) => crate::metrics::import_load(&load),
                Err(error) => tracing::warn!(%error, "measuring the load of imports failed and will be retried"),
            }
        }
        tokio::select! {
            Some(done) = tasks.join_next_with_id() => note(&mut owners, done),
            () = tokio::time::sleep(TICK) => {}
            // The sender of the stop signal is gone.
            changed = stop.changed() => if changed.is_err() { break },
        }
    }
    tasks.abort_all();
}

/// Removes an import that has ended or waits.
fn note(owners: &mut HashMap<Id, Owner>, done: Result<(Id, ()), JoinError>) {
    let id = match done {
        Ok((id, ())) => id,
        Err(error) => {
            tracing::error!(%error, "the work on an import stopped unexpectedly; it continues when its lease ends");
            error.id()
        }
    };
    owners.remove(&id);
}
