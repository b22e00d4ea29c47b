//! Rounds at one endpoint. While the attempts of one round run, the log is read ahead and the previous round is saved,
//! so the next round begins at once.

use std::{
    panic::resume_unwind,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use patron_domain::{
    store::StoreError,
    webhook::{DeliveryError, LogPage, Round, RoundOutcome, RoundRecord, WebhookEndpoint},
};
use tokio::task::{JoinError, JoinHandle, JoinSet};

use super::{Relay, Stop, attempt::RoundTasks, budget::Place, journal::Journal};

/// How long running attempts may take when the server stops.
const GRACE: Duration = Duration::from_secs(3);
/// After this time the next round checks the store for other work, such as replays.
const READ_AHEAD: Duration = Duration::from_secs(5);

/// The current endpoint, the next part of the log, and its place in the budget.
type ReadAhead = JoinHandle<Result<(Option<WebhookEndpoint>, LogPage, Option<Place>), StoreError>>;

impl Relay {
    /// Runs rounds one after another. Returns the endpoint if more should follow at once.
    #[expect(clippy::disallowed_methods, reason = "the duration of rounds is not part of the domain")]
    pub(super) async fn rounds(
        self: &Arc<Self>,
        endpoint: WebhookEndpoint,
        stop: &Stop,
    ) -> Result<Option<WebhookEndpoint>, StoreError> {
        let (begun, mut journal) = (Instant::now(), Journal::new(self.clone()));
        let known = endpoint.clone();
        let Some(place) = self.place(&endpoint, stop.clone()).await? else { return Ok(None) };
        let mut round = self.engine.first_round(endpoint).await?;
        let mut place = self.budget.keep_for_page(place, round.bytes());
        let outcome = loop {
            let ahead = (begun.elapsed() < READ_AHEAD).then(|| self.read_ahead(&round)).flatten();
            let (record, outcome) = self.attempt(round, stop).await;
            drop(place);
            let held = journal.add(record).await?;
            let next = match ahead {
                Some(ahead) if held && outcome.smooth => {
                    let read =
                        ahead.await.unwrap_or_else(|_| Err(StoreError::unavailable("reading ahead was interrupted")));
                    read.map(|(found, page, place)| Some((outcome.next((found, page))?, place)))
                }
                _ => Ok(None),
            };
            match next {
                Ok(Some(next)) => (round, place) = next,
                Ok(None) => break outcome,
                Err(error) => return journal.close().await.and(Err(error)),
            }
        };
        let held = journal.close().await?;
        match outcome.failed {
            Some(DeliveryError::Store(error)) => Err(error),
            Some(error) => {
                tracing::error!(%error, endpoint = %known.id, "a webhook endpoint cannot be served");
                Ok(None)
            }
            // It may have been changed in the meantime.
            None if held && outcome.more => self.engine.current(&known).await,
            None => Ok(None),
        }
    }

    /// Reads ahead while a round runs, if the next round will probably need it.
    fn read_ahead(self: &Arc<Self>, round: &Round) -> Option<ReadAhead> {
        let after = round.ahead()?;
        let (relay, endpoint) = (self.clone(), round.endpoint.clone());
        Some(tokio::spawn(async move {
            let place = relay.budget.to_read(endpoint.owner.environment_id).await;
            let (found, page) = relay.engine.read_ahead(&endpoint, after).await?;
            let place = relay.budget.keep_for_page(place, page.bytes());
            Ok((found, page, place))
        }))
    }

    /// Waits for a place for the first page, and keeps the lease in the meantime. `None` if the lease is lost, or the server
    /// stops.
    async fn place(&self, endpoint: &WebhookEndpoint, mut stop: Stop) -> Result<Option<Place>, StoreError> {
        let mut place = pin!(self.budget.to_read(endpoint.owner.environment_id));
        loop {
            tokio::select! {
                place = &mut place => return Ok(Some(place)),
                _ = stop.wait_for(|stop| *stop) => return Ok(None),
                () = tokio::time::sleep(self.engine.options.lease / 3) => {}
            }
            if !self.engine.renew(endpoint.id).await? {
                return Ok(None);
            }
        }
    }

    /// Makes the attempts of a round.
    async fn attempt(self: &Arc<Self>, mut round: Round, stop: &Stop) -> (RoundRecord, RoundOutcome) {
        let attempts = self.engine.begin(&mut round);
        let tasks = Arc::new(RoundTasks::new(self, &round, attempts, stop));
        self.attend(&tasks, stop.clone()).await;
        let (record, outcome) = self.engine.finish(round, tasks.result(), *stop.borrow());
        if let Some(reason) = record.disabled {
            tracing::warn!(endpoint = %record.endpoint_id, %reason, "a webhook endpoint was disabled");
        }
        (record, outcome)
    }

    /// Waits for the attempts, and renews the lease in the meantime. If the server stops, waits for [`GRACE`] at most.
    async fn attend(&self, tasks: &Arc<RoundTasks>, mut stop: Stop) {
        let mut attempts = tasks.begin();
        let stopped = async {
            // An error: the sender was dropped.
            let _ = stop.wait_for(|stop| *stop).await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            () = all(&mut attempts) => {}
            () = self.keep_lease(tasks) => {}
            () = stopped => {}
        }
        // Aborts the remaining attempts, and waits until they have released the round.
        attempts.shutdown().await;
    }

    /// Renews the lease regularly. Once it is lost, no more attempts begin.
    async fn keep_lease(&self, tasks: &RoundTasks) {
        let endpoint = tasks.endpoint();
        loop {
            tokio::time::sleep(self.engine.options.lease / 3).await;
            match self.engine.renew(endpoint).await {
                Ok(true) => {}
                Ok(false) => tasks.end(),
                Err(error) => tracing::warn!(%error, "renewing a webhook lease failed and will be retried"),
            }
        }
    }
}

/// Waits for all attempts. A panic in one of them is raised here.
async fn all(attempts: &mut JoinSet<()>) {
    while let Some(ended) = attempts.join_next().await {
        if let Err(Ok(panic)) = ended.map_err(JoinError::try_into_panic) {
            resume_unwind(panic);
        }
    }
}
