//! Wrong stores of onboarding workflows and runs.

use super::{Fault, Wrong, now};
use crate::{
    customer::{ChangeCustomer, CustomerChange, CustomerRepository, NewCustomer},
    idempotency::Done,
    onboarding::{Onboarding, OnboardingRepository, OnboardingRun, PutWorkflow, RunClaim, RunQuery, RunRecord},
    tenancy::Quota,
};

pub(super) fn pass_on(wrong: &mut Wrong) {
    let (store, onboarding) = (&wrong.store, &mut wrong.onboarding);
    let own = store.clone();
    onboarding.expect_put_workflow().returning(move |scope, put, claim| now(own.put_workflow(scope, put, claim)));
    let own = store.clone();
    onboarding.expect_workflow().returning(move |scope, name| now(own.workflow(scope, name)));
    let own = store.clone();
    onboarding.expect_workflow_version().returning(move |scope, id| now(own.workflow_version(scope, id)));
    let own = store.clone();
    onboarding
        .expect_delete_workflow()
        .returning(move |scope, name, at, only_if, claim| now(own.delete_workflow(scope, name, at, only_if, claim)));
    let own = store.clone();
    onboarding.expect_run().returning(move |scope, id| now(own.run(scope, id)));
    let own = store.clone();
    onboarding.expect_runs().returning(move |scope, query| now(own.runs(scope, query)));
    let own = store.clone();
    onboarding
        .expect_amend_run()
        .returning(move |scope, id, amendment, at, claim| now(own.amend_run(scope, id, amendment, at, claim)));
    let own = store.clone();
    onboarding.expect_claim_runs().returning(move |scope, claim| now(own.claim_runs(scope, claim)));
    let own = store.clone();
    onboarding.expect_record_run().returning(move |scope, record| now(own.record_run(scope, record)));
}

/// A store that changes the workflow of a put.
fn putting(wrong: &mut Wrong, spoil: fn(PutWorkflow) -> PutWorkflow) {
    let store = wrong.store.clone();
    wrong
        .onboarding
        .expect_put_workflow()
        .returning(move |scope, put, claim| now(store.put_workflow(scope, spoil(put), claim)));
}

/// A store that changes claims.
fn claiming(wrong: &mut Wrong, spoil: fn(RunClaim) -> RunClaim) {
    let store = wrong.store.clone();
    wrong.onboarding.expect_claim_runs().returning(move |scope, claim| now(store.claim_runs(scope, spoil(claim))));
}

/// A store that changes queries of runs.
fn listing(wrong: &mut Wrong, spoil: fn(RunQuery) -> RunQuery) {
    let store = wrong.store.clone();
    wrong.onboarding.expect_runs().returning(move |scope, query| now(store.runs(scope, spoil(query))));
}

/// A store that changes the onboarding part of creates.
fn creating(wrong: &mut Wrong, spoil: fn(&mut Onboarding)) {
    let store = wrong.store.clone();
    wrong.customers.expect_change().returning(move |scope, command| {
        let ChangeCustomer { mut change, .. } = command.clone();
        if let CustomerChange::Create(NewCustomer { onboarding, .. }) = &mut change {
            spoil(onboarding);
        }
        now(store.change(scope, ChangeCustomer { change, ..command }))
    });
}

pub(super) const FAULTS: &[(&str, Fault)] = &[
    ("returns workflows that it does not keep", |wrong| {
        let store = wrong.store.clone();
        wrong.onboarding.expect_put_workflow().returning(move |scope, put, _| {
            let current = now(store.workflow(scope, put.name.clone()))?;
            Ok(Done::now(put.decide(scope, current, 0)?.workflow().clone()))
        });
    }),
    ("ignores the quota of workflows", |wrong| {
        putting(wrong, |put| PutWorkflow { quota: Quota::UNLIMITED, ..put });
    }),
    ("uses a new secret for every version", |wrong| {
        putting(wrong, |put| PutWorkflow { another_secret: true, ..put });
    }),
    ("shows workflows and runs to other environments", |wrong| {
        let (store, seen) = (wrong.store.clone(), wrong.seen.clone());
        let noted = seen.clone();
        let own = store.clone();
        wrong.onboarding.expect_put_workflow().returning(move |scope, put, claim| {
            noted.note(scope);
            now(own.put_workflow(scope, put, claim))
        });
        wrong
            .onboarding
            .expect_workflow_version()
            .returning(move |_, id| Ok(seen.find(|scope| now(store.workflow_version(&scope, id)).unwrap())));
    }),
    ("begins no run", |wrong| creating(wrong, |onboarding| *onboarding = Onboarding { skip: true, workflow: None })),
    ("uses the default workflow when another is named", |wrong| {
        creating(wrong, |onboarding| onboarding.workflow = None);
    }),
    ("begins runs of the first version", |wrong| {
        // Later versions are stored under a name that is never looked up.
        let store = wrong.store.clone();
        wrong.onboarding.expect_put_workflow().returning(move |scope, put, claim| {
            let first = now(store.workflow(scope, put.name.clone()))?;
            match first {
                None => now(store.put_workflow(scope, put, claim)),
                Some(first) => Ok(Done::now(put.decide(scope, Some(first), 0)?.workflow().clone())),
            }
        });
    }),
    ("leases runs to several holders", |wrong| {
        claiming(wrong, |claim| RunClaim { until: claim.now, ..claim });
    }),
    ("records runs for any holder", |wrong| {
        let store = wrong.store.clone();
        wrong
            .onboarding
            .expect_record_run()
            .returning(move |scope, record| now(store.record_run(scope, record)).map(|_| true));
    }),
    ("keeps the lease of a released run", |wrong| {
        let store = wrong.store.clone();
        wrong.onboarding.expect_record_run().returning(move |scope, record| {
            let until = record.keep_until.or(Some(record.run.updated_at));
            now(store.record_run(scope, RunRecord { keep_until: until, ..record }))
        });
    }),
    ("amends runs in any state", |wrong| {
        let store = wrong.store.clone();
        wrong.onboarding.expect_amend_run().returning(move |scope, id, amendment, at, claim| {
            let found: Option<OnboardingRun> = now(store.run(scope, id))?;
            match (now(store.amend_run(scope, id, amendment, at, claim)), found) {
                (Err(crate::onboarding::OnboardingError::Forbidden(_)), Some(run)) => Ok(Done::now(run)),
                (answer, _) => answer,
            }
        });
    }),
    ("lists runs in any state", |wrong| listing(wrong, |query| RunQuery { state: None, ..query })),
    ("returns the first runs on every page", |wrong| listing(wrong, |query| RunQuery { after: None, ..query })),
];
