//! Wrong stores of erasures and of retention.

use super::{Fault, Wrong, committing, now};
use crate::{
    customer::CustomerRepository,
    event::{EventLog, EventRecord},
    privacy::{
        CustomerRetention, DeletionQuery, DeletionRequest, DeletionState, ErasureClaim, NewDeletionRequest,
        PrivacyRepository, PutRetention, RedactionStep, Requested, RetentionStep, StorageKind,
    },
    tenancy::EnvironmentScope,
};

pub(super) fn pass_on(wrong: &mut Wrong) {
    let (store, privacy) = (&wrong.store, &mut wrong.privacy);
    let own = store.clone();
    privacy.expect_request().returning(move |scope, new| now(own.request(scope, new)));
    let own = store.clone();
    privacy.expect_find().returning(move |scope, id| now(PrivacyRepository::find(&*own, scope, id)));
    let own = store.clone();
    privacy.expect_about().returning(move |scope, subject| now(own.about(scope, subject)));
    let own = store.clone();
    privacy.expect_requests().returning(move |scope, query| now(own.requests(scope, query)));
    let own = store.clone();
    privacy.expect_cancel().returning(move |scope, id, cancel| now(own.cancel(scope, id, cancel)));
    let own = store.clone();
    privacy.expect_record().returning(move |scope, id| now(own.record(scope, id)));
    let own = store.clone();
    privacy.expect_personal_data().returning(move |scope, subject| now(own.personal_data(scope, subject)));
    let own = store.clone();
    privacy.expect_claim().returning(move |scope, claim| now(own.claim(scope, claim)));
    let own = store.clone();
    privacy.expect_redact().returning(move |scope, step| now(own.redact(scope, step)));
    let own = store.clone();
    privacy.expect_verify().returning(move |scope, step| now(own.verify(scope, step)));
    privacy.expect_forget().returning(|_| Ok(()));
    privacy.expect_storage().return_const(StorageKind::Other);
    let retention = &mut wrong.customer_retention;
    let own = store.clone();
    retention.expect_setting().returning(move |scope| now(own.setting(scope)));
    let own = store.clone();
    retention.expect_put().returning(move |scope, put| now(CustomerRetention::put(&*own, scope, put)));
    let own = store.clone();
    retention.expect_retained().returning(move |scope, limit| now(own.retained(scope, limit)));
    let own = store.clone();
    retention.expect_settings().returning(move |scope| now(own.settings(scope)));
    let own = store.clone();
    retention.expect_request_old().returning(move |scope, step| now(own.request_old(scope, step)));
    let own = store.clone();
    retention.expect_forget_former_ids().returning(move |scope, step| now(own.forget_former_ids(scope, step)));
}

/// A store that changes requests.
fn requesting(
    wrong: &mut Wrong,
    spoil: fn(EnvironmentScope, NewDeletionRequest) -> (EnvironmentScope, NewDeletionRequest),
) {
    let store = wrong.store.clone();
    wrong.privacy.expect_request().returning(move |scope, new| {
        let (scope, new) = spoil(scope.clone(), new);
        now(store.request(&scope, new))
    });
}

/// A store that changes queries of requests.
fn listing(wrong: &mut Wrong, spoil: fn(DeletionQuery) -> DeletionQuery) {
    let store = wrong.store.clone();
    wrong.privacy.expect_requests().returning(move |scope, query| now(store.requests(scope, spoil(query))));
}

/// A store that changes claims.
fn claiming(wrong: &mut Wrong, spoil: fn(ErasureClaim) -> ErasureClaim) {
    let store = wrong.store.clone();
    wrong.privacy.expect_claim().returning(move |scope, claim| now(store.claim(scope, spoil(claim))));
}

/// A store that changes verified requests.
fn verifying(wrong: &mut Wrong, spoil: fn(&mut DeletionRequest)) {
    let store = wrong.store.clone();
    wrong.privacy.expect_verify().returning(move |scope, step| {
        let mut verified = now(store.verify(scope, step))?;
        verified.iter_mut().for_each(spoil);
        Ok(verified)
    });
}

/// A store that changes the steps of a retention.
fn requesting_old(wrong: &mut Wrong, spoil: fn(RetentionStep) -> RetentionStep) {
    let store = wrong.store.clone();
    wrong
        .customer_retention
        .expect_request_old()
        .returning(move |scope, step| now(store.request_old(scope, spoil(step))));
}

