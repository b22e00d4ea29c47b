//! Stores with wrong idempotency keys.

use super::{Fault, Wrong, now};
use crate::{
    event::TaxRateEvent,
    idempotency::Done,
    ids::IdSequence,
    onboarding::OnboardingRepository,
    tax::{TaxRate, TaxRateCode, TaxRepository},
    tenancy::{ApiKeyRepository, TenancyRepository},
};

/// Drops the claim of every method except the change of customers.
fn forget(wrong: &mut Wrong) {
    let store = wrong.store.clone();
    wrong.taxes.expect_create_rate().returning(move |scope, rate, _| now(store.create_rate(scope, rate, None)));
    let store = wrong.store.clone();
    wrong.taxes.expect_change_rate().returning(move |scope, command, _| now(store.change_rate(scope, command, None)));
    let store = wrong.store.clone();
    wrong.taxes.expect_create_default().returning(move |scope, one, _| now(store.create_default(scope, one, None)));
    let store = wrong.store.clone();
    wrong
        .taxes
        .expect_change_default()
        .returning(move |scope, command, _| now(store.change_default(scope, command, None)));
    let store = wrong.store.clone();
    wrong
        .tenancy
        .expect_create_environment()
        .returning(move |scope, one, _| now(store.create_environment(scope, one, None)));
    let store = wrong.store.clone();
    wrong.onboarding.expect_put_workflow().returning(move |scope, put, _| now(store.put_workflow(scope, put, None)));
    let store = wrong.store.clone();
    wrong.keys.expect_create().returning(move |scope, key, secret, _| now(store.create(scope, key, secret, None)));
}

pub(super) const FAULTS: &[(&str, Fault)] = &[
    ("reports no changes of tax rates that begin", |wrong| {
        wrong.taxes.expect_begin_changes().returning(|_, _, _, _| Ok(0));
    }),
    ("ignores keys", forget),
    ("records the key of a refused request", |wrong| {
        let store = wrong.store.clone();
        wrong.taxes.expect_create_rate().returning(move |scope, rate, claim| {
            let answer: Result<Done<TaxRate>, _> = now(store.create_rate(scope, rate.clone(), claim.clone()));
            if answer.is_err() && claim.is_some() {
                let mut ids = IdSequence::start(rate.at, [9; 10]);
                let code = TaxRateCode::new("REFUSED").unwrap();
                let state = TaxRate { id: ids.next_id(), code, ..rate.state };
                let _ = now(store.create_rate(scope, TaxRateEvent { id: ids.next_id(), state, ..rate }, claim));
            }
            answer
        });
    }),
];
