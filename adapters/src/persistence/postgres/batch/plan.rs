//! Deciding the changes of a batch, each on what the one before it left. Nothing here waits for anything.

use std::collections::{HashMap, HashSet};

use patron_domain::{
    customer::{
        ChangeCustomer, ChangeCustomerError, CustomerAggregate, CustomerFacts, Subject, TaxFacts, TaxFactsNeeded,
    },
    event::CustomerEvent,
    ids::CustomerId,
    lifecycle::Owner,
    store::StoreError,
};

use super::{Job, facts::Facts};
use crate::persistence::{
    customer::{changes::DecisionRows, counts::CountChanges},
    error::Failure,
    onboarding::workflow_row::wanted_name,
};

/// What becomes of one job.
pub(super) enum Verdict {
    /// It is done.
    Done(Box<CustomerEvent>),
    /// It had been done before.
    Replayed(Box<CustomerEvent>),
    /// It is refused.
    Refused(ChangeCustomerError),
    /// Another one has to come first: it is for a later batch.
    Later,
}

impl Verdict {
    /// The event, if one was made.
    pub(super) fn made(&self) -> Option<&CustomerEvent> {
        match self {
            Self::Done(event) => Some(event),
            _ => None,
        }
    }
}

/// The decisions about a batch: a verdict for each job, and rows for those that are done.
pub(super) struct Plan {
    verdicts: Vec<Verdict>,
    /// Behind the place of the job.
    pub(super) rows: Vec<(usize, DecisionRows)>,
    /// Records that are too old to count, by owner: their place is taken.
    pub(super) outlived: Vec<(Owner, String)>,
}

/// What a batch has touched so far in one environment.
#[derive(Default)]
struct Touched {
    keys: HashSet<String>,
    external_ids: HashSet<String>,
}

impl Plan {
    /// Decides each job in turn.
    pub(super) fn new(jobs: &[Job], mut facts: HashMap<Owner, Facts>) -> Result<Self, Failure<StoreError>> {
        let mut plan = Self { verdicts: Vec::with_capacity(jobs.len()), rows: Vec::new(), outlived: Vec::new() };
        let mut touched: HashMap<Owner, Touched> = HashMap::new();
        for (place, job) in jobs.iter().enumerate() {
            let owner = job.scope.owner;
            let facts = facts.entry(owner).or_default();
            let verdict = plan.decide(place, job, facts, touched.entry(owner).or_default());
            plan.verdicts.push(verdict.map_err(Failure::Refused)?);
        }
        Ok(plan)
    }

    fn decide(
        &mut self,
        place: usize,
        job: &Job,
        facts: &mut Facts,
        touched: &mut Touched,
    ) -> Result<Verdict, StoreError> {
        let command = &job.command;
        if let Some(claim) = &command.claim {
            let key = claim.key.as_str();
            if touched.keys.contains(key) {
                return Ok(Verdict::Later);
            }
            match claim.settle(facts.records.get(key)) {
                Err(reused) => return Ok(Verdict::Refused(reused.into())),
                Ok(Some(event_id)) => {
                    let missing = StoreError::Corrupt {
                        table: "idempotency_records",
                        column: "event_id",
                        row: event_id.to_string(),
                    };
                    let event = facts.answered.get(&event_id).cloned().ok_or(missing)?;
                    return Ok(Verdict::Replayed(Box::new(event)));
                }
                Ok(None) => {}
            }
        }
        let Some(known) = known(command, facts, touched) else { return Ok(Verdict::Later) };
        let before = known.current.clone();
        let decision = match command.clone().decide(&job.scope, &known) {
            Ok(decision) => decision,
            Err(refusal) => return Ok(Verdict::Refused(refusal)),
        };
        let rows = DecisionRows::new(&decision, before.as_ref(), command.claim.as_ref())?;
        let event = decision.event;
        touched.external_ids.insert(event.state.customer.external_id.as_str().to_owned());
        touched.external_ids.extend(rows.former_external_id.iter().map(|former| former.external_id.clone()));
        if let Some(claim) = &command.claim {
            touched.keys.insert(claim.key.as_str().to_owned());
            if facts.records.contains_key(claim.key.as_str()) {
                self.outlived.push((job.scope.owner, claim.key.as_str().to_owned()));
            }
        }
        if before.is_some() {
            facts.customers.insert(event.state.customer.id, event.state.clone());
        }
        self.rows.push((place, rows));
        Ok(Verdict::Done(Box::new(event)))
    }

    /// Takes a job's decision back.
    pub(super) fn retract(&mut self, place: usize, verdict: Verdict) {
        self.rows.retain(|(at, _)| *at != place);
        self.verdicts[place] = verdict;
    }

    /// How the numbers of customers change.
    pub(super) fn counts(&self) -> CountChanges {
        let mut counts = CountChanges::default();
        for (place, rows) in &self.rows {
            if let Some(event) = self.verdicts[*place].made() {
                counts.note(rows, event.state.customer.status);
            }
        }
        counts
    }

    pub(super) fn into_verdicts(self) -> Vec<Verdict> {
        self.verdicts
    }
}

/// The facts for one command; `None` when another change of this batch has to be written first.
fn known(command: &ChangeCustomer, facts: &Facts, touched: &Touched) -> Option<CustomerFacts> {
    let current: Option<&CustomerAggregate> = match command.subject() {
        Subject::New => None,
        Subject::Id(id) => facts.customers.get(&id),
        Subject::ExternalId(external_id) => {
            if touched.external_ids.contains(external_id.as_str()) {
                return None;
            }
            facts.customers.values().find(|aggregate| {
                aggregate.customer.external_id == *external_id
                    && aggregate.customer.status == patron_domain::lifecycle::Status::Published
            })
        }
    };
    let mut holder: Option<CustomerId> = None;
    if let Some(wanted) = command.wanted_external_id(current) {
        if touched.external_ids.contains(wanted.as_str()) {
            return None;
        }
        holder = facts.holders.get(wanted.as_str()).copied();
    }
    let taxes = match command.tax_facts_needed() {
        TaxFactsNeeded::Nothing => TaxFacts::default(),
        TaxFactsNeeded::Defaults => TaxFacts::new(Vec::new(), facts.defaults.clone()),
        TaxFactsNeeded::Rates(codes) => {
            let named = facts.rates.iter().filter(|rate| codes.contains(&&rate.code));
            TaxFacts::new(named.cloned().collect(), Vec::new())
        }
    };
    let workflow = wanted_name(command.workflow_needed()).and_then(|name| facts.workflows.get(name)).copied();
    Some(CustomerFacts::new(current.cloned(), holder).with_taxes(taxes).with_workflow(workflow))
}
