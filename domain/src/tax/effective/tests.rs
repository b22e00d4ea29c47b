use proptest::{collection::vec, option, prelude::*, sample::select};

use super::*;
use crate::{
    ids::{Id, Kind, TaxAssociationId},
    lifecycle::Audit,
    tax::{Percentage, Priority, TaxRateCode, TaxRateStatus, TaxValue, TaxedEntity},
    tenancy::Actor,
    testkit::{a_tax_default, a_tax_rate},
};

fn time(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros).unwrap()
}

fn id<K: Kind>(number: u128) -> Id<K> {
    Id::from_uuid(uuid::Uuid::from_u128(number))
}

fn currency(code: &str) -> CurrencyCode {
    CurrencyCode::new(code).unwrap()
}

fn audit() -> Audit {
    Audit::created(time(0), &Actor::system())
}

fn rate(number: u128, rate_status: TaxRateStatus, status: Status) -> TaxRate {
    let (code, audit) = (TaxRateCode::new(format!("T{number}")).unwrap(), audit());
    TaxRate { id: id(number), code, rate_status, status, audit, ..a_tax_rate("T") }
}

/// A customer's association that always applies automatically, in any currency.
fn own(number: u128, rate_id: u128) -> TaxAssociation {
    let (entity, start, audit) = (TaxedEntity::Customer(id(0)), time(0), audit());
    TaxAssociation { id: id(number), tax_rate_id: id(rate_id), entity, start, audit, ..a_tax_default(&a_tax_rate("T")) }
}

fn default(number: u128, rate: u128) -> TaxAssociation {
    TaxAssociation { entity: TaxedEntity::Tenant, ..own(number, rate) }
}

fn priority(number: i64) -> Priority {
    Priority::new(number).unwrap()
}

fn active(numbers: impl IntoIterator<Item = u128>) -> Vec<TaxRate> {
    numbers.into_iter().map(|number| rate(number, TaxRateStatus::Active, Status::Published)).collect()
}

fn applied(taxes: &EffectiveTaxes) -> Vec<TaxAssociationId> {
    taxes.applied.iter().map(|tax| tax.association.id).collect()
}

fn passed_over(taxes: &EffectiveTaxes) -> Vec<(TaxAssociationId, PassedOver)> {
    taxes.passed_over.iter().map(|tax| (tax.association.id, tax.reason)).collect()
}

#[test]
fn each_reason_is_reported() {
    let mut rates = active([1]);
    rates.push(rate(2, TaxRateStatus::Inactive, Status::Published));
    rates.push(rate(3, TaxRateStatus::Active, Status::Archived));
    let associations = vec![
        own(1, 1),
        own(2, 2),
        own(3, 3),
        own(4, 4),
        TaxAssociation { currency: Some(currency("USD")), ..own(5, 1) },
        TaxAssociation { start: time(11), ..own(6, 1) },
        TaxAssociation { end: Some(time(10)), ..own(7, 1) },
        TaxAssociation { auto_apply: false, ..own(8, 1) },
        TaxAssociation { priority: priority(1), ..own(9, 1) },
        TaxAssociation { status: Status::Deleted, ..own(10, 1) },
    ];
    let basis = TaxBasis { own: Some(associations), defaults: vec![default(20, 1)], rates, ..TaxBasis::default() };
    let taxes = basis.effective(currency("eur"), time(10));
    assert_eq!(applied(&taxes), [id(1)]);
    assert_eq!(
        passed_over(&taxes),
        [
            (id(2), PassedOver::Inactive),
            (id(3), PassedOver::Inactive),
            (id(4), PassedOver::Inactive),
            (id(5), PassedOver::Currency),
            (id(6), PassedOver::NotStarted),
            (id(7), PassedOver::Ended),
            (id(8), PassedOver::NotAutomatic),
            (id(10), PassedOver::Removed),
            (id(20), PassedOver::CustomerOverDefault),
            (id(9), PassedOver::Priority),
        ]
    );
    assert_eq!(taxes.passed_over.last().unwrap().outranked_by, Some(id(1)));
}

