//! Delivering webhooks, and taking the steps of onboarding, beside the API, from start to drained.

use std::sync::Arc;

use patron_adapters::{
    onboarding::drive,
    persistence::{Database, Written},
};
use patron_domain::webhook::WebhookService;
use tokio::{sync::watch, task::JoinHandle};

use crate::{config::Settings, wiring};

/// The tasks that deliver webhooks, and take the steps of onboarding.
pub(crate) struct Deliveries {
    stop: watch::Sender<bool>,
    relay: Option<JoinHandle<()>>,
    onboarding: Option<JoinHandle<()>>,
}

impl Deliveries {
    /// Starts it, if this process is to deliver.
    pub(crate) fn start(settings: &Settings, database: &Database, webhooks: &WebhookService) -> Self {
        if settings.webhooks.calls.allow_private {
            tracing::warn!(
                "webhooks may go to private addresses (PATRON_WEBHOOKS_ALLOW_PRIVATE): for development only"
            );
        }
        if settings.webhooks.calls.allow_http {
            tracing::warn!(
                "webhooks may go over plain http (PATRON_WEBHOOKS_ALLOW_HTTP): whoever is on the way can read them"
            );
        }
        let (stop, told) = watch::channel(false);
        let relay = settings.webhooks.deliver.then(|| {
            let relay = wiring::relay(settings, webhooks.clone());
            let written = Written::listen();
            tokio::spawn(Arc::new(relay).run(told.clone(), move || written.clone().next()))
        });
        // Nobody takes steps while there are none at a time.
        let onboarding = (settings.onboarding_concurrency > 0).then(|| {
            let engine = Arc::new(wiring::engine(settings, database, webhooks));
            let written = Written::listen();
            tokio::spawn(drive(engine, settings.onboarding_concurrency, told, move || written.clone().next()))
        });
        Self { stop, relay, onboarding }
    }

    /// Lets the attempts that are under way end, for some seconds, and writes down what came of them.
    pub(crate) async fn stop(self) {
        // When nobody delivers, nobody is told.
        let _ = self.stop.send(true);
        for task in [self.relay, self.onboarding].into_iter().flatten() {
            if let Err(error) = task.await {
                tracing::error!(%error, "delivering webhooks or onboarding broke off");
            }
        }
    }
}
