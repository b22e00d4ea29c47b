//! Wrong stores of customers.

use super::{Fault, Wrong, committing, now};
use crate::{
    customer::{
        ChangeCustomer, ChangeCustomerError, CustomerChange, CustomerChanged, CustomerFacts, CustomerName,
        CustomerRepository, CustomerUpdate, TaxChoice, TaxFacts,
    },
    lifecycle::Status,
    page::PageRequest,
    patch::Patch,
    store::StoreError,
    tax::{TaxAssociationFilter, TaxRateOverrides, TaxRepository, TaxedEntity},
    tenancy::{EnvironmentScope, Quota},
    testkit::{MemoryStore, a_time},
};

pub(super) fn pass_on(wrong: &mut Wrong) {
    let (store, seen) = (wrong.store.clone(), wrong.seen.clone());
    wrong.customers.expect_change().returning(move |scope, command| {
        seen.note(scope);
        now(store.change(scope, command))
    });
    let store = wrong.store.clone();
    wrong.customers.expect_find().returning(move |scope, id| now(store.find(scope, id)));
    let store = wrong.store.clone();
    wrong
        .customers
        .expect_find_by_external_id()
        .returning(move |scope, external_id| now(store.find_by_external_id(scope, external_id)));
    let store = wrong.store.clone();
    wrong.customers.expect_mappings().returning(move |scope, filter, page| now(store.mappings(scope, filter, page)));
    let store = wrong.store.clone();
    wrong.customers.expect_history().returning(move |scope, id, page| now(store.history(scope, id, page)));
    let store = wrong.store.clone();
    wrong.customers.expect_list().returning(move |scope, query| now(store.list(scope, query)));
}

type Change = fn(&MemoryStore, &EnvironmentScope, ChangeCustomer) -> Result<CustomerChanged, ChangeCustomerError>;

/// A store with this change function.
fn changing(wrong: &mut Wrong, change: Change) {
    let (store, seen) = (wrong.store.clone(), wrong.seen.clone());
    wrong.customers.expect_change().returning(move |scope, command| {
        seen.note(scope);
        change(&store, scope, command)
    });
}

fn new_of(command: &mut ChangeCustomer) -> Option<&mut crate::customer::NewCustomer> {
    match &mut command.change {
        CustomerChange::Create(new) => Some(new),
        _ => None,
    }
}

