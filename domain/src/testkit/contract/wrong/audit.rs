//! Wrong audit logs.

use super::{Fault, Wrong, now};
use crate::audit::{AuditEntry, AuditLog, AuditQuery};

pub(super) fn pass_on(wrong: &mut Wrong) {
    let store = wrong.store.clone();
    wrong.audit.expect_entries().returning(move |scope, query| now(store.entries(scope, query)));
    let store = wrong.store.clone();
    wrong.audit.expect_count_uses().returning(move |scope, uses| now(store.count_uses(scope, uses)));
    let store = wrong.store.clone();
    wrong
        .audit
        .expect_forget_addresses()
        .returning(move |scope, before, limit| now(store.forget_addresses(scope, before, limit)));
}

pub(super) const FAULTS: &[(&str, Fault)] = &[
    ("keeps no audit log", |wrong| {
        wrong.audit.expect_entries().returning(|_, _| Ok(Vec::new()));
    }),
    ("writes each entry twice", |wrong| {
        let store = wrong.store.clone();
        wrong.audit.expect_entries().returning(move |scope, query| {
            Ok(now(store.entries(scope, query))?.into_iter().flat_map(|entry| [entry.clone(), entry]).collect())
        });
    }),
    ("returns the newest entries on every page", |wrong| {
        let store = wrong.store.clone();
        wrong
            .audit
            .expect_entries()
            .returning(move |scope, query| now(store.entries(scope, AuditQuery { before: None, ..query })));
    }),
    ("returns another environment's audit log", |wrong| {
        let (store, seen) = (wrong.store.clone(), wrong.seen.clone());
        wrong.audit.expect_entries().returning(move |_, query| {
            let of = |scope| Some(now(store.entries(&scope, query)).unwrap()).filter(|found| !found.is_empty());
            Ok(seen.find(of).unwrap_or_default())
        });
    }),
    ("counts no refused uses", |wrong| {
        wrong.audit.expect_count_uses().returning(|_, _| Ok(()));
    }),
    ("removes more than the addresses", |wrong| {
        let store = wrong.store.clone();
        wrong.audit.expect_entries().returning(move |scope, query| {
            let found = now(store.entries(scope, query))?.into_iter();
            let forgetful = |entry: AuditEntry| match entry.address {
                Some(_) => entry,
                None => AuditEntry { request_id: None, ..entry },
            };
            Ok(found.map(forgetful).collect())
        });
    }),
];
