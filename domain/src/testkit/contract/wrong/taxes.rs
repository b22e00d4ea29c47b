//! Wrong stores of taxes.

use super::{Fault, Wrong, committing, first, now, reversed, whole};
use crate::{
    event::TaxRateEvent,
    idempotency::{Done, IdempotencyClaim},
    lifecycle::Status,
    page::{Page, PageRequest},
    tax::{
        ChangeTaxRateError, CreateTaxDefaultError, CreateTaxRateError, CurrencyCode, FixedAmount, TaxAssociation,
        TaxAssociationFilter, TaxRate, TaxRateCode, TaxRateFacts, TaxRateFilter, TaxRateScope, TaxRateStatus,
        TaxRepository, TaxValue, TaxedEntities,
    },
    tenancy::EnvironmentScope,
    testkit::MemoryStore,
};

pub(super) fn pass_on(wrong: &mut Wrong) {
    let (store, seen) = (wrong.store.clone(), wrong.seen.clone());
    wrong.taxes.expect_create_rate().returning(move |scope, rate, claim| {
        seen.note(scope);
        now(store.create_rate(scope, rate, claim))
    });
    let store = wrong.store.clone();
    wrong.taxes.expect_find_rate().returning(move |scope, id| now(store.find_rate(scope, id)));
    let store = wrong.store.clone();
    wrong.taxes.expect_rates().returning(move |scope, filter, page| now(store.rates(scope, filter, page)));
    let store = wrong.store.clone();
    wrong
        .taxes
        .expect_change_rate()
        .returning(move |scope, command, claim| now(store.change_rate(scope, command, claim)));
    let store = wrong.store.clone();
    wrong
        .taxes
        .expect_begin_changes()
        .returning(move |scope, at, ids, limit| now(store.begin_changes(scope, at, ids, limit)));
    let store = wrong.store.clone();
    wrong
        .taxes
        .expect_create_default()
        .returning(move |scope, one, claim| now(store.create_default(scope, one, claim)));
    let store = wrong.store.clone();
    wrong
        .taxes
        .expect_change_default()
        .returning(move |scope, command, claim| now(store.change_default(scope, command, claim)));
    let store = wrong.store.clone();
    wrong.taxes.expect_find_association().returning(move |scope, id| now(store.find_association(scope, id)));
    let store = wrong.store.clone();
    wrong
        .taxes
        .expect_associations()
        .returning(move |scope, filter, page| now(store.associations(scope, filter, page)));
    let store = wrong.store.clone();
    wrong.taxes.expect_basis().returning(move |scope, id, known| now(store.basis(scope, id, known)));
}

fn finding(wrong: &mut Wrong, spoil: fn(TaxRate) -> Option<TaxRate>) {
    let store = wrong.store.clone();
    wrong.taxes.expect_find_rate().returning(move |scope, id| Ok(now(store.find_rate(scope, id))?.and_then(spoil)));
}

fn rates(store: &MemoryStore, scope: &EnvironmentScope, filter: &TaxRateFilter) -> Vec<TaxRate> {
    whole(now(store.rates(scope, filter, PageRequest::whole())).unwrap())
}

type Claim = Option<IdempotencyClaim>;
type Create = fn(&MemoryStore, &EnvironmentScope, TaxRateEvent, Claim) -> Result<Done<TaxRate>, CreateTaxRateError>;

fn creating(wrong: &mut Wrong, create: Create) {
    let (store, seen) = (wrong.store.clone(), wrong.seen.clone());
    wrong.taxes.expect_create_rate().returning(move |scope, rate, claim| {
        seen.note(scope);
        create(&store, scope, rate, claim)
    });
}

type CreateDefault =
    fn(&MemoryStore, &EnvironmentScope, TaxAssociation, Claim) -> Result<Done<TaxAssociation>, CreateTaxDefaultError>;

fn creating_defaults(wrong: &mut Wrong, create: CreateDefault) {
    let store = wrong.store.clone();
    wrong.taxes.expect_create_default().returning(move |scope, one, claim| create(&store, scope, one, claim));
}