#[test]
fn terms_begin_at_their_start_and_end_before_their_end() {
    let basis = TaxBasis {
        own: Some(vec![TaxAssociation { start: time(10), end: Some(time(20)), ..own(1, 1) }]),
        rates: active([1]),
        ..TaxBasis::default()
    };
    let applies = |at: i64| !basis.effective(currency("EUR"), time(at)).applied.is_empty();
    assert_eq!([9, 10, 19, 20].map(applies), [false, true, true, false]);
}

#[test]
fn among_associations_of_one_rate_priority_decides_then_the_currency_then_age() {
    let euro = Some(currency("EUR"));
    for (one, other) in [
        (
            TaxAssociation { priority: priority(1), ..own(2, 1) },
            TaxAssociation { priority: priority(2), currency: euro, ..own(1, 1) },
        ),
        (TaxAssociation { currency: euro, ..own(2, 1) }, own(1, 1)),
        (own(1, 1), own(2, 1)),
    ] {
        let (first, second) = (one.id, other.id);
        let basis = TaxBasis { own: Some(vec![other, one]), rates: active([1]), ..TaxBasis::default() };
        let taxes = basis.effective(currency("EUR"), time(5));
        assert_eq!((applied(&taxes), passed_over(&taxes)), (vec![first], vec![(second, PassedOver::Priority)]));
    }
}

#[test]
fn an_association_that_does_not_apply_does_not_outrank_others() {
    let hindered = TaxAssociation { currency: Some(currency("USD")), ..own(1, 1) };
    let other = TaxAssociation { priority: priority(9), ..own(2, 1) };
    let basis = TaxBasis { own: Some(vec![hindered, other]), rates: active([1]), ..TaxBasis::default() };
    assert_eq!(applied(&basis.effective(currency("EUR"), time(5))), [id(2)]);
}

#[test]
fn a_customer_without_taxes_has_none_and_a_future_customer_has_the_defaults() {
    let basis = |own| TaxBasis { own, defaults: vec![default(1, 1)], rates: active([1]), ..TaxBasis::default() };
    let none = basis(Some(vec![])).effective(currency("EUR"), time(5));
    assert_eq!((applied(&none), passed_over(&none)), (vec![], vec![(id(1), PassedOver::CustomerOverDefault)]));
    assert_eq!(applied(&basis(None).effective(currency("EUR"), time(5))), [id(1)]);
}

const CURRENCIES: [&str; 3] = ["EUR", "usd", "JPY"];

fn any_association(is_default: bool) -> impl Strategy<Value = TaxAssociation> {
    let terms =
        (0..4_u128, 0..3_i64, any::<bool>(), option::of(select(&CURRENCIES[..])), 0..10_i64, option::of(1..10_i64));
    (terms, select(Status::ALL)).prop_map(move |((rate, rank, auto_apply, code, start, length), status)| {
        TaxAssociation {
            priority: priority(rank),
            auto_apply,
            currency: code.map(currency),
            start: time(start),
            end: length.map(|length| time(start + length)),
            status,
            ..if is_default { default(0, rate) } else { own(0, rate) }
        }
    })
}

fn any_basis() -> impl Strategy<Value = TaxBasis> {
    let rates = vec((select(TaxRateStatus::ALL), select(Status::ALL)), 3);
    (option::of(vec(any_association(false), 0..8)), vec(any_association(true), 0..5), rates).prop_map(
        |(mut own, mut defaults, rates)| {
            // Every association has its own id.
            let all = own.iter_mut().flatten().chain(&mut defaults);
            for (number, association) in all.enumerate() {
                association.id = id(number as u128 + 1);
            }
            let rates = (0..).zip(rates).map(|(number, (rate_status, status))| rate(number, rate_status, status));
            TaxBasis { own, defaults, rates: rates.collect(), ..TaxBasis::default() }
        },
    )
}

