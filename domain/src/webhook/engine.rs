//! Delivers an environment's events to its endpoints: the steps that a driver calls, and the decisions between them.

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
    lifecycle::Owner,
    page::PageBytes,
    store::StoreError,
    tenancy::{EnvironmentScope, SystemScope},
};

/// Delivers webhooks in rounds. A round belongs to one endpoint. A driver claims endpoints, makes the attempts of each
/// round, with its lanes in parallel, and returns the results. Several drivers can work on one store: leases keep them
/// apart.
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
    /// The service with the ports.
    pub service: WebhookService,
    /// The options.
    pub options: DeliveryOptions,
}

/// The options of deliveries.
///
/// ```
/// use patron_domain::webhook::{DISABLE_AFTER, DeliveryOptions};
///
/// assert_eq!(DeliveryOptions::named("server 1").disable_after, DISABLE_AFTER);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryOptions {
    /// The holder's name in leases. Every concurrent process needs a different one.
    pub holder: String,
    /// The length of a lease.
    pub lease: Duration,
    /// The retries of failed deliveries.
    pub retries: Retries,
    /// The time without an accepted delivery after which an endpoint is disabled.
    pub disable_after: Duration,
    /// The approximate size of a page of the log.
    pub page: PageBytes,
}

impl DeliveryOptions {
    /// The default options with a holder's name.
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

/// Why a round ended early. The receiver is not the cause.
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
    /// The endpoint's secrets cannot be opened.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl DeliveryEngine {
    /// Leases endpoints that have work, for a driver that serves at most `places` endpoints at a time. `serving` lists
    /// those that it already serves. Environments share the places.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn claim(
        &self,
        serving: Vec<(WebhookEndpointId, Owner)>,
        places: u16,
    ) -> Result<Vec<WebhookEndpoint>, StoreError> {
        let now = self.service.clock.now();
        let (holder, until) = (self.options.holder.clone(), now.later(self.options.lease));
        self.service.webhooks.claim(&SystemScope::patron(), LeaseClaim { holder, now, until, serving, places }).await
    }

    /// Renews the lease of an endpoint. `false` means that the lease was lost, so no more attempts may begin.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn renew(&self, endpoint: WebhookEndpointId) -> Result<bool, StoreError> {
        let until = self.service.clock.now().later(self.options.lease);
        self.service.webhooks.renew(&SystemScope::patron(), endpoint, &self.options.holder, until).await
    }

    /// Writes the result of a round. `false` means that the lease was lost, so nothing was written.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn record(&self, record: RoundRecord) -> Result<bool, StoreError> {
        self.service.webhooks.record(&SystemScope::patron(), record).await
    }

    /// The current state of the endpoint; `None` when it was deleted or disabled.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn current(&self, endpoint: &WebhookEndpoint) -> Result<Option<WebhookEndpoint>, StoreError> {
        let found = self.service.webhooks.find_endpoint(&scope(endpoint), endpoint.id).await?;
        Ok(found.filter(|endpoint| endpoint.disabled.is_none()))
    }

    /// The body of an event's deliveries, or why there is none.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn body(
        &self,
        endpoint: &WebhookEndpoint,
        event: EventId,
    ) -> Result<Result<Vec<u8>, SendFailure>, StoreError> {
        let WebhookService { events, body, .. } = &self.service;
        Ok(match events.find(&scope(endpoint), event).await? {
            None => Err(SendFailure::EventGone),
            Some(event) if event.withheld => Err(SendFailure::Withheld),
            Some(event) => Ok(body.event(&event)),
        })
    }

    /// Makes one attempt at a delivery, unless there is no body.
    ///
    /// # Errors
    /// When the endpoint's secrets cannot be opened. A refusal by the receiver is an outcome, not an error.
    pub async fn attempt(
        &self,
        signer: &Result<Signer, VaultError>,
        event: EventId,
        body: Result<Vec<u8>, SendFailure>,
    ) -> Result<Attempt, DeliveryError> {
        let WebhookService { sender, clock, .. } = &self.service;
        let signer = signer.as_ref().map_err(Clone::clone)?;
        let now = clock.now();
        match body {
            Ok(body) => Ok(sender.send(signer.request(event, body, now)).await),
            Err(failure) => {
                let (took, answer) = (Duration::ZERO, String::new());
                Ok(Attempt { at: now, took, outcome: Err(failure), answer, retry_after: None })
            }
        }
    }
}

/// The scope of an endpoint's environment, for the engine's own work.
fn scope(endpoint: &WebhookEndpoint) -> EnvironmentScope {
    EnvironmentScope::new(endpoint.owner, SystemScope::patron().actor)
}