pub(super) const FAULTS: &[(&str, Fault)] = &[
    ("writes rates that a dry run only asks for", |wrong| {
        let store = wrong.store.clone();
        wrong
            .taxes
            .expect_create_rate()
            .returning(move |scope, rate, claim| now(store.create_rate(&committing(scope), rate, claim)));
    }),
    ("rounds the value of a rate", |wrong| {
        finding(wrong, |rate| {
            let value = TaxValue::Fixed(FixedAmount::new("1").unwrap());
            Some(TaxRate { value, scope: TaxRateScope::Onetime, ..rate })
        });
    }),
    ("finds any rate for an unknown id", |wrong| {
        let store = wrong.store.clone();
        wrong.taxes.expect_find_rate().returning(move |scope, id| {
            let found = now(store.find_rate(scope, id))?;
            Ok(found.or_else(|| rates(&store, scope, &TaxRateFilter::default()).pop()))
        });
    }),
    ("finds only published rates", |wrong| {
        finding(wrong, |rate| (rate.status == Status::Published).then_some(rate));
    }),
    ("finds rates of any environment", |wrong| {
        let (store, seen) = (wrong.store.clone(), wrong.seen.clone());
        wrong
            .taxes
            .expect_find_rate()
            .returning(move |_, id| Ok(seen.find(|scope| now(store.find_rate(&scope, id)).unwrap())));
        let (store, seen) = (wrong.store.clone(), wrong.seen.clone());
        wrong.taxes.expect_rates().returning(move |scope, filter, page| {
            let own = now(store.rates(scope, filter, page))?;
            let found = seen
                .find(|scope| Some(now(store.rates(&scope, filter, page)).unwrap()).filter(|found| found.total > 0));
            Ok(if own.total == 0 { found.unwrap_or(own) } else { own })
        });
        let (store, seen) = (wrong.store.clone(), wrong.seen.clone());
        wrong.taxes.expect_associations().returning(move |scope, filter, page| {
            let own = now(store.associations(scope, filter, page))?;
            let found = seen.find(|scope| {
                Some(now(store.associations(&scope, filter, page)).unwrap()).filter(|found| found.total > 0)
            });
            Ok(if own.total == 0 { found.unwrap_or(own) } else { own })
        });
    }),
    ("changes rates and defaults of any environment", |wrong| {
        let (store, seen) = (wrong.store.clone(), wrong.seen.clone());
        wrong.taxes.expect_change_rate().returning(move |scope, command, claim| {
            let answer = now(store.change_rate(scope, command.clone(), claim.clone()));
            let elsewhere = || seen.find(|scope| now(store.change_rate(&scope, command.clone(), claim.clone())).ok());
            if answer == Err(ChangeTaxRateError::Unknown) { elsewhere().map_or(answer, Ok) } else { answer }
        });
        let (store, seen) = (wrong.store.clone(), wrong.seen.clone());
        wrong.taxes.expect_change_default().returning(move |scope, command, claim| {
            let answer = now(store.change_default(scope, command.clone(), claim.clone()));
            let elsewhere =
                || seen.find(|scope| now(store.change_default(&scope, command.clone(), claim.clone())).ok());
            if answer.is_err() { elsewhere().map_or(answer, Ok) } else { answer }
        });
    }),
    ("returns success for a second rate with a code", |wrong| {
        creating(wrong, |store, scope, rate, claim| match now(store.create_rate(scope, rate.clone(), claim)) {
            Err(CreateTaxRateError::CodeTaken { .. }) => Ok(Done::now(rate.state)),
            other => other,
        });
    }),
    ("keeps codes in lower case", |wrong| {
        creating(wrong, |store, scope, rate, claim| {
            let code = TaxRateCode::new(rate.state.code.as_str().to_lowercase()).unwrap();
            now(store.create_rate(scope, TaxRateEvent { state: TaxRate { code, ..rate.state }, ..rate }, claim))
        });
    }),
    ("allows a code once in all environments, archived rates included", |wrong| {
        let (store, seen) = (wrong.store.clone(), wrong.seen.clone());
        wrong.taxes.expect_create_rate().returning(move |scope, rate, claim| {
            seen.note(scope);
            let of = |scope: &EnvironmentScope, status| {
                let codes = Some(vec![rate.state.code.clone()]);
                rates(&store, scope, &TaxRateFilter { codes, status, ..TaxRateFilter::default() }).pop()
            };
            let taken = of(scope, None).or_else(|| seen.find(|scope| of(&scope, Some(Status::Published))));
            match taken {
                Some(taken) => Err(CreateTaxRateError::CodeTaken { existing: taken.id }),
                None => now(store.create_rate(scope, rate, claim)),
            }
        });
    }),
    ("writes into the environment of the value", |wrong| {
        creating(wrong, |store, scope, rate, claim| {
            let scope = EnvironmentScope { owner: rate.state.owner, ..scope.clone() };
            now(store.create_rate(&scope, rate, claim))
        });
        creating_defaults(wrong, |store, scope, one, claim| {
            let scope = EnvironmentScope { owner: one.owner, ..scope.clone() };
            now(store.create_default(&scope, one, claim))
        });
    }),
    ("ignores filters, order and pages of rates and associations", |wrong| {
        let store = wrong.store.clone();
        wrong.taxes.expect_rates().returning(move |scope, _, page| {
            let all = TaxRateFilter { status: None, ..TaxRateFilter::default() };
            Ok(reversed(now(store.rates(scope, &all, first(page)))?))
        });
        let store = wrong.store.clone();
        wrong.taxes.expect_associations().returning(move |scope, _, page| {
            let all = TaxAssociationFilter { entities: TaxedEntities::All, ..TaxAssociationFilter::default() };
            Ok(reversed(now(store.associations(scope, &all, first(page)))?))
        });
    }),
    ("lists archived associations", |wrong| {
        let store = wrong.store.clone();
        wrong.taxes.expect_associations().returning(move |scope, filter, page| {
            let mut all = whole(now(store.associations(scope, filter, PageRequest::whole()))?);
            let filter = TaxAssociationFilter { status: Status::Archived, ..filter.clone() };
            all.extend(whole(now(store.associations(scope, &filter, PageRequest::whole()))?));
            Ok(Page::cut(all, page))
        });
    }),
    ("returns a change that it does not write", |wrong| {
        let store = wrong.store.clone();
        wrong.taxes.expect_change_rate().returning(move |scope, command, _| {
            let current = now(store.find_rate(scope, command.id))?;
            let event = command.decide(scope, &TaxRateFacts::new(current, false, None))?;
            Ok(Done::now(event.state))
        });
        let store = wrong.store.clone();
        wrong.taxes.expect_change_default().returning(move |scope, command, _| {
            let current = now(store.find_association(scope, command.id))?;
            command.decide(scope, current.as_ref(), &[]).map(Done::now)
        });
    }),
    ("counts removed associations as uses of a rate", |wrong| {
        let store = wrong.store.clone();
        wrong.taxes.expect_change_rate().returning(move |scope, command, claim| {
            let current = now(store.find_rate(scope, command.id))?;
            let facts = TaxRateFacts::new(current, true, None);
            command.clone().decide(scope, &facts)?;
            now(store.change_rate(scope, command, claim))
        });
    }),
    ("returns success for a repeated default or one with an unknown rate", |wrong| {
        creating_defaults(wrong, |store, scope, one, claim| {
            match now(store.create_default(scope, one.clone(), claim)) {
                Err(CreateTaxDefaultError::AlreadyAssociated { .. } | CreateTaxDefaultError::UnknownRate) => {
                    Ok(Done::now(one))
                }
                other => other,
            }
        });
    }),
    ("keeps currencies in upper case, and no currency as euros", |wrong| {
        creating_defaults(wrong, |store, scope, one, claim| {
            let code = one.currency.as_ref().map_or("EUR", CurrencyCode::as_str).to_uppercase();
            let currency = Some(CurrencyCode::new(&code).unwrap());
            now(store.create_default(scope, TaxAssociation { currency, ..one }, claim))
        });
    }),
    ("lets archived defaults and customers' associations prevent a default", |wrong| {
        creating_defaults(wrong, |store, scope, one, claim| {
            for status in [Status::Archived, Status::Published] {
                let filter = TaxAssociationFilter { status, currency: one.currency, ..TaxAssociationFilter::default() };
                let found = whole(now(store.associations(scope, &filter, PageRequest::whole()))?);
                if let Some(found) = found.into_iter().find(|found| found.tax_rate_id == one.tax_rate_id) {
                    return Err(CreateTaxDefaultError::AlreadyAssociated { existing: found.id });
                }
            }
            now(store.create_default(scope, one, claim))
        });
    }),
    ("forgets inactive rates", |wrong| {
        let store = wrong.store.clone();
        wrong.taxes.expect_basis().returning(move |scope, id, known| {
            let mut basis = now(store.basis(scope, id, known))?;
            if let Some(basis) = &mut basis {
                basis.rates.retain(|rate| rate.rate_status == TaxRateStatus::Active);
            }
            Ok(basis)
        });
    }),
];
