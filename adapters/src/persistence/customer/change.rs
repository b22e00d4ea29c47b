//! The transaction of every change of a customer, for one change or a batch of them.
//!
//! `facts` looks up and locks everything that the changes need. Each change is decided on the state that the previous
//! one left. The transaction writes the difference between the customers before and after all changes. A refused change
//! does not affect the others.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
};

use patron_domain::{
    customer::{ChangeCustomer, ChangeCustomerError, Customer, CustomerAggregate, CustomerChanged, CustomerDecision},
    event::CustomerEvent,
    ids::{CustomerId, WorkflowId},
    lifecycle::Version,
    onboarding::OnboardingRun,
    privacy::SubjectKey,
    store::StoreError,
    tenancy::EnvironmentScope,
    time::Timestamp,
};

use super::{
    facts::{self, Facts},
    row::CustomerRow,
};
use crate::persistence::{
    engine::Decision,
    error::Failure,
    event::{row::EventRow, superseded::SupersededRow},
    idempotency::{Keeping, Once},
    onboarding::row::RunRow,
    privacy::{Claimed, claimed},
    unit::Reads,
    value::{Document, Key},
    writes::{CountChange, Writes},
};

/// One change.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) scope: EnvironmentScope,
    pub(crate) environment: i32,
    pub(crate) command: ChangeCustomer,
    /// The external ids that it may claim.
    pub(crate) claimed: Claimed,
}

impl Job {
    /// A change. Without the key of the installation, external ids of erased customers are not recognised.
    pub(crate) fn new(
        scope: &EnvironmentScope,
        environment: i32,
        command: ChangeCustomer,
        key: Option<&SubjectKey>,
    ) -> Self {
        let claimed = claimed(key, scope.owner, &command);
        Self { scope: scope.clone(), environment, command, claimed }
    }
}

/// The answers to all changes, in their order, once everything is written.
pub(crate) type Answers = Vec<Result<CustomerChanged, ChangeCustomerError>>;

/// Decides changes in their order. A refused change is one of the answers; an error means that the store failed.
pub(crate) async fn decide(unit: &dyn Reads, jobs: &[Job]) -> Result<(Answers, Writes), Failure<StoreError>> {
    let mut facts = facts::load(unit, jobs).await?;
    let mut batch = Batch::default();
    let mut answers = Vec::with_capacity(jobs.len());
    for job in jobs {
        let facts = facts.entry(job.environment).or_default();
        answers.push(batch.decide(job, facts));
    }
    for (id, version, at, keeping) in std::mem::take(&mut batch.of_nothing) {
        let customer = Key::from(id);
        keeping.latest(unit, &mut batch.writes, (customer, Some(customer)), version, at).await?;
    }
    Ok((answers, batch.into_writes(&facts)))
}

/// Decides one change.
pub(crate) async fn one(unit: &dyn Reads, job: Job) -> Result<Decision<CustomerChanged>, Failure<ChangeCustomerError>> {
    let decided = decide(unit, &[job]).await;
    let (mut answers, writes) = decided.map_err(|failure| failure.map(ChangeCustomerError::from))?;
    let nothing = || StoreError::Failed { reason: "a change has no answer".to_owned() };
    let answer = answers.pop().unwrap_or_else(|| Err(nothing().into())).map_err(Failure::Refused)?;
    Ok(Decision { answer, writes })
}

/// The state after the changes so far.
#[derive(Default)]
struct Batch {
    /// The changed customers by environment: their state before all changes, if they existed, and their state now.
    customers: BTreeMap<(i32, CustomerId), Changed>,
    writes: Writes,
    /// The changes that changed nothing, by customer, version and time.
    of_nothing: Vec<(CustomerId, Version, Timestamp, Keeping)>,
    /// Their keys.
    keys_of_nothing: BTreeSet<(i32, String)>,
}

struct Changed {
    before: Option<CustomerAggregate>,
    now: CustomerAggregate,
    document: Document,
    /// The place of its latest event among those that are written.
    latest: usize,
}

