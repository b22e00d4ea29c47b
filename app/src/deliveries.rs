//! Webhook delivery, onboarding, imports and erasures beside the API, from start to shutdown.

use std::sync::Arc;

use patron_adapters::{imports, onboarding::drive, persistence::Database};
use patron_domain::webhook::WebhookService;
use tokio::{sync::watch, task::JoinHandle};

use crate::{config::Settings, wiring};

/// The tasks of webhook delivery, onboarding, imports and erasures.
pub(crate) struct Deliveries {
    stop: watch::Sender<bool>,
    relay: Option<JoinHandle<()>>,
    onboarding: Option<JoinHandle<()>>,
    imports: JoinHandle<()>,
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
        let imports = tokio::spawn(imports::drive(Arc::new(wiring::import_engine(settings, database)), told.clone()));
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
        Self { stop, relay, onboarding, imports, erasures }
    }

    /// Waits some seconds for running attempts, and saves their results.
    pub(crate) async fn stop(self) {
        // If a task has ended early, there may be no receiver.
        let _ = self.stop.send(true);
        let tasks = [self.relay, self.onboarding, Some(self.imports), Some(self.erasures)];
        for task in tasks.into_iter().flatten() {
            if let Err(error) = task.await {
                tracing::error!(%error, "a background task stopped unexpectedly");
            }
        }
    }
}
