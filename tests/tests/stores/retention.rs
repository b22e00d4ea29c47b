//! Retention over both databases, with a clock that is moved: archived customers are erased after the days of their
//! environment, and former external ids find nothing after theirs.

use std::{sync::Arc, time::Duration};

use patron_adapters::{
    persistence::{Database, DatabaseUrl, OpenOptions},
    privacy::{ErasureJob, PrivacyKeys, RetentionTurns},
    system::OsRandomness,
    webhooks::KeyVault,
};
use patron_domain::{
    Clock,
    audit::{AuditAction, AuditQuery},
    customer::{
        Amendment, ChangeCustomer, CustomerChange, CustomerUpdate, ExternalId, HoldReason, NewLegalHold, Stamp,
    },
    ids::{CustomerId, IdGenerator},
    lifecycle::Owner,
    privacy::{
        DeletionQuery, DeletionRequest, DeletionState, DueReason, PrivacyService, RequestChannel, Retention,
        RetentionDays,
    },
    tenancy::{Caller, EnvironmentScope},
    testkit::{CountingIds, FixedClock, a_caller, a_customer, a_scope},
};
use patron_tests::{
    audit,
    patron::{Backend, Place},
    wait::TIMEOUT,
};
use rstest::rstest;
use tokio::sync::watch;

const DAY: Duration = Duration::from_secs(86_400);

/// A database, and the services and jobs of a server on it, whose clock stands still until it is moved.
struct World {
    database: Database,
    clock: Arc<FixedClock>,
    ids: Arc<CountingIds>,
    service: PrivacyService,
    job: ErasureJob,
}

impl World {
    async fn over(place: &Place) -> Self {
        let url = DatabaseUrl::parse(place.database_url()).unwrap();
        let options = OpenOptions { timeout: TIMEOUT, ..OpenOptions::default() };
        let database = Database::open(&url, options).await.unwrap();
        let (clock, ids) = (Arc::new(FixedClock::default()), Arc::new(CountingIds::default()));
        let keys = PrivacyKeys {
            database: database.clone(),
            vault: Arc::new(KeyVault::new(&[], Arc::new(OsRandomness))),
            clock: clock.clone(),
            ids: ids.clone(),
            randomness: Arc::new(OsRandomness),
        };
        let job = ErasureJob {
            privacy: database.privacy.clone(),
            retention: RetentionTurns::new(database.customer_retention.clone(), clock.clone(), ids.clone()),
            keys: keys.clone(),
            commits: database.commits.clone(),
            clock: clock.clone(),
            ids: ids.clone(),
            holder: "server".to_owned(),
            lease: Duration::from_secs(30),
        };
        let service = PrivacyService {
            privacy: database.privacy.clone(),
            retention: database.customer_retention.clone(),
            events: database.events.clone(),
            signer: Arc::new(keys),
            clock: clock.clone(),
            ids: ids.clone(),
        };
        Self { database, clock, ids, service, job }
    }

    async fn change(&self, scope: &EnvironmentScope, change: CustomerChange) -> CustomerId {
        let at = self.clock.now();
        let command = ChangeCustomer::new(change, Stamp { ids: self.ids.start(at), at, request_id: None });
        self.database.customers.change(scope, command).await.unwrap().event.state.customer.id
    }

    async fn created(&self, scope: &EnvironmentScope, external_id: &str) -> CustomerId {
        self.change(scope, CustomerChange::Create(a_customer(external_id).named("Ada").build())).await
    }

    async fn archived(&self, scope: &EnvironmentScope, external_id: &str) -> CustomerId {
        let id = self.created(scope, external_id).await;
        self.change(scope, CustomerChange::Amend(id, Amendment::Archive)).await
    }

    /// Moves the clock, and lets the job do all its work.
    async fn pass(&mut self, days: u32) {
        self.clock.advance_micros((DAY * days).as_micros() as i64);
        let (_go_on, stop) = watch::channel(false);
        while self.job.round(&stop).await.unwrap() {
            self.clock.advance_micros(1_000_000);
        }
    }

    async fn is_there(&self, scope: &EnvironmentScope, id: CustomerId) -> bool {
        self.database.customers.find(scope, id).await.unwrap().is_some()
    }

    async fn by_external_id(&self, external_id: &str) -> Option<CustomerId> {
        let external_id = ExternalId::new(external_id).unwrap();
        let found = self.database.customers.find_by_external_id(&a_scope(), &external_id).await.unwrap();
        found.map(|found| found.customer.id)
    }

    async fn requests(&self, scope: &EnvironmentScope) -> Vec<DeletionRequest> {
        let query = DeletionQuery { state: None, before: None, limit: 1_000 };
        self.database.privacy.requests(scope, query).await.unwrap()
    }
}

