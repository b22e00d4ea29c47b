//! The members that taxes in time need.

use super::{is_golden, time};
use crate::{
    customer::ArchivedTerm,
    tax::{
        Percentage, ReplacedValue, StatusSwitch, TaxAssociation, TaxBehavior, TaxRate, TaxRateChange, TaxRateHistory,
        TaxRateStatus, TaxValue,
    },
    testkit::{a_customer, a_scope, a_tax_default, a_tax_rate, a_time, an_id},
};

#[test]
fn the_history_of_a_rate() {
    let value = |percent| TaxValue::Percentage(Percentage::new(percent).unwrap());
    let change = |number, seconds, percent| TaxRateChange {
        id: an_id(number),
        effective_from: time(seconds),
        value: value(percent),
        created_at: a_time(),
        created_by: a_scope().actor,
    };
    let history = TaxRateHistory {
        changes: vec![change(1, 10, "16"), change(2, 20, "19")],
        replaced: vec![ReplacedValue { value: value("7.5"), until: time(5) }],
        switches: vec![
            StatusSwitch { at: time(1), to: TaxRateStatus::Inactive },
            StatusSwitch { at: time(2), to: TaxRateStatus::Active },
        ],
        reported: None,
    };
    is_golden("tax_rate.v1.changed", &TaxRate { history: history.clone(), ..a_tax_rate("VAT") });
    let history = TaxRateHistory { reported: Some(time(10)), ..history };
    is_golden("tax_rate.v1.reported", &TaxRate { history, ..a_tax_rate("VAT") });
}

#[test]
fn the_behavior_of_an_association() {
    let inclusive = TaxAssociation { behavior: Some(TaxBehavior::Inclusive), ..a_tax_default(&a_tax_rate("VAT")) };
    is_golden("tax_association.v1.inclusive", &inclusive);
}

#[test]
fn the_periods_in_which_a_customer_was_archived() {
    let mut acme = a_customer("acme").existing();
    acme.archived_terms =
        vec![ArchivedTerm { from: time(1), until: Some(time(2)) }, ArchivedTerm { from: time(3), until: None }];
    is_golden("customer.v1.restored", &acme);
}
