//! Runs the steps of onboarding while the process lives, for a bounded number of runs at a time. However many are due,
//! only these are in memory.

use std::{collections::HashMap, sync::Arc, time::Duration};

use patron_domain::{lifecycle::Owner, onboarding::OnboardingEngine};
use tokio::{
    sync::watch,
    task::{Id, JoinError, JoinSet},
};

use crate::commits::Listener;

/// The longest time between two checks for due runs.
const TICK: Duration = Duration::from_secs(1);
/// The shortest time between them.
const BREATH: Duration = Duration::from_millis(50);
/// How long running steps may take when the process stops. Steps whose results are not saved by then run again.
const GRACE: Duration = Duration::from_secs(3);

/// Signals the driver to stop.
pub type Stop = watch::Receiver<bool>;

/// Runs the steps of at most `most` runs at a time until the stop signal. Commits of this process wake it. Environments
/// take turns: see [`OnboardingEngine::claim_fairly`].
pub async fn drive(engine: Arc<OnboardingEngine>, most: u16, mut stop: Stop, mut commits: Listener) {
    let mut work = Work { engine, most, tasks: JoinSet::new(), owners: HashMap::new() };
    while !*stop.borrow() {
        let free = usize::from(most).saturating_sub(work.tasks.len());
        let taken = work.take().await;
        tokio::time::sleep(BREATH).await;
        // If all free places were filled, there are probably more due runs.
        if taken == 0 || taken < free {
            tokio::select! {
                () = commits.next() => {}
                Some(done) = work.tasks.join_next_with_id() => work.note(done),
                () = tokio::time::sleep(TICK) => {}
                // The sender of the stop signal is gone.
                changed = stop.changed() => if changed.is_err() { break },
            }
        }
        while let Some(done) = work.tasks.try_join_next_with_id() {
            work.note(done);
        }
    }
    let rest = async { while work.tasks.join_next().await.is_some() {} };
    // The remaining tasks are aborted with the set.
    let _ = tokio::time::timeout(GRACE, rest).await;
}

/// The runs in progress.
struct Work {
    engine: Arc<OnboardingEngine>,
    most: u16,
    tasks: JoinSet<()>,
    /// The owner of each.
    owners: HashMap<Id, Owner>,
}

impl Work {
    /// Claims as many runs as there is room for, and returns their number.
    async fn take(&mut self) -> usize {
        if self.tasks.len() >= usize::from(self.most) {
            return 0;
        }
        let mut under_way: HashMap<Owner, u16> = HashMap::new();
        self.owners.values().for_each(|owner| *under_way.entry(*owner).or_default() += 1);
        let under_way: Vec<_> = under_way.into_iter().collect();
        let (holder, runs) = match self.engine.claim_fairly(self.most, &under_way).await {
            Ok(claimed) => claimed,
            Err(error) => {
                tracing::warn!(%error, "claiming onboarding runs failed and will be retried");
                return 0;
            }
        };
        let taken = runs.len();
        for run in runs {
            let (engine, holder, owner) = (self.engine.clone(), holder.clone(), run.owner);
            let task = self.tasks.spawn(async move {
                let customer = run.customer_id;
                if let Err(error) = engine.advance(&holder, run).await {
                    tracing::warn!(%error, %customer, "an onboarding run failed for now and will be retried");
                }
            });
            self.owners.insert(task.id(), owner);
        }
        taken
    }

    /// Removes a run that has ended or waits.
    fn note(&mut self, done: Result<(Id, ()), JoinError>) {
        let id = match done {
            Ok((id, ())) => id,
            Err(error) => {
                tracing::error!(%error, "an onboarding run stopped unexpectedly; it continues when its lease ends");
                error.id()
            }
        };
        self.owners.remove(&id);
    }
}
