//! Stores with deliberate faults in changes and idempotency keys are detected.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    task::Poll,
};

use async_trait::async_trait;

use super::{
    Ports, Report,
    tests::{broken, ports},
    wrong::run,
};
use crate::{
    customer::{
        Amendment, ChangeCustomer, ChangeCustomerError, CustomerChange, CustomerChanged, CustomerRecord,
        CustomerRepository, ExternalId, MappingFilter, MetadataUpdate, Precondition,
        query::{CustomerPage, CustomerQuery},
    },
    event::CustomerEvent,
    idempotency::{IdempotencyKey, IdempotencyKeyReused},
    ids::CustomerId,
    integration::IntegrationMapping,
    page::{Page, PageRequest},
    retention::{OldEvents, RetentionStore},
    store::StoreError,
    tenancy::{EnvironmentScope, SystemScope},
    testkit::MemoryStore,
    time::Timestamp,
};

/// The fault of a store.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    /// Ignores idempotency keys.
    ForgetsTheKey,
    /// Treats another request with the same key as the same request.
    ForgetsTheFingerprint,
    /// Treats a key as used after its request was refused.
    KeepsTheKeysOfRefusals,
    /// Uses records of any age.
    ForgetsTheAge,
    /// Finds a key in every environment.
    SharesKeys,
    /// Ignores `If-Match`.
    ForgetsThePrecondition,
    /// Decides updates on a state that it read before it locked the customer.
    LosesUpdates,
    /// Drops the second event of a history.
    LosesAnEvent,
    /// Finds no customer by a former external id.
    ForgetsFormerIds,
    /// Checks whether a customer exists, and then creates or updates it without a lock.
    ChecksThenCreates,
    /// Archives a second time.
    ArchivesAgain,
    /// Restores by creating the customer again, with its first links.
    RestoresTheFirstState,
    /// Removes all old records at once.
    ForgetsTheLimit,
    /// Removes recent records too.
    RemovesTheYoung,
}

/// A memory store with a fault.
struct Wrong {
    fault: Fault,
    store: Arc<MemoryStore>,
    refused: Mutex<BTreeSet<IdempotencyKey>>,
    used: Mutex<BTreeSet<IdempotencyKey>>,
}

