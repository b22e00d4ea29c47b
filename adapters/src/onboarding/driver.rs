//! Has the engine take steps for as long as the process lives, a bounded number of runs at a time: however many wait, no
//! more than these are in memory.

use std::{sync::Arc, time::Duration};

use patron_domain::onboarding::OnboardingEngine;
use tokio::{sync::watch, task::JoinSet};

/// How often is looked whether there is anything to do, at least.
const TICK: Duration = Duration::from_secs(1);
/// How often, at most.
const BREATH: Duration = Duration::from_millis(50);
/// How long steps that are being taken may go on when the process stops. What is not written down then is taken again.
const GRACE: Duration = Duration::from_secs(3);

/// Tells the driver to stop.
pub type Stop = watch::Receiver<bool>;

/// Takes the steps of at most so many runs at a time until it is told to stop; `written` completes soon after something
/// was written by this process.
pub async fn drive<W: Future<Output = ()>>(
    engine: Arc<OnboardingEngine>,
    most: u16,
    mut stop: Stop,
    written: impl Fn() -> W,
) {
    let mut tasks = JoinSet::new();
    while !*stop.borrow() {
        let free = most.saturating_sub(u16::try_from(tasks.len()).unwrap_or(u16::MAX));
        let taken = take(&engine, free, &mut tasks).await;
        tokio::time::sleep(BREATH).await;
        // When as many as there was room for were there, there are probably more.
        if taken == 0 || taken < usize::from(free) {
            tokio::select! {
                () = written() => {}
                Some(done) = tasks.join_next() => tell(done),
                () = tokio::time::sleep(TICK) => {}
                // Whoever tells it to stop has gone away.
                changed = stop.changed() => if changed.is_err() { break },
            }
        }
        while let Some(done) = tasks.try_join_next() {
            tell(done);
        }
    }
    let rest = async { while tasks.join_next().await.is_some() {} };
    // What is left is dropped with the set.
    let _ = tokio::time::timeout(GRACE, rest).await;
}

async fn take(engine: &Arc<OnboardingEngine>, free: u16, tasks: &mut JoinSet<()>) -> usize {
    if free == 0 {
        return 0;
    }
    let (holder, runs) = match engine.claim(free).await {
        Ok(claimed) => claimed,
        Err(error) => {
            tracing::warn!(%error, "onboarding goes on later");
            return 0;
        }
    };
    let taken = runs.len();
    for run in runs {
        let (engine, holder) = (engine.clone(), holder.clone());
        tasks.spawn(async move {
            let customer = run.customer_id;
            if let Err(error) = engine.advance(&holder, run).await {
                tracing::warn!(%error, %customer, "an onboarding goes on later");
            }
        });
    }
    taken
}

fn tell(done: Result<(), tokio::task::JoinError>) {
    if let Err(error) = done {
        tracing::error!(%error, "an onboarding broke off; it goes on when its lease ends");
    }
}