pub(super) const FAULTS: &[(&str, Fault)] = &[
    ("still finds suppressed customers", |wrong| {
        let store = wrong.store.clone();
        let kept = std::sync::Mutex::new(Vec::new());
        wrong.customers.expect_find().returning(move |scope, id| {
            let found = now(CustomerRepository::find(&*store, scope, id))?;
            kept.lock().unwrap().extend(found.clone());
            Ok(found.or_else(|| kept.lock().unwrap().iter().rev().find(|one| one.customer.id == id).cloned()))
        });
        let store = wrong.store.clone();
        wrong.privacy.expect_record().returning(move |scope, id| {
            // It says that a suppressed customer is there.
            let about = now(store.about(scope, crate::privacy::NamedSubject::Id(id)))?;
            let any = now(store.record(scope, id))?;
            Ok(any.or_else(|| about.map(|_| a_record())))
        });
    }),
    ("forgets the external ids of suppressed customers", |wrong| {
        let store = wrong.store.clone();
        wrong.customers.expect_change().returning(move |scope, command| {
            use crate::customer::{ChangeCustomerError, CustomerChange};
            let mut again = command.clone();
            match now(store.change(scope, command)) {
                Err(ChangeCustomerError::ErasedSubject) => {
                    if let CustomerChange::Create(new) = &mut again.change {
                        new.confirm_new_subject = true;
                    }
                    now(store.change(scope, again))
                }
                changed => changed,
            }
        });
    }),
    ("says that every request is new", |wrong| {
        let store = wrong.store.clone();
        wrong
            .privacy
            .expect_request()
            .returning(move |scope, new| Ok(Requested { is_new: true, ..now(store.request(scope, new))? }));
    }),
    ("suppresses customers on legal hold", |wrong| {
        let store = wrong.store.clone();
        wrong.privacy.expect_request().returning(move |scope, new| match now(store.request(scope, new)) {
            Err(crate::privacy::PrivacyError::Blocked(_)) => Err(crate::privacy::PrivacyError::UnknownCustomer),
            other => other,
        });
    }),
    ("commits dry runs of requests", |wrong| requesting(wrong, |scope, new| (committing(&scope), new))),
    ("does not show a customer again", |wrong| {
        let store = wrong.store.clone();
        wrong.privacy.expect_cancel().returning(move |scope, id, _| {
            let found = now(PrivacyRepository::find(&*store, scope, id))?;
            let found = found.ok_or(crate::privacy::PrivacyError::UnknownRequest)?;
            Ok(DeletionRequest { state: DeletionState::Cancelled, ..found })
        });
    }),
    ("shows requests to other environments", |wrong| {
        let (store, seen) = (wrong.store.clone(), wrong.seen.clone());
        let noted = seen.clone();
        let own = store.clone();
        wrong.privacy.expect_request().returning(move |scope, new| {
            noted.note(scope);
            now(own.request(scope, new))
        });
        wrong
            .privacy
            .expect_find()
            .returning(move |_, id| Ok(seen.find(|scope| now(PrivacyRepository::find(&*store, &scope, id)).unwrap())));
    }),
    ("lists requests in any state", |wrong| listing(wrong, |query| DeletionQuery { state: None, ..query })),
    ("returns the newest requests on every page", |wrong| {
        listing(wrong, |query| DeletionQuery { before: None, ..query });
    }),
    ("leases requests to several holders", |wrong| {
        claiming(wrong, |claim| ErasureClaim { until: claim.now, ..claim });
    }),
    ("redacts and completes for any holder", |wrong| {
        let store = wrong.store.clone();
        let of_one = |step: RedactionStep| RedactionStep { holder: "one".to_owned(), ..step };
        wrong.privacy.expect_redact().returning(move |scope, step| now(store.redact(scope, of_one(step))));
        let store = wrong.store.clone();
        wrong.privacy.expect_verify().returning(move |scope, step| now(store.verify(scope, of_one(step))));
    }),
    ("completes requests with data left", |wrong| {
        verifying(wrong, |request| request.state = DeletionState::Completed);
    }),
    ("forgets what it has redacted", |wrong| {
        verifying(wrong, |request| request.counts.iter_mut().for_each(|count| count.redacted = 0));
    }),
    ("keeps the states of erased customers in the log", |wrong| {
        let store = wrong.store.clone();
        let kept = std::sync::Mutex::new(Vec::<EventRecord>::new());
        wrong.events.expect_history().returning(move |scope, entity, page| {
            let mut found = now(EventLog::history(&*store, scope, entity, page))?;
            let mut kept = kept.lock().unwrap();
            for event in &mut found.items {
                match kept.iter().find(|one| one.id == event.id) {
                    Some(first) => event.state = event.state.clone().or(first.state.clone()),
                    None => kept.push(event.clone()),
                }
                if event.state.is_none() {
                    event.state = kept.iter().find_map(|one| one.state.clone());
                }
            }
            Ok(found)
        });
    }),
    ("writes a retention that changes nothing", |wrong| {
        let store = wrong.store.clone();
        wrong.customer_retention.expect_put().returning(move |scope, put| {
            let mut setting = now(CustomerRetention::put(&*store, scope, put.clone()))?;
            setting.audit.advance(put.at, &scope.actor);
            Ok(setting)
        });
    }),
    ("keeps empty retentions", |wrong| {
        let store = wrong.store.clone();
        wrong.customer_retention.expect_put().returning(move |scope, put| match put.retention.is_empty() {
            true => put.decide(scope, now(store.setting(scope))?),
            false => now(CustomerRetention::put(&*store, scope, PutRetention { ..put })),
        });
    }),
    ("counts held and published customers", |wrong| {
        let store = wrong.store.clone();
        wrong.customer_retention.expect_retained().returning(move |scope, limit| {
            let mut found = now(store.retained(scope, limit))?;
            found.reverse();
            Ok(found)
        });
    }),
    ("requests the deletion of customers that are kept", |wrong| {
        requesting_old(wrong, |step| RetentionStep { before: step.at, ..step });
    }),
    ("removes no former external id", |wrong| {
        wrong.customer_retention.expect_forget_former_ids().returning(|_, _| Ok(0));
    }),
];

/// The record of any customer.
fn a_record() -> crate::privacy::PersonalRecord {
    crate::privacy::PersonalRecord {
        customer: crate::testkit::a_customer("acme").existing(),
        run: None,
        deliveries: Vec::new(),
        requests: Vec::new(),
        kept_answers: Vec::new(),
        failed_rows: Vec::new(),
        import_changes: Vec::new(),
    }
}