/// Lets other tasks go first.
async fn pause() {
    let mut first = true;
    std::future::poll_fn(|context| {
        context.waker().wake_by_ref();
        if std::mem::take(&mut first) { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
}

impl Wrong {
    async fn spoil(&self, scope: &EnvironmentScope, command: &mut ChangeCustomer) -> Result<(), ChangeCustomerError> {
        match self.fault {
            Fault::ForgetsTheKey => command.claim = None,
            Fault::ForgetsThePrecondition => command.only_if = Precondition::None,
            Fault::ForgetsTheFingerprint => {
                if let Some(claim) = &mut command.claim {
                    claim.fingerprint = crate::idempotency::Fingerprint::from_bytes([0; 32]);
                }
            }
            Fault::ForgetsTheAge => {
                if let Some(claim) = &mut command.claim {
                    claim.since = Timestamp::UNIX_EPOCH;
                }
            }
            Fault::LosesUpdates => self.read_too_early(scope, command).await?,
            Fault::ChecksThenCreates => self.check_first(scope, command).await?,
            _ => {}
        }
        Ok(())
    }

    async fn read_too_early(
        &self,
        scope: &EnvironmentScope,
        command: &mut ChangeCustomer,
    ) -> Result<(), ChangeCustomerError> {
        if let CustomerChange::Amend(id, Amendment::Update(update)) = &mut command.change
            && let Some(found) = self.store.find(scope, *id).await?
        {
            let merged = std::mem::take(&mut update.metadata).apply(&found.customer.profile.metadata);
            pause().await;
            update.metadata = MetadataUpdate::Replace(merged.map_err(ChangeCustomerError::Invalid)?);
        }
        Ok(())
    }

    async fn check_first(
        &self,
        scope: &EnvironmentScope,
        command: &mut ChangeCustomer,
    ) -> Result<(), ChangeCustomerError> {
        if let CustomerChange::CreateOrUpdate { new, update } = command.change.clone() {
            let found = self.store.find_by_external_id(scope, &new.external_id).await?;
            pause().await;
            command.change = match found {
                Some(found) => CustomerChange::Amend(found.customer.id, Amendment::Update(update)),
                None => CustomerChange::Create(*new),
            };
        }
        Ok(())
    }

    /// The wrong result.
    async fn instead(
        &self,
        scope: &EnvironmentScope,
        command: &ChangeCustomer,
    ) -> Result<Option<CustomerChanged>, ChangeCustomerError> {
        let key = command.claim.as_ref().map(|claim| &claim.key);
        let is_in = |keys: &Mutex<BTreeSet<_>>| key.is_some_and(|key| keys.lock().unwrap().contains(key));
        match (&command.change, self.fault) {
            (_, Fault::KeepsTheKeysOfRefusals) if is_in(&self.refused) => Err(IdempotencyKeyReused::default().into()),
            (_, Fault::SharesKeys) if is_in(&self.used) => Err(IdempotencyKeyReused::default().into()),
            (CustomerChange::Amend(id, Amendment::Archive), Fault::ArchivesAgain) => {
                let history = self.store.history(scope, *id, PageRequest::default()).await?;
                let last = history.items.last().cloned();
                let last = last.filter(|event| event.state.customer.status != crate::lifecycle::Status::Published);
                Ok(last.map(|event| CustomerChanged { event, replayed: false }))
            }
            _ => Ok(None),
        }
    }
}

#[async_trait]
impl CustomerRepository for Wrong {
    async fn change(
        &self,
        scope: &EnvironmentScope,
        mut command: ChangeCustomer,
    ) -> Result<CustomerChanged, ChangeCustomerError> {
        if let Some(answer) = self.instead(scope, &command).await? {
            return Ok(answer);
        }
        self.spoil(scope, &mut command).await?;
        let key = command.claim.as_ref().map(|claim| claim.key.clone());
        let restored = match command.change {
            CustomerChange::Amend(id, Amendment::Restore) => Some(id),
            _ => None,
        };
        let mut answer = self.store.change(scope, command).await;
        if answer.is_err() {
            self.refused.lock().unwrap().extend(key);
        } else {
            self.used.lock().unwrap().extend(key);
        }
        if let (Ok(changed), Some(id), Fault::RestoresTheFirstState) = (&mut answer, restored, self.fault) {
            let history = self.store.history(scope, id, PageRequest::default()).await?;
            if let Some(first) = history.items.first() {
                changed.event.state.mappings = first.state.mappings.clone();
            }
        }
        answer
    }

    async fn find(&self, scope: &EnvironmentScope, id: CustomerId) -> Result<Option<CustomerRecord>, StoreError> {
        self.store.find(scope, id).await
    }

    async fn find_by_external_id(
        &self,
        scope: &EnvironmentScope,
        external_id: &ExternalId,
    ) -> Result<Option<CustomerRecord>, StoreError> {
        let found = self.store.find_by_external_id(scope, external_id).await?;
        let forgets = self.fault == Fault::ForgetsFormerIds;
        Ok(found.filter(|record| !forgets || record.customer.external_id == *external_id))
    }

    async fn mappings(
        &self,
        scope: &EnvironmentScope,
        filter: &MappingFilter,
        page: PageRequest,
    ) -> Result<Page<IntegrationMapping>, StoreError> {
        self.store.mappings(scope, filter, page).await
    }

    async fn history(
        &self,
        scope: &EnvironmentScope,
        id: CustomerId,
        page: PageRequest,
    ) -> Result<Page<CustomerEvent>, StoreError> {
        let mut history = self.store.history(scope, id, page).await?;
        if self.fault == Fault::LosesAnEvent {
            history.items.retain(|event| event.sequence.get() != 2);
        }
        Ok(history)
    }

    async fn list(&self, scope: &EnvironmentScope, query: &CustomerQuery) -> Result<CustomerPage, StoreError> {
        self.store.list(scope, query).await
    }
}

#[async_trait]
impl RetentionStore for Wrong {
    async fn remove_kept_answers(
        &self,
        scope: &SystemScope,
        made_before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let limit = if self.fault == Fault::ForgetsTheLimit { u32::MAX } else { limit };
        let young = self.fault == Fault::RemovesTheYoung;
        let before = if young { Timestamp::from_micros(made_before.micros() * 2).unwrap() } else { made_before };
        self.store.remove_kept_answers(scope, before, limit).await
    }

    async fn remove_events(
        &self,
        scope: &SystemScope,
        owner: crate::lifecycle::Owner,
        old: OldEvents,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let limit = if self.fault == Fault::ForgetsTheLimit { u32::MAX } else { limit };
        self.store.remove_events(scope, owner, old, limit).await
    }
}

fn run_with(fault: Fault) -> Report {
    let store = Arc::new(MemoryStore::default());
    let (refused, used) = (Mutex::default(), Mutex::default());
    let wrong = Arc::new(Wrong { fault, store: store.clone(), refused, used });
    let ports = Ports { customers: wrong.clone(), retention: wrong, ..ports(&store) };
    run(&ports, false)
}

/// Each fault, with a part of an obligation that it breaks.
const CASES: &[(Fault, &str)] = &[
    (Fault::ForgetsTheKey, "a request repeated with its key is done once"),
    (Fault::ForgetsTheKey, "of concurrent calls with one idempotency key exactly one"),
    (Fault::ForgetsTheKey, "amendments with a key are done once too"),
    (Fault::ForgetsTheFingerprint, "another request with a used key is refused"),
    (Fault::KeepsTheKeysOfRefusals, "a refusal leaves the idempotency key free"),
    (Fault::ForgetsTheAge, "an expired record does not count"),
    (Fault::SharesKeys, "an idempotency key can be used again in every other environment"),
    (Fault::ForgetsThePrecondition, "a precondition is compared with the version"),
    (Fault::ForgetsThePrecondition, "of concurrent changes that expect one version exactly one"),
    (
        Fault::LosesUpdates,
        "each of several concurrent changes of a customer is decided on the result of the previous one",
    ),
    (Fault::LosesAnEvent, "every change adds one version and one event"),
    (Fault::ForgetsFormerIds, "a former external id finds the last customer that had it"),
    (Fault::ChecksThenCreates, "concurrent calls that create or update create exactly one customer"),
    (Fault::ArchivesAgain, "archiving archives mappings and associations too"),
    (Fault::RestoresTheFirstState, "a restore brings back what was archived with the customer, and nothing"),
    (Fault::ForgetsTheLimit, "removes only old idempotency records, and no more than the limit"),
    (Fault::ForgetsTheLimit, "removes only the first events of one environment"),
    (Fault::RemovesTheYoung, "removes only old idempotency records, and no more than the limit"),
];

#[test]
fn each_fault_is_detected() {
    for (fault, wanted) in CASES {
        let report = run_with(*fault);
        let found = broken(&report).iter().any(|obligation| obligation.contains(wanted));
        assert!(found, "`{wanted}` passes although it is broken: {report}");
    }
}

/// The obligations that these faults break.
pub(super) fn found_out() -> BTreeSet<&'static str> {
    CASES.iter().flat_map(|(fault, _)| broken(&run_with(*fault))).collect()
}
