//! Executes the steps of runs. The program calls it repeatedly.

use std::{sync::Arc, time::Duration};

use sha2::{Digest, Sha256};

use super::{
    breaker::Breakers,
    failure::StepFailure,
    port::{OnboardingRepository, RunClaim, RunRecord, StepAnswer, StepCall, StepCaller},
    run::{OnboardingRun, RunState, StepOutcome},
    step::{HttpCall, LinkIntegration, Step},
    token::RunToken,
    workflow::Workflow,
};
use crate::{
    clock::Clock,
    customer::{Amendment, ChangeCustomer, ChangeCustomerError, CustomerChange, CustomerRepository, Stamp},
    event::{EventPosition, EventRecord},
    idempotency::{Fingerprint, IdempotencyClaim, IdempotencyKey},
    ids::{EventId, IdGenerator, Randomness},
    integration::{NewLink, ProviderEntityId},
    lifecycle::{Owner, Version},
    metadata::JsonObject,
    page::PageRequest,
    shares::Shares,
    store::StoreError,
    tenancy::{EnvironmentScope, SystemScope},
    webhook::{MAX_RETRY_AFTER, Message, SecretVault, SendFailure, WebhookBody, seconds, signature},
};

/// Executes steps. The driver claims runs and advances each of them; several drivers may do so in parallel.
///
/// Each step is executed at least once, because the result of a call is only known after it was stored. Links and the
/// final event are written exactly once, under their own idempotency keys.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use patron_domain::{onboarding::*, testkit::*, webhook::*};
///
/// # futures::executor::block_on(async {
/// let store = Arc::new(MemoryStore::default());
/// let engine = OnboardingEngine {
///     onboarding: store.clone(),
///     customers: store,
///     caller: Arc::new(MockStepCaller::answering(201, r#"{"id": 4711}"#)),
///     vault: Arc::new(MockSecretVault::plain()),
///     body: Arc::new(MockWebhookBody::naming_types()),
///     clock: Arc::new(FixedClock::default()),
///     ids: Arc::new(CountingIds::default()),
///     randomness: Arc::new(FixedRandomness::default()),
///     breakers: Breakers::default(),
///     lease: Duration::from_secs(30),
/// };
/// let (holder, runs) = engine.claim(16).await.unwrap();
/// for run in runs {
///     engine.advance(&holder, run).await.unwrap();
/// }
/// # });
/// ```
#[derive(Clone)]
pub struct OnboardingEngine {
    /// The store of workflows and runs.
    pub onboarding: Arc<dyn OnboardingRepository>,
    /// The store of customers.
    pub customers: Arc<dyn CustomerRepository>,
    /// Makes the calls.
    pub caller: Arc<dyn StepCaller>,
    /// Opens secrets.
    pub vault: Arc<dyn SecretVault>,
    /// Writes the bodies.
    pub body: Arc<dyn WebhookBody>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of new ids.
    pub ids: Arc<dyn IdGenerator>,
    /// The source of jitter.
    pub randomness: Arc<dyn Randomness>,
    /// The pauses of hosts that do not answer.
    pub breakers: Breakers,
    /// The length of a lease on a run. It must be longer than a step takes.
    pub lease: Duration,
}

/// The places for runs in progress.
#[derive(Debug, Clone, Copy)]
struct Places {
    count: u16,
    /// The most of one environment while others have due runs.
    share: u16,
    /// The places kept free for others even if they have no due runs yet.
    kept_free: u16,
}

/// A run under a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Held {
    run: OnboardingRun,
    holder: String,
}