pub(super) const FAULTS: &[(&str, Fault)] = &[
    ("changes customers of any environment", |wrong| {
        let (store, seen) = (wrong.store.clone(), wrong.seen.clone());
        wrong.customers.expect_change().returning(move |scope, command| {
            seen.note(scope);
            let answer = now(store.change(scope, command.clone()));
            if answer != Err(ChangeCustomerError::UnknownCustomer) {
                return answer;
            }
            seen.find(|scope| now(store.change(&scope, command.clone())).ok()).map_or(answer, Ok)
        });
    }),
    ("writes what a dry run only asks for", |wrong| {
        changing(wrong, |store, scope, command| now(store.change(&committing(scope), command)));
    }),
    ("ignores the quota of customers", |wrong| {
        changing(wrong, |store, scope, command| {
            now(store.change(scope, ChangeCustomer { quota: Quota::UNLIMITED, ..command }))
        });
    }),
    ("allows an external id once in all environments", |wrong| {
        let (store, seen) = (wrong.store.clone(), wrong.seen.clone());
        wrong.customers.expect_change().returning(move |scope, mut command| {
            if let Some(new) = new_of(&mut command) {
                let taken = seen.find(|scope| now(store.find_by_external_id(&scope, &new.external_id)).unwrap());
                if let Some(taken) = taken {
                    return Err(ChangeCustomerError::ExternalIdTaken { existing: taken.customer.id });
                }
            }
            seen.note(scope);
            now(store.change(scope, command))
        });
    }),
    ("keeps external ids in lower case", |wrong| {
        changing(wrong, |store, scope, mut command| {
            if let Some(new) = new_of(&mut command) {
                let lower = new.external_id.as_str().to_lowercase();
                new.external_id = crate::customer::ExternalId::new(lower).unwrap();
            }
            now(store.change(scope, command))
        });
    }),
    ("returns another event than it wrote", |wrong| {
        changing(wrong, |store, scope, command| {
            let mut changed = now(store.change(scope, command))?;
            changed.event.at = a_time();
            Ok(changed)
        });
    }),
    ("loses some creates", |wrong| {
        changing(wrong, |store, scope, mut command| {
            let fails = new_of(&mut command).is_some_and(|new| new.external_id.as_str().ends_with('7'));
            if fails { Err(StoreError::unavailable("lost").into()) } else { now(store.change(scope, command)) }
        });
    }),
    ("keeps one mapping of each create", |wrong| {
        changing(wrong, |store, scope, mut command| {
            if let Some(new) = new_of(&mut command) {
                let first = std::mem::take(&mut new.links).into_iter().take(1).collect();
                new.links = crate::integration::NewLinks::new(first).unwrap();
            }
            now(store.change(scope, command))
        });
    }),
    ("keeps refused customers under another external id", |wrong| {
        changing(wrong, |store, scope, mut command| {
            let answer = now(store.change(scope, command.clone()));
            let another = command.stamp.at.to_string();
            if let (Some(new), Err(ChangeCustomerError::ExternalIdTaken { .. })) = (new_of(&mut command), &answer) {
                new.external_id = crate::customer::ExternalId::new(another).unwrap();
                let _ = now(store.change(scope, command));
            }
            answer
        });
    }),
    ("ignores taxes", |wrong| {
        changing(wrong, |store, scope, mut command| {
            if let Some(new) = new_of(&mut command) {
                new.taxes = TaxChoice::Overrides(TaxRateOverrides::new(vec![]).unwrap());
            }
            now(store.change(scope, command))
        });
    }),
    ("always copies the defaults", |wrong| {
        changing(wrong, |store, scope, mut command| {
            if let Some(new) = new_of(&mut command) {
                new.taxes = TaxChoice::Defaults;
            }
            now(store.change(scope, command))
        });
    }),
    ("copies defaults of all environments, and archived ones", |wrong| {
        let (store, seen) = (wrong.store.clone(), wrong.seen.clone());
        wrong.customers.expect_change().returning(move |scope, command| {
            seen.note(scope);
            let mut changed = now(store.change(scope, command.clone()))?;
            if matches!(command.change, CustomerChange::Create(_)) {
                let mut defaults = Vec::new();
                seen.find(|scope| {
                    for status in [Status::Published, Status::Archived] {
                        let filter = TaxAssociationFilter { status, ..TaxAssociationFilter::of(TaxedEntity::Tenant) };
                        let found = store.associations(&scope, &filter, PageRequest::whole());
                        defaults.extend(now(found).unwrap().items);
                    }
                    None::<()>
                });
                let facts = CustomerFacts { taxes: TaxFacts { defaults, ..TaxFacts::default() }, ..Default::default() };
                if let Ok(decision) = command.decide(scope, &facts) {
                    changed.event = decision.event;
                }
            }
            Ok(changed)
        });
    }),
    ("checks the external id before it decides", |wrong| {
        changing(wrong, |store, scope, mut command| {
            if let Some(new) = new_of(&mut command)
                && let Some(found) = now(store.find_by_external_id(scope, &new.external_id))?
            {
                return Err(ChangeCustomerError::ExternalIdTaken { existing: found.customer.id });
            }
            now(store.change(scope, command))
        });
    }),
    ("makes changes that it refuses", |wrong| {
        changing(wrong, |store, scope, command| {
            let answer = now(store.change(scope, command.clone()));
            if let (Err(_), CustomerChange::Amend(id, _)) = (&answer, command.change) {
                let name = Patch::Set(CustomerName::new("touched").unwrap());
                let touch = CustomerUpdate { name, ..CustomerUpdate::default() };
                let touch = crate::customer::Amendment::Update(Box::new(touch));
                let touch = ChangeCustomer::new(CustomerChange::Amend(id, touch), command.stamp);
                let _ = now(store.change(scope, touch));
            }
            answer
        });
    }),
    ("gives an external id to a second customer", |wrong| {
        changing(wrong, |store, scope, command| {
            let answer = now(store.change(scope, command.clone()));
            match (&answer, command.change.clone()) {
                (Err(ChangeCustomerError::ExternalIdTaken { .. }), CustomerChange::Amend(id, _)) => {
                    let history = now(store.history(scope, id, PageRequest::whole()))?;
                    let state = history.items.last().map(|event| event.state.clone());
                    let facts = CustomerFacts { current: state, ..CustomerFacts::default() };
                    let event = command.decide(scope, &facts)?.event;
                    Ok(CustomerChanged { event, replayed: false })
                }
                _ => answer,
            }
        });
    }),
];