impl Batch {
    fn decide(&mut self, job: &Job, facts: &mut Facts) -> Result<CustomerChanged, ChangeCustomerError> {
        let Job { scope, environment, command, .. } = job;
        let keeping = match keeping(job, facts)? {
            ControlFlow::Break(event) => return Ok(CustomerChanged { event, replayed: true }),
            ControlFlow::Continue(keeping) => keeping,
        };
        let known = facts.of(command);
        let decision = command.clone().decide(scope, &known)?;
        if !decision.is_change(&known) {
            let event = decision.event;
            // Of several with one key, the first keeps the answer.
            let key = command.claim.as_ref().map(|claim| claim.key.as_str().to_owned());
            let replayed = key.is_some_and(|key| !self.keys_of_nothing.insert((*environment, key)));
            if !replayed {
                self.of_nothing.push((event.state.customer.id, event.sequence, event.at, keeping));
            }
            return Ok(CustomerChanged { event, replayed });
        }
        let before = known.current.as_ref().map(|before| before.customer.status);
        let event = self.note(*environment, known.current, decision, keeping)?;
        facts.count(before, event.state.customer.status);
        facts.put(event.state.clone());
        if let Some(row) = self.writes.kept.last().filter(|row| row.event == Some(event.id.into())) {
            // A repeated request in the same batch gets this answer.
            facts.kept.insert(row.key.clone(), row.clone());
            facts.answered.insert(event.id, event.clone());
        }
        Ok(CustomerChanged { event, replayed: false })
    }

    /// Adds the outcome of a decision about a customer.
    fn note(
        &mut self,
        environment: i32,
        before: Option<CustomerAggregate>,
        decision: CustomerDecision,
        keeping: Keeping,
    ) -> Result<CustomerEvent, StoreError> {
        let CustomerDecision { event, onboarding, .. } = decision;
        let document = Document::of(&event.state);
        let row = EventRow::of_customer(environment, &event, &document)?;
        let Customer { id, status, .. } = event.state.customer;
        let status_before = before.as_ref().map(|before| before.customer.status);
        self.writes.count(environment, CountChange::of(status_before, status));
        let latest = self.writes.events.len();
        self.writes.events.push(row);
        keeping.event(&mut self.writes, event.id, Some(id.into()), event.at);
        self.writes.new_runs.extend(onboarding.map(|workflow| begun(environment, &event.state.customer, workflow)));
        let now = event.state.clone();
        match self.customers.get_mut(&(environment, id)) {
            Some(changed) => {
                // The customer's row holds the state after the latest event. So the event before now needs its own copy.
                self.writes.events[changed.latest].document = Some(std::mem::replace(&mut changed.document, document));
                (changed.now, changed.latest) = (now, latest);
            }
            None => drop(self.customers.insert((environment, id), Changed { before, now, document, latest })),
        }
        Ok(event)
    }

    fn into_writes(self, facts: &BTreeMap<i32, Facts>) -> Writes {
        let Self { customers, mut writes, .. } = self;
        for ((environment, id), Changed { before, now, document, .. }) in customers {
            let row = CustomerRow::new(environment, &now, document);
            let definitions = facts.get(&environment).map(Facts::definitions).unwrap_or_default();
            writes.index(environment, definitions, before.as_ref(), Some(&now));
            writes.tokens(environment, before.as_ref(), Some(&now));
            if before.is_some() {
                writes.superseded.push(SupersededRow { environment, customer: id.into() });
                writes.customers.push(row);
            } else {
                writes.new_customers.push(row);
            }
        }
        writes
    }
}

/// Returns what keeps the answer under the change's key, or the event of an earlier request with that key.
fn keeping(job: &Job, facts: &Facts) -> Result<ControlFlow<CustomerEvent, Keeping>, ChangeCustomerError> {
    let Some(claim) = &job.command.claim else { return Ok(ControlFlow::Continue(Keeping::default())) };
    let row = facts.kept.get(claim.key.as_str());
    let record = row.map(|row| row.record()).transpose()?;
    match claim.settle(record.as_ref())? {
        Some(id) => Ok(ControlFlow::Break(facts.answer(id)?.clone())),
        None => {
            let once = Once { environment: job.environment, owner: job.scope.owner, claim: claim.clone() };
            Ok(ControlFlow::Continue(Keeping::new(once, row.cloned())))
        }
    }
}

/// The run of a workflow for a new customer.
fn begun(environment: i32, customer: &Customer, workflow: WorkflowId) -> RunRow {
    let at = customer.audit.created_at;
    RunRow::new(environment, &OnboardingRun::start(customer.owner, customer.id, workflow, at))
}
