//! Stores that find, list and show customers wrongly.

use super::{Fault, Wrong, first, now, reversed};
use crate::{
    customer::{
        Customer, CustomerRecord, CustomerRepository, MappingFilter,
        query::{CustomerPage, CustomerQuery, CustomerQueryParts},
    },
    integration::ProviderType,
    lifecycle::Status,
    metadata::{JsonObject, Metadata},
    page::{Page, PageRequest},
    tenancy::EnvironmentScope,
    testkit::{MemoryStore, a_time},
    time::Timestamp,
};

/// A store with this look-up, by either id.
fn finding(wrong: &mut Wrong, spoil: fn(CustomerRecord) -> Option<CustomerRecord>) {
    let store = wrong.store.clone();
    wrong.customers.expect_find().returning(move |scope, id| Ok(now(store.find(scope, id))?.and_then(spoil)));
    let store = wrong.store.clone();
    wrong
        .customers
        .expect_find_by_external_id()
        .returning(move |scope, external_id| Ok(now(store.find_by_external_id(scope, external_id))?.and_then(spoil)));
}

fn everybody(store: &MemoryStore, scope: &EnvironmentScope) -> Vec<CustomerRecord> {
    let all = CustomerQuery::new(CustomerQueryParts::default()).unwrap();
    now(store.list(scope, &all)).unwrap().items
}

fn first_metadata(record: &mut CustomerRecord) {
    record.customer.profile.metadata = Metadata::default();
}

fn to_milliseconds(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(at.micros() / 1_000 * 1_000).unwrap_or(at)
}