/// Another environment, of another tenant.
fn elsewhere() -> EnvironmentScope {
    EnvironmentScope::new(Owner::numbered(7, 1), a_scope().actor)
}

fn retention(archived: i64, former_ids: i64) -> Retention {
    let days = |days| Some(RetentionDays::new(days).unwrap());
    Retention { archived_days: days(archived), former_ids_days: days(former_ids) }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_longer_kept_is_erased(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let mut world = World::over(&place).await;
    let (here, abroad, caller): (_, _, Caller) = (a_scope(), elsewhere(), a_caller());
    let published = world.created(&here, "first").await;
    let rename = CustomerUpdate { external_id: Some(ExternalId::new("second").unwrap()), ..CustomerUpdate::default() };
    world.change(&here, CustomerChange::Amend(published, Amendment::Update(Box::new(rename)))).await;
    let (old, held) = (world.archived(&here, "old").await, world.archived(&here, "held").await);
    let other = world.archived(&abroad, "other").await;
    let hold = NewLegalHold { reason: HoldReason::new("Lawsuit").unwrap(), until: None };
    world.change(&here, CustomerChange::Amend(held, Amendment::PlaceHold(hold))).await;
    let archived_at = world.clock.now();
    for _ in 0..2 {
        // The second time, nothing changes.
        world.service.put_retention(&caller, retention(30, 10), Default::default()).await.unwrap();
    }
    let due = world.service.due(&caller).await.unwrap();
    let due: Vec<_> = due.into_iter().map(|due| (due.customer_id, due.due_at, due.why)).collect();
    assert_eq!(due, [(old, RetentionDays::new(30).unwrap().end(archived_at), DueReason::Retention)]);

    world.pass(9).await;
    assert_eq!(world.by_external_id("first").await, Some(published));
    world.pass(1).await;
    assert_eq!(world.by_external_id("first").await, None, "the former id is not kept");
    assert_eq!(world.by_external_id("second").await, Some(published));
    world.pass(19).await;
    assert!(world.is_there(&here, old).await && world.requests(&here).await.is_empty(), "day 29");
    world.pass(1).await;
    let requests = world.requests(&here).await;
    let states: Vec<_> = requests.iter().map(|one| (one.customer_id, one.channel, one.state)).collect();
    assert_eq!(states, [(old, RequestChannel::Retention, DeletionState::Completed)]);
    assert!(requests[0].counts.iter().all(|count| count.left == Some(0)));
    assert!(!world.is_there(&here, old).await);
    assert!(world.is_there(&here, published).await && world.is_there(&here, held).await);
    assert!(world.is_there(&abroad, other).await, "another environment has no retention");

    // Once the hold is removed, the customer was archived long ago.
    world.change(&here, CustomerChange::Amend(held, Amendment::RemoveHold)).await;
    world.pass(0).await;
    world.pass(1).await;
    assert!(!world.is_there(&here, held).await);
    world.service.put_retention(&caller, Retention::default(), Default::default()).await.unwrap();
    world.archived(&here, "later").await;
    world.pass(400).await;
    assert_eq!(world.requests(&here).await.len(), 2, "the setting is deleted");

    let entries = world.database.audit.entries(&here, AuditQuery { before: None, limit: 100 }).await.unwrap();
    let changed = entries.iter().filter(|entry| entry.act.action == AuditAction::RetentionUpdated);
    assert_eq!(
        changed.map(|entry| entry.act.changed.clone()).collect::<Vec<_>>(),
        vec![["archived_days", "former_ids_days"]; 2]
    );
    world.database.close().await;
    audit::is_consistent(&place).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn many_are_erased_in_shared_transactions(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let mut world = World::over(&place).await;
    let scopes = [a_scope(), elsewhere()];
    for scope in &scopes {
        for number in 0..150 {
            world.archived(scope, &format!("c-{number}")).await;
        }
    }
    world.service.put_retention(&a_caller(), retention(0, 0), Default::default()).await.unwrap();
    world.pass(1).await;
    let requests = world.requests(&scopes[0]).await;
    let completed = requests.iter().filter(|request| request.state == DeletionState::Completed);
    assert_eq!((requests.len(), completed.count()), (150, 150));
    assert_eq!(world.requests(&scopes[1]).await.len(), 0);
    let redacted = |request: &DeletionRequest| request.counts.iter().map(|count| count.redacted).sum::<u64>();
    let counts: Vec<_> = requests.iter().map(redacted).collect();
    assert!(counts.iter().all(|count| *count == counts[0]), "each has its own counts: {counts:?}");
    world.database.close().await;
    assert_eq!(place.number("SELECT count(*) FROM customers").await, 150);
    audit::is_consistent(&place).await;
}
