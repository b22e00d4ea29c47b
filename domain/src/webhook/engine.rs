//! Delivers an environment's events to its endpoints: the steps that a program calls, and every decision between them.

mod log;
mod record;
mod round;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use self::{
    log::LogPage,
    round::{Attempts, Round, RoundOutcome, RoundResult},
};
use super::{
    DISABLE_AFTER, LeaseClaim, Retries, RoundRecord, SendFailure, Signer, VaultError, WebhookEndpoint, WebhookService,
    delivery::Attempt,
};
use crate::{
    ids::{EventId, WebhookEndpointId},
    page::PageBytes,
    store::StoreError,
    tenancy::{EnvironmentScope, SystemScope},
};

/// Delivers webhooks, in rounds of one endpoint each. A driver claims endpoints, makes the attempts of each round side by side,
/// lane by lane, and hands back what they led to. Several drivers may work on one store: leases keep them apart.
///
/// ```
/// use patron_domain::{testkit::*, webhook::{DeliveryEngine, DeliveryOptions, RoundResult, Tally}};
///
/// # futures::executor::block_on(async {
/// let engine = DeliveryEngine { service: a_webhook_service(), options: DeliveryOptions::named("server 1") };
/// for endpoint in engine.claim(Vec::new(), 16).await.unwrap() {
///     let mut round = engine.first_round(endpoint).await.unwrap();
///     let attempts = engine.begin(&mut round);
///     // Make the attempts of attempts.lanes here.
///     let result = RoundResult { lanes: attempts.lanes, tally: Tally::default(), failed: None };
///     let (record, outcome) = engine.finish(round, result, true);
///     engine.record(record).await.unwrap();
/// }
/// # });
/// ```
#[derive(Clone)]
pub struct DeliveryEngine {
    /// The ports behind webhooks.
    pub service: WebhookService,
    /// How it works.
    pub options: DeliveryOptions,
}

/// How deliveries are made.
///
/// ```
/// use patron_domain::webhook::{DISABLE_AFTER, DeliveryOptions};
///
/// assert_eq!(DeliveryOptions::named("server 1").disable_after, DISABLE_AFTER);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryOptions {
    /// The name of the leases: a different one for each process that works at the same time.
    pub holder: String,
    /// How long a lease lasts without being renewed.
    pub lease: Duration,
    /// When failed deliveries are repeated.
    pub retries: Retries,
    /// An endpoint that accepts nothing for this time is disabled.
    pub disable_after: Duration,
    /// About how much of the log is read at once.
    pub page: PageBytes,
}

impl DeliveryOptions {
    /// The defaults, under a name.
    #[must_use]
    pub fn named(holder: impl Into<String>) -> Self {
        let lease = Duration::from_secs(30);
        Self {
            holder: holder.into(),
            lease,
            retries: Retries::default(),
            disable_after: DISABLE_AFTER,
            page: PageBytes::default(),
        }
    }
}

/// A round ended early, for a reason that has nothing to do with the receiver.
///
/// ```
/// use patron_domain::{store::StoreError, webhook::DeliveryError};
///
/// let error = DeliveryError::from(StoreError::unavailable("it restarts"));
/// assert_eq!(error.to_string(), "the database is not available: it restarts");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeliveryError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The endpoint's secrets do not open.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl DeliveryEngine {
    /// Leases endpoints that have something to do. `serving` are those that this driver serves already.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn claim(&self, serving: Vec<WebhookEndpointId>, limit: u16) -> Result<Vec<WebhookEndpoint>, StoreError> {
        let now = self.service.clock.now();
        let (holder, until) = (self.options.holder.clone(), now.later(self.options.lease));
        self.service.webhooks.claim(&SystemScope::patron(), LeaseClaim { holder, now, until, serving, limit }).await
    }

    /// Renews the lease of an endpoint; `false` when it was lost: then no more attempts may begin.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn renew(&self, endpoint: WebhookEndpointId) -> Result<bool, StoreError> {
        let until = self.service.clock.now().later(self.options.lease);
        self.service.webhooks.renew(&SystemScope::patron(), endpoint, &self.options.holder, until).await
    }

    /// Writes what a round led to; `false` when the lease was lost: then nothing was written.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn record(&self, record: RoundRecord) -> Result<bool, StoreError> {
        self.service.webhooks.record(&SystemScope::patron(), record).await
    }

    /// The endpoint as it is now; `None` when it was deleted or disabled.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn current(&self, endpoint: &WebhookEndpoint) -> Result<Option<WebhookEndpoint>, StoreError> {
        let found = self.service.webhooks.find_endpoint(&scope(endpoint), endpoint.id).await?;
        Ok(found.filter(|endpoint| endpoint.disabled.is_none()))
    }

    /// What is sent of an event; `None` when the log has it no more.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn body(&self, endpoint: &WebhookEndpoint, event: EventId) -> Result<Option<Vec<u8>>, StoreError> {
        let WebhookService { events, body, .. } = &self.service;
        Ok(events.find(&scope(endpoint), event).await?.map(|event| body.event(&event)))
    }

    /// Attempts one delivery of an event with a body; without one the event is gone.
    ///
    /// # Errors
    /// When the endpoint's secrets do not open. A receiver that refuses is an outcome, not an error.
    pub async fn attempt(
        &self,
        signer: &Result<Signer, VaultError>,
        event: EventId,
        body: Option<Vec<u8>>,
    ) -> Result<Attempt, DeliveryError> {
        let WebhookService { sender, clock, .. } = &self.service;
        let signer = signer.as_ref().map_err(Clone::clone)?;
        let now = clock.now();
        let Some(body) = body else {
            let outcome = Err(SendFailure::EventGone);
            return Ok(Attempt { at: now, took: Duration::ZERO, outcome, answer: String::new() });
        };
        Ok(sender.send(signer.request(event, body, now)).await)
    }
}

/// The environment of an endpoint, for the engine's own work.
fn scope(endpoint: &WebhookEndpoint) -> EnvironmentScope {
    EnvironmentScope::new(endpoint.owner, SystemScope::patron().actor)
}