pub(super) const FAULTS: &[(&str, Fault)] = &[
    ("finds a customer for an unknown id", |wrong| {
        let store = wrong.store.clone();
        wrong.customers.expect_find().returning(move |scope, id| {
            Ok(now(store.find(scope, id))?.or_else(|| everybody(&store, scope).into_iter().next()))
        });
        let store = wrong.store.clone();
        wrong.customers.expect_find_by_external_id().returning(move |scope, external_id| {
            let found = now(store.find_by_external_id(scope, external_id))?;
            Ok(found.or_else(|| everybody(&store, scope).into_iter().next()))
        });
    }),
    ("finds and lists customers of any environment", |wrong| {
        let (store, seen) = (wrong.store.clone(), wrong.seen.clone());
        wrong
            .customers
            .expect_find()
            .returning(move |_, id| Ok(seen.find(|scope| now(store.find(&scope, id)).unwrap())));
        let (store, seen) = (wrong.store.clone(), wrong.seen.clone());
        wrong.customers.expect_history().returning(move |_, id, page| {
            let found =
                seen.find(|scope| Some(now(store.history(&scope, id, page)).unwrap()).filter(|found| found.total > 0));
            Ok(found.unwrap_or(Page { items: vec![], total: 0 }))
        });
        let (store, seen) = (wrong.store.clone(), wrong.seen.clone());
        wrong.customers.expect_mappings().returning(move |_, filter, page| {
            let found = seen
                .find(|scope| Some(now(store.mappings(&scope, filter, page)).unwrap()).filter(|found| found.total > 0));
            Ok(found.unwrap_or(Page { items: vec![], total: 0 }))
        });
        let (store, seen) = (wrong.store.clone(), wrong.seen.clone());
        wrong.customers.expect_list().returning(move |scope, query| {
            let own = now(store.list(scope, query)).unwrap();
            let found = seen
                .find(|scope| Some(now(store.list(&scope, query)).unwrap()).filter(|found| !found.items.is_empty()));
            Ok(if own.items.is_empty() { found.unwrap_or(own) } else { own })
        });
    }),
    ("forgets metadata", |wrong| {
        finding(wrong, |mut record| {
            first_metadata(&mut record);
            Some(record)
        });
    }),
    ("truncates times to milliseconds", |wrong| {
        finding(wrong, |mut record| {
            record.customer.audit.created_at = to_milliseconds(record.customer.audit.created_at);
            Some(record)
        });
    }),
    ("forgets the metadata and the order of mappings", |wrong| {
        finding(wrong, |mut record| {
            record.mappings.reverse();
            record.mappings.iter_mut().for_each(|mapping| mapping.metadata = JsonObject::default());
            Some(record)
        });
    }),
    ("finds archived customers by their external ids", |wrong| {
        let store = wrong.store.clone();
        wrong.customers.expect_find_by_external_id().returning(move |scope, external_id| {
            let found = now(store.find_by_external_id(scope, external_id))?;
            let parts = CustomerQueryParts { status: Some(Status::Archived), ..CustomerQueryParts::default() };
            let all = now(store.list(scope, &CustomerQuery::new(parts).unwrap()))?.items;
            let was_called = |record: &CustomerRecord| {
                let history = now(store.history(scope, record.customer.id, PageRequest::whole())).unwrap();
                history.items.iter().any(|event| event.state.customer.external_id == *external_id)
            };
            Ok(found.or_else(|| all.into_iter().find(was_called)))
        });
    }),
    ("returns the oldest first, and ignores pages", |wrong| {
        let store = wrong.store.clone();
        wrong
            .customers
            .expect_mappings()
            .returning(move |scope, filter, page| Ok(reversed(now(store.mappings(scope, filter, first(page)))?)));
        let store = wrong.store.clone();
        wrong
            .customers
            .expect_history()
            .returning(move |scope, id, page| Ok(reversed(now(store.history(scope, id, first(page)))?)));
    }),
    ("returns only the last event of a history", |wrong| {
        let store = wrong.store.clone();
        wrong.customers.expect_history().returning(move |scope, id, page| {
            let mut history = now(store.history(scope, id, page))?;
            history.items.iter_mut().for_each(|event| event.at = a_time());
            Ok(history)
        });
    }),
    ("returns the mappings of all customers", |wrong| {
        let store = wrong.store.clone();
        wrong.customers.expect_mappings().returning(move |scope, _, page| {
            let all = everybody(&store, scope).into_iter().map(|record| record.customer.id);
            let of = |id| now(store.mappings(scope, &MappingFilter::Customer(id), page)).unwrap().items;
            Ok(Page::cut(all.flat_map(of).collect(), page))
        });
    }),
    ("compares systems case-insensitively", |wrong| {
        let store = wrong.store.clone();
        wrong.customers.expect_mappings().returning(move |scope, filter, page| {
            let mut filter = filter.clone();
            if let MappingFilter::Provider { provider_type, .. } = &mut filter {
                *provider_type = ProviderType::new(provider_type.as_str().to_lowercase()).unwrap();
            }
            now(store.mappings(scope, &filter, page))
        });
    }),
    ("lists without mappings, and from the beginning", |wrong| {
        let store = wrong.store.clone();
        wrong.customers.expect_list().returning(move |scope, query| {
            let mut found = now(store.list(scope, query))?;
            found.items.iter_mut().for_each(|record| record.mappings.clear());
            found.items.reverse();
            found.next = None;
            Ok(found)
        });
    }),
    ("searches the customers' first states", |wrong| {
        let store = wrong.store.clone();
        wrong.customers.expect_list().returning(move |scope, query| {
            let as_created = |record: CustomerRecord| {
                let history = now(store.history(scope, record.customer.id, PageRequest::whole())).unwrap();
                history.items.into_iter().next().unwrap().state.customer
            };
            let all: Vec<_> = everybody(&store, scope).into_iter().map(as_created).collect();
            let found = query.evaluate(&all);
            let record = |customer: &&Customer| CustomerRecord { customer: (*customer).clone(), mappings: vec![] };
            let items = found.items.iter().map(record).collect();
            Ok(CustomerPage { items, total: Some(found.total as u64), next: None })
        });
    }),
];
