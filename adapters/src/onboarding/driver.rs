//! Runs the steps of onboarding while the process lives, for a bounded number of runs at a time. However many are due,
//! only these are in memory.

use std::{sync::Arc, time::Duration};

use patron_domain::onboarding::OnboardingEngine;
use tokio::{sync::watch, task::JoinSet};

use crate::commits::Listener;

/// The longest time between two checks for due runs.
const TICK: Duration = Duration::from_secs(1);
/// The shortest time between them.
const BREATH: Duration = Duration::from_millis(50);
/// How long running steps may take when the process stops. Steps whose results are not saved by then run again.
const GRACE: Duration = Duration::from_secs(3);

/// Signals the driver to stop.
pub type Stop = watch::Receiver<bool>;

/// Runs the steps of at most `most` runs at a time until the stop signal. Commits of this process wake it.
pub async fn drive(engine: Arc<OnboardingEngine>, most: u16, mut stop: Stop, mut commits: Listener) {
    let mut tasks = JoinSet::new();
    while !*stop.borrow() {
        let free = most.saturating_sub(u16::try_from(tasks.len()).unwrap_or(u16::MAX));
        let taken = take(&engine, free, &mut tasks).await;
        tokio::time::sleep(BREATH).await;
        // If all free places were filled, there are probably more due runs.
        if taken == 0 || taken < usize::from(free) {
            tokio::select! {
                () = commits.next() => {}
                Some(done) = tasks.join_next() => tell(done),
                () = tokio::time::sleep(TICK) => {}
                // The sender of the stop signal is gone.
                changed = stop.changed() => if changed.is_err() { break },
            }
        }
        while let Some(done) = tasks.try_join_next() {
            tell(done);
        }
    }
    let rest = async { while tasks.join_next().await.is_some() {} };
    // The remaining tasks are aborted with the set.
    let _ = tokio::time::timeout(GRACE, rest).await;
}

async fn take(engine: &Arc<OnboardingEngine>, free: u16, tasks: &mut JoinSet<()>) -> usize {
    if free == 0 {
        return 0;
    }
    let (holder, runs) = match engine.claim(free).await {
        Ok(claimed) => claimed,
        Err(error) => {
            tracing::warn!(%error, "claiming onboarding runs failed and will be retried");
            return 0;
        }
    };
    let taken = runs.len();
    for run in runs {
        let (engine, holder) = (engine.clone(), holder.clone());
        tasks.spawn(async move {
            let customer = run.customer_id;
            if let Err(error) = engine.advance(&holder, run).await {
                tracing::warn!(%error, %customer, "an onboarding run failed for now and will be retried");
            }
        });
    }
    taken
}

fn tell(done: Result<(), tokio::task::JoinError>) {
    if let Err(error) = done {
        tracing::error!(%error, "an onboarding run stopped unexpectedly; it continues when its lease ends");
    }
}
