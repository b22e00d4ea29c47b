//! Webhook delivery, onboarding and erasures beside the API, from start to shutdown.

use std::sync::Arc;

use patron_adapters::{onboarding::drive, persistence::Database};
use patron_domain::webhook::WebhookService;
use tokio::{sync::watch, task::JoinHandle};

use crate::{config::Settings, wiring};

/// The tasks of webhook delivery, onboarding and erasures.
pub(crate) struct Deliveries {
    stop: watch::Sender<bool>,
    relay: Option<JoinHandle<()>>,
    onboarding: Option<JoinHandle<()>>,
    erasures: JoinHandle<()>,
}

impl Deliveries {
    /// Starts the tasks that this process is configured to run.
    pub(crate) fn start(settings: &Settings, database: &Database, webhooks: &WebhookService) -> Self {
        if settings.webhooks.calls.allow_private {
            tracing::warn!(
                "webhooks may go to private addresses (PATRON_WEBHOOKS_ALLOW_PRIVATE): for development only"
            );
        }
        if settings.webhooks.calls.allow_http {
            tracing::warn!(
                "webhooks may go over plain http (PATRON_WEBHOOKS_ALLOW_HTTP): their content can be read on the way"
            );
        }
        let (stop, told) = watch::channel(false);
        let relay = settings.webhooks.deliver.then(|| {
            let relay = wiring::relay(settings, database, webhooks.clone());
            tokio::spawn(Arc::new(relay).run(told.clone()))
        });
        // With a concurrency of 0 this process takes no steps.
        let onboarding = (settings.onboarding_concurrency > 0).then(|| {
            let engine = Arc::new(wiring::engine(settings, database, webhooks));
            tokio::spawn(drive(engine, settings.onboarding_concurrency, told.clone(), database.commits.listen()))
        });
        let job = wiring::erasure_job(settings, database);
        let erasures = tokio::spawn(job.run(told, database.commits.listen()));
        Self { stop, relay, onboarding, erasures }
    }

    /// Waits some seconds for running attempts, and saves their results.
    pub(crate) async fn stop(self) {
        // If a task has ended early, there may be no receiver.
        let _ = self.stop.send(true);
        for task in [self.relay, self.onboarding, Some(self.erasures)].into_iter().flatten() {
            if let Err(error) = task.await {
                tracing::error!(%error, "delivering webhooks, onboarding or erasures stopped unexpectedly");
            }
        }
    }
}
