//! Wrong stores of custom fields.

use super::{Fault, Wrong, now};
use crate::{
    custom_field::{
        CustomFieldDefinition, CustomFieldDeletion, CustomFieldError, CustomFieldFacts, CustomFieldRepository,
        PurgeCustomField,
    },
    customer::{ChangeCustomerError, CustomerChanged, CustomerFacts, CustomerRepository},
    idempotency::Done,
    tenancy::Quota,
};

pub(super) fn pass_on(wrong: &mut Wrong) {
    let (store, fields) = (&wrong.store, &mut wrong.custom_fields);
    let own = store.clone();
    fields
        .expect_create_custom_field()
        .returning(move |scope, one, quota, claim| now(own.create_custom_field(scope, one, quota, claim)));
    let own = store.clone();
    fields.expect_custom_fields().returning(move |scope| now(own.custom_fields(scope)));
    let own = store.clone();
    fields.expect_custom_field().returning(move |scope, key| now(own.custom_field(scope, key)));
    let own = store.clone();
    fields
        .expect_change_custom_field()
        .returning(move |scope, change, claim| now(own.change_custom_field(scope, change, claim)));
    let own = store.clone();
    fields
        .expect_delete_custom_field()
        .returning(move |scope, delete, claim| now(own.delete_custom_field(scope, delete, claim)));
    let own = store.clone();
    fields.expect_purge_custom_field().returning(move |scope, purge| now(own.purge_custom_field(scope, purge)));
}

pub(super) const FAULTS: &[(&str, Fault)] = &[
    ("loses the options of a definition", |wrong| {
        let store = wrong.store.clone();
        wrong.custom_fields.expect_create_custom_field().returning(move |scope, one, quota, claim| {
            let one = CustomFieldDefinition { options: Default::default(), ..one };
            now(store.create_custom_field(scope, one, quota, claim))
        });
    }),
    ("writes a change that changes nothing", |wrong| {
        let store = wrong.store.clone();
        wrong.custom_fields.expect_change_custom_field().returning(move |scope, change, claim| {
            // It is recorded as another definition.
            if change.update.unique == Some(true) {
                let found = now(store.custom_field(scope, change.key))?.ok_or(CustomFieldError::Unknown)?;
                let other = crate::testkit::a_custom_field("recorded_twice", found.kind);
                let _ = now(store.create_custom_field(scope, other, Quota::UNLIMITED, None));
            }
            now(store.change_custom_field(scope, change, claim))
        });
    }),
    ("shows the definitions of any environment", |wrong| {
        let (store, seen) = (wrong.store.clone(), wrong.seen.clone());
        wrong.custom_fields.expect_create_custom_field().returning(move |scope, one, quota, claim| {
            seen.note(scope);
            now(store.create_custom_field(scope, one, quota, claim))
        });
        let (store, seen) = (wrong.store.clone(), wrong.seen.clone());
        wrong
            .custom_fields
            .expect_custom_field()
            .returning(move |_, key| Ok(seen.find(|scope| now(store.custom_field(&scope, key)).ok().flatten())));
    }),
    ("defines a key twice", |wrong| {
        let store = wrong.store.clone();
        wrong.custom_fields.expect_create_custom_field().returning(move |scope, one, quota, claim| {
            match now(store.create_custom_field(scope, one.clone(), quota, claim)) {
                Err(CustomFieldError::KeyTaken { .. }) => Ok(Done::now(one)),
                answer => answer,
            }
        });
    }),
    ("forgets claims", |wrong| {
        let store = wrong.store.clone();
        wrong
            .custom_fields
            .expect_change_custom_field()
            .returning(move |scope, change, _| now(store.change_custom_field(scope, change, None)));
    }),
    ("checks customers without the definitions", |wrong| {
        let store = wrong.store.clone();
        wrong.customers.expect_change().returning(move |scope, command| {
            match now(CustomerRepository::change(&*store, scope, command.clone())) {
                Err(ChangeCustomerError::Invalid(_)) => {
                    let mut definitions = now(store.custom_fields(scope))?;
                    definitions.iter_mut().for_each(|definition| definition.required = false);
                    let facts = CustomerFacts::default().with_custom_fields(CustomFieldFacts::new(definitions));
                    let event = command.decide(scope, &facts)?.event;
                    Ok(CustomerChanged { event, replayed: false })
                }
                answer => answer,
            }
        });
    }),
    ("lets customers share a unique value", |wrong| {
        let store = wrong.store.clone();
        wrong.custom_fields.expect_create_custom_field().returning(move |scope, one, quota, claim| {
            let stored = CustomFieldDefinition { unique: false, ..one.clone() };
            now(store.create_custom_field(scope, stored, quota, claim)).map(|_| Done::now(one))
        });
    }),
    ("makes fields unique whatever their values are", |wrong| {
        let store = wrong.store.clone();
        wrong.custom_fields.expect_change_custom_field().returning(move |scope, change, claim| {
            match now(store.change_custom_field(scope, change.clone(), claim)) {
                Err(CustomFieldError::Clash { .. }) => {
                    let found = now(store.custom_field(scope, change.key))?.ok_or(CustomFieldError::Unknown)?;
                    change.decide(scope, &found).map(Done::now)
                }
                answer => answer,
            }
        });
    }),
    ("names no customers of a clash, and answers as if it were the same field", |wrong| {
        let store = wrong.store.clone();
        wrong.custom_fields.expect_change_custom_field().returning(move |scope, change, claim| {
            let answer = now(store.change_custom_field(scope, change.clone(), claim));
            let found = now(store.custom_field(scope, change.key))?;
            match (answer, found) {
                (Ok(_), Some(found)) if change.update.unique == Some(true) => {
                    Ok(Done::now(CustomFieldDefinition { unique: false, ..found }))
                }
                (Err(CustomFieldError::Clash { .. }), _) => Err(CustomFieldError::Clash { customers: Vec::new() }),
                (answer, _) => answer,
            }
        });
    }),
    ("becomes unique and forgets it", |wrong| {
        let store = wrong.store.clone();
        wrong.custom_fields.expect_change_custom_field().returning(move |scope, change, _| {
            let found = now(store.custom_field(scope, change.key))?.ok_or(CustomFieldError::Unknown)?;
            change.decide(scope, &found).map(Done::now)
        });
    }),
    ("deletes fields in use", |wrong| {
        let store = wrong.store.clone();
        wrong.custom_fields.expect_delete_custom_field().returning(move |scope, delete, claim| {
            match now(store.delete_custom_field(scope, delete, claim)) {
                Err(CustomFieldError::InUse) => Ok(Done::now(CustomFieldDeletion::Now)),
                answer => answer,
            }
        });
    }),
    ("purges more than it says", |wrong| {
        let store = wrong.store.clone();
        wrong.custom_fields.expect_purge_custom_field().returning(move |scope, purge| {
            let limit = purge.limit;
            let all = PurgeCustomField { limit: u16::MAX, ..purge };
            now(store.purge_custom_field(scope, all)).map(|count| count.min(limit.into()))
        });
    }),
    ("sorts by custom fields as by creation", |wrong| {
        let store = wrong.store.clone();
        wrong.customers.expect_list().returning(move |scope, query| {
            let page = now(CustomerRepository::list(&*store, scope, query))?;
            if query.custom_fields().is_empty() {
                return Ok(page);
            }
            let mut page = page;
            page.items.sort_by_key(|record| record.customer.id);
            Ok(page)
        });
    }),
];
