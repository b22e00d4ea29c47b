//! Delivering webhooks beside the API, from start to drained.

use std::sync::Arc;

use patron_adapters::persistence::written;
use patron_domain::webhook::WebhookService;
use tokio::{sync::watch, task::JoinHandle};

use crate::{config::Settings, wiring};

/// The task that delivers webhooks.
pub(crate) struct Deliveries {
    stop: watch::Sender<bool>,
    relay: Option<JoinHandle<()>>,
}

impl Deliveries {
    /// Starts it, if this process is to deliver.
    pub(crate) fn start(settings: &Settings, service: WebhookService) -> Self {
        let webhooks = &settings.webhooks;
        if webhooks.allow_private {
            tracing::warn!(
                "webhooks may go to private addresses (PATRON_WEBHOOKS_ALLOW_PRIVATE): for development only"
            );
        }
        let (stop, told) = watch::channel(false);
        let relay = webhooks.deliver.then(|| {
            let relay = wiring::relay(settings, service);
            tokio::spawn(Arc::new(relay).run(told, written))
        });
        Self { stop, relay }
    }

    /// Lets the attempts that are under way end, for some seconds, and writes down what came of them.
    pub(crate) async fn stop(self) {
        // When nobody delivers, nobody is told.
        let _ = self.stop.send(true);
        if let Some(relay) = self.relay
            && let Err(error) = relay.await
        {
            tracing::error!(%error, "delivering webhooks broke off");
        }
    }
}