impl OnboardingEngine {
    /// Claims runs of any environment that are due. Returns the name of their holder too.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn claim(&self, limit: u16) -> Result<(String, Vec<OnboardingRun>), StoreError> {
        self.claim_by_turns(Places { count: limit, share: limit, kept_free: 0 }, &[]).await
    }

    /// Claims due runs for a caller that processes at most `places` runs at a time, of which some are in progress
    /// (`under_way`, by environment). An environment has at most half of the places while others have due runs, and never
    /// the last quarter, so slow runs of one environment do not block others.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn claim_fairly(
        &self,
        places: u16,
        under_way: &[(Owner, u16)],
    ) -> Result<(String, Vec<OnboardingRun>), StoreError> {
        let shares = Shares::<()>::new(places.into());
        let [share, kept_free] = [shares.half(), shares.kept_free()].map(|n| u16::try_from(n).unwrap_or(u16::MAX));
        self.claim_by_turns(Places { count: places, share, kept_free }, under_way).await
    }

    async fn claim_by_turns(
        &self,
        places: Places,
        under_way: &[(Owner, u16)],
    ) -> Result<(String, Vec<OnboardingRun>), StoreError> {
        let now = self.clock.now();
        let holder: EventId = self.ids.start(now).next_id();
        let holder = holder.to_string();
        let (mut runs, mut under_way): (Vec<OnboardingRun>, _) = (Vec::new(), under_way.to_vec());
        let taken: u16 = under_way.iter().map(|(_, runs)| *runs).fold(0, u16::saturating_add);
        let free = places.count.saturating_sub(taken);
        // First every environment up to its share. The remaining places go to those that have more due runs.
        let rest = (places.share < places.count).then_some((places.count, places.kept_free));
        for (most_of_one, kept_free) in [Some((places.share, 0)), rest].into_iter().flatten() {
            let claimed = u16::try_from(runs.len()).unwrap_or(u16::MAX);
            let limit = free.saturating_sub(claimed).saturating_sub(kept_free);
            if limit == 0 {
                break;
            }
            let until = now.later(self.lease);
            let claim =
                RunClaim { holder: holder.clone(), now, until, limit, most_of_one, under_way: under_way.clone() };
            for run in self.onboarding.claim_runs(&SystemScope::patron(), claim).await? {
                match under_way.iter_mut().find(|(owner, _)| *owner == run.owner) {
                    Some((_, count)) => *count = count.saturating_add(1),
                    None => under_way.push((run.owner, 1)),
                }
                runs.push(run);
            }
        }
        Ok((holder, runs))
    }

    /// Executes the steps of a run until it must wait, has ended, or has another holder.
    ///
    /// # Errors
    /// When the store fails. The run is continued when its lease ends.
    pub async fn advance(&self, holder: &str, run: OnboardingRun) -> Result<(), StoreError> {
        let scope = EnvironmentScope::new(run.owner, SystemScope::patron().actor);
        let mut held = Held { run, holder: holder.to_owned() };
        if held.run.is_under_way() {
            let workflow = self.onboarding.workflow_version(&scope, held.run.workflow_id).await?;
            let workflow = workflow.ok_or_else(|| StoreError::Corrupt {
                table: "onboarding_runs",
                column: "workflow_id",
                row: held.run.customer_id.to_string(),
            })?;
            while held.run.is_under_way() {
                let outcome = self.take(&scope, &workflow, &held.run).await?;
                let now = self.clock.now();
                held.run = held.run.after(&workflow.steps, outcome, now, self.jitter());
                let goes_on = held.run.is_due(now);
                if !self.record(&held, goes_on).await? || !goes_on {
                    return Ok(());
                }
            }
        }
        self.announce(&scope, &held.run).await?;
        held.run = held.run.announced();
        self.record(&held, false).await.map(drop)
    }

    async fn record(&self, held: &Held, keep: bool) -> Result<bool, StoreError> {
        let keep_until = keep.then(|| self.clock.now().later(self.lease));
        let record = RunRecord { run: held.run.clone(), holder: held.holder.clone(), keep_until };
        self.onboarding.record_run(&SystemScope::patron(), record).await
    }

    /// Without randomness, retries happen at the same time; that must not stop the run.
    fn jitter(&self) -> u16 {
        let bytes = self.randomness.secret_bytes().unwrap_or([0x80; 32]);
        u16::from_be_bytes([bytes[0], bytes[1]])
    }

    async fn take(
        &self,
        scope: &EnvironmentScope,
        workflow: &Workflow,
        run: &OnboardingRun,
    ) -> Result<StepOutcome, StoreError> {
        match workflow.steps.get(run.step) {
            Some(Step::HttpCall(call)) => self.call(scope, workflow, run, call).await,
            Some(Step::LinkIntegration(link)) => self.link(scope, run, link).await,
            // After its last step, a run has ended.
            None => Ok(StepOutcome::Linked),
        }
    }

    async fn call(
        &self,
        scope: &EnvironmentScope,
        workflow: &Workflow,
        run: &OnboardingRun,
        call: &HttpCall,
    ) -> Result<StepOutcome, StoreError> {
        // A customer's first event is its creation, with the state of that time, unless the retention job has removed
        // it.
        let first = PageRequest::new(1, 0).unwrap_or_default();
        let created = self.customers.history(scope, run.customer_id, first).await?.items.into_iter().next();
        let created = created.filter(|event| event.sequence == Version::FIRST);
        let Some(created) = created else { return Ok(StepOutcome::Refused(StepFailure::CustomerGone)) };
        let body = self.body.event(&EventRecord::of_customer(EventPosition::default(), created));
        let Ok(secret) = self.vault.open(workflow.secret.id, &workflow.secret.sealed) else {
            return Ok(StepOutcome::Failed(StepFailure::Secret));
        };
        let (now, id) = (self.clock.now(), format!("{}_{}", run.id(), run.step));
        let (environment, host) = (scope.owner.environment_id, call.url.host());
        if let Err(until) = self.breakers.admit(environment, host, now) {
            return Ok(StepOutcome::Postponed(until));
        }
        let token = RunToken::new(&secret, run.id());
        let signature = signature(&[secret], &Message { id: &id, at: now, body: &body });
        let (url, owner) = (call.url.clone(), scope.owner);
        let signed = StepCall { owner, url, id, timestamp: seconds(now), signature, token, body };
        let answer = self.caller.call(signed).await;
        self.breakers.note(environment, host, answer.as_ref().map_or_else(shows_life, |_| true), self.clock.now());
        Ok(match answer {
            Err(failure) => StepOutcome::Failed(StepFailure::Send(failure)),
            Ok(StepAnswer { status, retry_after, .. }) if !call.expected.admits(status) => {
                let failure = StepFailure::Status(status);
                match retry_after.filter(|_| matches!(status, 429 | 503)) {
                    Some(wait) => {
                        let wait = wait.min(MAX_RETRY_AFTER);
                        self.breakers.rest(environment, host, self.clock.now().later(wait));
                        StepOutcome::Delayed(failure, wait)
                    }
                    None => StepOutcome::Failed(failure),
                }
            }
            Ok(StepAnswer { body, .. }) => match values(workflow.steps.links_after(run.step), &body) {
                Ok(values) => StepOutcome::Called(values),
                Err(failure) => StepOutcome::Failed(failure),
            },
        })
    }

    async fn link(
        &self,
        scope: &EnvironmentScope,
        run: &OnboardingRun,
        link: &LinkIntegration,
    ) -> Result<StepOutcome, StoreError> {
        let Some(value) = run.values.first() else { return Ok(StepOutcome::Refused(StepFailure::NoValue)) };
        let link = NewLink {
            provider_type: link.provider_type.clone(),
            provider_entity_id: value.clone(),
            metadata: JsonObject::default(),
        };
        // All attempts of this step in this run have the same key, and nothing else has it.
        let key = format!("onboarding {} step {}", run.id(), run.step);
        match self.amend(scope, run, Amendment::Link(link), &key).await {
            Ok(()) => Ok(StepOutcome::Linked),
            Err(ChangeCustomerError::Store(error)) => Err(error),
            Err(_) => Ok(StepOutcome::Refused(StepFailure::LinkRefused)),
        }
    }

    /// Writes the event of a run's end.
    async fn announce(&self, scope: &EnvironmentScope, run: &OnboardingRun) -> Result<(), StoreError> {
        if !matches!(run.state, RunState::Succeeded | RunState::Failed) {
            return Ok(());
        }
        let amendment = Amendment::EndOnboarding { succeeded: run.state == RunState::Succeeded };
        // A run that is retried ends again at another time, and gets another key.
        let key = format!("onboarding {} end {}", run.id(), run.updated_at.micros());
        match self.amend(scope, run, amendment, &key).await {
            Err(ChangeCustomerError::Store(error)) => Err(error),
            // The customer no longer exists, so there is no event to write.
            _ => Ok(()),
        }
    }

    async fn amend(
        &self,
        scope: &EnvironmentScope,
        run: &OnboardingRun,
        amendment: Amendment,
        key: &str,
    ) -> Result<(), ChangeCustomerError> {
        let at = self.clock.now();
        let fingerprint = Fingerprint::from_bytes(Sha256::digest(key.as_bytes()).into());
        let claim =
            IdempotencyKey::new(key).ok().map(|key| IdempotencyClaim { key, fingerprint, since: run.created_at });
        let stamp = Stamp { ids: self.ids.start(at), at, request_id: None };
        let change = CustomerChange::Amend(run.customer_id, amendment);
        let command = ChangeCustomer { claim, ..ChangeCustomer::new(change, stamp) };
        self.customers.change(scope, command).await.map(drop)
    }
}

/// Whether a failure says nothing about the host, because the call was not made.
fn shows_life(failure: &SendFailure) -> bool {
    !matches!(failure, SendFailure::Timeout | SendFailure::Connection | SendFailure::UnknownHost)
}

/// The values that links take from a response.
fn values<'a>(
    links: impl Iterator<Item = &'a LinkIntegration>,
    answer: &[u8],
) -> Result<Vec<ProviderEntityId>, StepFailure> {
    let mut links = links.peekable();
    if links.peek().is_none() {
        return Ok(Vec::new());
    }
    if answer.len() > StepFailure::MAX_ANSWER {
        return Err(StepFailure::NoJson);
    }
    let document: serde_json::Value = serde_json::from_slice(answer).map_err(|_| StepFailure::NoJson)?;
    let value = |link: &LinkIntegration| {
        let text = match link.pointer.find(&document) {
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(serde_json::Value::Number(number)) if !number.is_f64() => number.to_string(),
            _ => return Err(StepFailure::NoValue),
        };
        ProviderEntityId::new(text).map_err(|_| StepFailure::NoValue)
    };
    links.map(value).collect()
}

#[cfg(test)]
mod tests;