proptest! {
    #[test]
    fn every_association_and_published_default_is_told_once_and_no_rate_applies_twice(
        basis in any_basis(), code in select(&CURRENCIES[..]), at in 0..20_i64,
    ) {
        let (code, at) = (currency(code), time(at));
        let taxes = basis.effective(code, at);
        let mut told: Vec<_> = applied(&taxes);
        told.extend(taxes.passed_over.iter().map(|tax| tax.association.id));
        told.sort_unstable();
        let defaults = basis.defaults.iter().filter(|one| one.status == Status::Published);
        let mut wanted: Vec<_> = basis.own.iter().flatten().chain(defaults).map(|one| one.id).collect();
        wanted.sort_unstable();
        prop_assert_eq!(told, wanted);

        let mut rates: Vec<_> = taxes.applied.iter().map(|tax| tax.rate.id).collect();
        rates.sort_unstable();
        rates.dedup();
        prop_assert_eq!(rates.len(), taxes.applied.len());

        for AppliedTax { association, rate, .. } in &taxes.applied {
            prop_assert_eq!(association.tax_rate_id, rate.id);
            prop_assert!(rate.is_charged_at(at));
            prop_assert!(association.currency.is_none_or(|own| own == code));
            prop_assert!(association.start <= at && association.end.is_none_or(|end| at < end));
            prop_assert!(association.auto_apply);
            prop_assert_eq!(association.entity == TaxedEntity::Tenant, basis.own.is_none());
        }
        prop_assert!(taxes.applied.is_sorted_by_key(|tax| (tax.association.priority, tax.association.id)));
    }

    #[test]
    fn whoever_is_outranked_would_apply_alone_and_whoever_outranks_applies(basis in any_basis(), at in 0..20_i64) {
        let taxes = basis.effective(currency("EUR"), time(at));
        for tax in &taxes.passed_over {
            prop_assert_eq!(tax.outranked_by.is_some(), tax.reason == PassedOver::Priority);
            let Some(by) = tax.outranked_by else { continue };
            let winner = taxes.applied.iter().find(|tax| tax.association.id == by).unwrap();
            prop_assert!(winner.association.priority <= tax.association.priority);
            let alone = vec![tax.association.clone()];
            let alone = TaxBasis { own: Some(alone), rates: basis.rates.clone(), ..TaxBasis::default() };
            prop_assert_eq!(applied(&alone.effective(currency("EUR"), time(at))), vec![tax.association.id]);
        }
    }

    #[test]
    fn an_end_or_a_change_alters_no_answer_about_a_time_before_it(
        basis in any_basis(), which in 0..3_usize, (from, at) in (1..20_i64).prop_flat_map(|from| (Just(from), 0..from)),
    ) {
        let told = |basis: &TaxBasis| -> Vec<_> {
            let taxes = basis.effective(currency("EUR"), time(at));
            taxes.applied.iter().map(|tax| (tax.association.id, tax.rate.value)).collect()
        };
        let before = told(&basis);
        let mut later = basis.clone();
        if let Some(rate) = later.rates.get_mut(which) {
            let id = id(7);
            let value = TaxValue::Percentage(Percentage::new("7").unwrap());
            let (effective_from, created_by) = (time(from), Actor::system());
            let change = crate::tax::TaxRateChange { id, effective_from, value, created_at: time(from), created_by };
            rate.history.changes.push(change);
        }
        prop_assert_eq!(told(&later), before.clone());
        if let Some(rate) = later.rates.get_mut((which + 1) % 3).filter(|rate| rate.status == Status::Published) {
            let to = rate.rate_status.opposite();
            rate.history.switches.push(crate::tax::StatusSwitch { at: time(from), to });
            rate.rate_status = to;
        }
        prop_assert_eq!(told(&later), before.clone());
        for association in later.own.iter_mut().flatten().filter(|one| one.status == Status::Published).take(1) {
            association.status = Status::Deleted;
            association.audit.touch(time(from), &Actor::system());
        }
        prop_assert_eq!(told(&later), before.clone());
        later.archived.push(ArchivedTerm { from: time(from), until: None });
        prop_assert_eq!(told(&later), before);
    }

    #[test]
    fn the_order_of_what_is_given_does_not_matter(basis in any_basis(), at in 0..20_i64) {
        let mut other = basis.clone();
        other.own.iter_mut().for_each(|own| own.reverse());
        other.defaults.reverse();
        other.rates.reverse();
        prop_assert_eq!(basis.effective(currency("EUR"), time(at)), other.effective(currency("EUR"), time(at)));
    }
}
