//! What only PostgreSQL can suffer: lost connections, other instances, locks, and how the store takes it.

use std::{future::Future, time::Duration};

use futures::future::join_all;
use patron_adapters::{
    persistence::{Database, DatabaseUrl, OpenError, OpenOptions},
    system::{SystemClock, SystemIds},
};
use patron_domain::{
    Clock,
    customer::{
        Amendment, ChangeCustomer, ChangeCustomerError, CustomerChange, ExternalId, NewCustomer, Profile, Stamp,
        TaxChoice,
    },
    event::{Onboarding, TaxRateEvent},
    idempotency::OnceError,
    ids::{IdGenerator, IdSequence},
    integration::NewLinks,
    lifecycle::{Audit, Owner, Status, Version},
    metadata::Metadata,
    store::{PageRequest, StoreError},
    tax::{
        CreateTaxRateError, CurrencyCode, Percentage, Priority, TaxRate, TaxRateCode, TaxRateName, TaxRateOverride,
        TaxRateOverrides, TaxRateScope, TaxRateStatus, TaxValue,
    },
    tenancy::{
        Actor, ApiKey, ApiKeyName, ApiKeySecret, Bootstrap, Environment, EnvironmentName, EnvironmentScope,
        EnvironmentType, Role, Roles, SystemScope, Tenant, TenantName,
    },
};
use patron_tests::{
    postgres::{Cluster, Options},
    proxy::{Cut, Proxy},
};
use tokio::time::{sleep, timeout};
use tokio_postgres::NoTls;

/// A database, open, with one environment.
struct World {
    url: String,
    database: Database,
    scope: EnvironmentScope,
}

async fn open(url: &str, connections: usize) -> Result<Database, OpenError> {
    let options = OpenOptions { connections, ..OpenOptions::default() };
    Database::open(&DatabaseUrl::parse(url).unwrap(), options).await
}

fn ids() -> IdSequence {
    SystemIds.start(SystemClock.now())
}

fn first(secret: &str) -> Bootstrap {
    let actor = Actor::system();
    let audit = Audit::created(SystemClock.now(), &actor);
    let mut ids = ids();
    let tenant = Tenant { id: ids.next_id(), name: TenantName::new("T").unwrap(), audit: audit.clone() };
    let environment = Environment {
        id: ids.next_id(),
        tenant_id: tenant.id,
        name: EnvironmentName::new("E").unwrap(),
        kind: EnvironmentType::Development,
        audit: audit.clone(),
    };
    let secret = ApiKeySecret::new(secret).unwrap();
    let key = ApiKey {
        id: ids.next_id(),
        owner: Owner { tenant_id: tenant.id, environment_id: environment.id },
        name: ApiKeyName::new("K").unwrap(),
        display_id: secret.display_id(),
        roles: Roles::new([Role::SuperAdmin]).unwrap(),
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
        audit,
    };
    Bootstrap { tenant, environment, key, secret }
}

impl World {
    async fn over(cluster: &Cluster, options: &str) -> Self {
        let url = cluster.fresh_database().await;
        let database = open(&format!("{url}{options}"), 4).await.unwrap();
        let first = first("sk_0123456789abcdef");
        let scope = EnvironmentScope { owner: first.key.owner, actor: Actor::system() };
        assert!(database.tenancy.bootstrap(&SystemScope::patron(), first).await.unwrap());
        Self { url, database, scope }
    }

    async fn fresh() -> Self {
        Self::over(Cluster::shared(), "").await
    }

    /// A connection of an administrator's.
    async fn admin(&self) -> tokio_postgres::Client {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    async fn create_rate(&self, code: &str) {
        self.try_create_rate(code).await.unwrap();
    }

    async fn try_create_rate(&self, code: &str) -> Result<(), CreateTaxRateError> {
        let rate = TaxRate {
            id: ids().next_id(),
            owner: self.scope.owner,
            code: TaxRateCode::new(code).unwrap(),
            name: TaxRateName::new(code).unwrap(),
            description: None,
            value: TaxValue::Percentage(Percentage::new("19").unwrap()),
            scope: TaxRateScope::Internal,
            rate_status: TaxRateStatus::Active,
            metadata: Metadata::default(),
            status: Status::Published,
            version: Version::FIRST,
            audit: Audit::created(SystemClock.now(), &self.scope.actor),
        };
        let created = TaxRateEvent::created(ids().next_id(), None, rate);
        self.database.taxes.create_rate(&self.scope, created, None).await.map(drop)
    }

    /// Creates a customer with tax rates.
    async fn create(&self, external_id: &str, codes: &[&str]) -> Result<(), ChangeCustomerError> {
        self.create_in(&self.database, external_id, codes).await
    }

    async fn create_in(
        &self,
        database: &Database,
        external_id: &str,
        codes: &[&str],
    ) -> Result<(), ChangeCustomerError> {
        let overrides = codes.iter().map(|code| TaxRateOverride {
            code: TaxRateCode::new(*code).unwrap(),
            currency: CurrencyCode::new("EUR").unwrap(),
            priority: Priority::new(1).unwrap(),
            auto_apply: true,
            metadata: Metadata::default(),
        });
        let new = NewCustomer {
            external_id: ExternalId::new(external_id).unwrap(),
            profile: Profile::default(),
            taxes: TaxChoice::Overrides(TaxRateOverrides::new(overrides.collect()).unwrap()),
            links: NewLinks::default(),
            onboarding: Onboarding::default(),
        };
        let stamp = Stamp { ids: ids(), at: SystemClock.now(), request_id: None };
        let command = ChangeCustomer::new(CustomerChange::Create(new), stamp);
        let event = database.customers.change(&self.scope, command).await?.event;
        // What is answered is what is stored.
        let history = database.customers.history(&self.scope, event.state.customer.id, PageRequest::default()).await?;
        assert_eq!(history.items, [event]);
        Ok(())
    }

    async fn exists(&self, external_id: &str) -> Result<bool, StoreError> {
        let external_id = ExternalId::new(external_id).unwrap();
        let found = self.database.customers.find_by_external_id(&self.scope, &external_id).await?;
        Ok(found.is_some())
    }

    async fn count(&self, table: &str) -> i64 {
        let count = self.admin().await.query_one(&format!("SELECT count(*) FROM {table}"), &[]).await;
        count.unwrap().get(0)
    }
}

/// Waits until something holds, for at most 5 seconds.
async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    for _ in 0..100 {
        if holds().await {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("not within 5 seconds: {what}");
}

fn reason(error: impl Into<Result<(), ChangeCustomerError>>) -> String {
    match error.into() {
        Err(ChangeCustomerError::Store(StoreError::Unavailable { reason })) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_comes_back_is_used_again() {
    let cluster = Cluster::start(&Options::default()).unwrap();
    let world = World::over(&cluster, "").await;
    world.create("before", &[]).await.unwrap();
    cluster.stop();
    assert!(reason(world.create("during", &[]).await).starts_with("cannot connect: "));
    assert!(matches!(world.exists("before").await, Err(StoreError::Unavailable { .. })));
    assert!(matches!(world.database.ping().await, Err(StoreError::Unavailable { .. })));
    cluster.restart();
    assert_eq!(world.database.ping().await, Ok(()));
    assert_eq!((world.exists("before").await, world.exists("during").await), (Ok(true), Ok(false)));
    world.create("during", &[]).await.unwrap();
}

#[tokio::test]
async fn killed_connections_are_replaced() {
    let world = World::fresh().await;
    let admin = world.admin().await;
    for round in 0..5 {
        assert!(join_all((0..8).map(|_| world.exists("x"))).await.into_iter().all(|found| found == Ok(false)));
        let kill = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() \
                    AND pid <> pg_backend_pid()";
        let killed = admin.query(kill, &[]).await.unwrap();
        // A pool of four, and the two that look-ups share.
        assert!(!killed.is_empty() && killed.len() <= 4 + 2, "{} connections", killed.len());
        sleep(Duration::from_millis(50)).await;
        assert_eq!(world.create(&format!("c{round}"), &[]).await, Ok(()));
    }
}

#[tokio::test]
async fn a_write_whose_connection_dies_before_the_commit_is_made_again() {
    let world = World::fresh().await;
    world.create_rate("A").await;
    let admin = world.admin().await;
    admin.batch_execute("BEGIN; UPDATE tax_rates SET name = 'changed'").await.unwrap();
    let kill = async {
        let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                    AND datname = current_database()";
        until("a create waits for the lock", async || !admin.query(kill, &[]).await.unwrap().is_empty()).await;
        admin.batch_execute("COMMIT").await.unwrap();
    };
    let (created, ()) = tokio::join!(world.create("c", &["A"]), kill);
    assert_eq!(created, Ok(()));
    // One event is the rate's.
    assert_eq!((world.count("customers").await, world.count("events").await), (1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_happens_exactly_once() {
    let world = World::fresh().await;
    world.create_rate("A").await;
    let port = Cluster::shared().port();
    let proxy = Proxy::before(port).await;
    let database = open(&proxy.url(&world.url, port), 2).await.unwrap();
    // One that is on its way for a while is in the way of its own repetition, which must not take it for somebody else's.
    let late = Cut::LateCommit(Duration::from_millis(400));
    let cuts = [Cut::BeforeCommit, Cut::AfterCommit, late, Cut::BeforeCommit, Cut::AfterCommit, late];
    for (number, cut) in cuts.into_iter().enumerate() {
        proxy.cut(cut);
        assert_eq!(world.create_in(&database, &format!("c{number}"), &["A"]).await, Ok(()), "{cut:?}");
        assert!(proxy.is_done(), "the connection was cut");
        let rows = i64::try_from(number + 1).unwrap();
        for (table, before) in [("customers", 0), ("events", 1), ("event_payloads", 1), ("tax_associations", 0)] {
            assert_eq!(world.count(table).await, before + rows, "{table}");
        }
    }
    proxy.cut(Cut::AfterCommit);
    let taken = world.create_in(&database, "c0", &["A"]).await;
    assert!(matches!(taken, Err(ChangeCustomerError::ExternalIdTaken { .. })));
    // The repetition finds it archived, and nobody did that but the first.
    let external_id = ExternalId::new("c0").unwrap();
    let found = database.customers.find_by_external_id(&world.scope, &external_id).await.unwrap().unwrap();
    let archive = CustomerChange::Amend(found.customer.id, Amendment::Archive);
    let stamp = Stamp { ids: ids(), at: SystemClock.now(), request_id: None };
    proxy.cut(late);
    let archived = database.customers.change(&world.scope, ChangeCustomer::new(archive, stamp)).await;
    assert_eq!(archived.map(|changed| changed.event.sequence.get()), Ok(2));
    assert!(proxy.is_done(), "the connection was cut");
}

#[tokio::test]
async fn a_record_that_is_made_anew_while_it_is_to_be_removed_stays() {
    let world = World::fresh().await;
    world.create("c", &[]).await.unwrap();
    let admin = world.admin().await;
    let record = "INSERT INTO idempotency_records SELECT tenant_id, environment_id, 'k', repeat('0', 64), id, NULL, 1 FROM events";
    admin.batch_execute(record).await.unwrap();
    admin.batch_execute("BEGIN; UPDATE idempotency_records SET at = 1000").await.unwrap();
    let before = patron_domain::time::Timestamp::from_micros(500).unwrap();
    let scope = SystemScope::patron();
    let remove = world.database.housekeeping.remove_idempotency_records(&scope, before, 10);
    let renew = async {
        let waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
        until("the removal waits", async || !admin.query(waiting, &[]).await.unwrap().is_empty()).await;
        admin.batch_execute("COMMIT").await.unwrap();
    };
    let (removed, ()) = tokio::join!(remove, renew);
    assert_eq!((removed, world.count("idempotency_records").await), (Ok(0), 1));
}

#[tokio::test]
async fn instances_that_start_at_once_migrate_once_and_make_one_first_tenant() {
    let url = Cluster::shared().fresh_database().await;
    let opened = join_all((0..6).map(|_| open(&url, 2))).await;
    let opened: Vec<_> = opened.into_iter().map(|database| database.unwrap()).collect();
    let scope = SystemScope::patron();
    let firsts = opened
        .iter()
        .enumerate()
        .map(|(number, database)| database.tenancy.bootstrap(&scope, first(&format!("sk_0123456789abcdef{number}"))));
    let made: Vec<_> = join_all(firsts).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(made.iter().filter(|made| **made).count(), 1, "{made:?}");
    assert_eq!(opened[0].tenancy.tenants(&scope, PageRequest::default()).await.unwrap().total, 1);
}

#[tokio::test]
async fn a_database_of_a_newer_patron_is_left_alone() {
    let world = World::fresh().await;
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000000')";
    world.admin().await.batch_execute(newer).await.unwrap();
    let refused = open(&world.url, 1).await.map(drop).unwrap_err();
    assert!(matches!(&refused, OpenError::NewerSchema { migration } if migration == "99990101000000"), "{refused}");
}

#[tokio::test]
async fn what_cannot_be_opened_says_why_without_the_password() {
    let url = Cluster::shared().fresh_database().await;
    let password = url.split([':', '@']).nth(2).unwrap();
    let port = Cluster::shared().port();
    let cases = [
        (url.replace(password, "wr0ng"), "password authentication failed"),
        (url.replace("test_", "missing_"), "does not exist"),
        (url.replace(&port.to_string(), "1"), "Connection refused"),
        (url.replace("127.0.0.1", "nowhere.invalid"), "failed to lookup address"),
        (format!("postgres://u:{password}@127.0.0.1:{port}/d?unknown=1"), "unknown option `unknown`"),
    ];
    for (url, reason) in cases {
        let refused = open(&url, 1).await.map(drop).unwrap_err().to_string();
        assert!(refused.contains(reason), "{refused}");
        assert!(!refused.contains(password) && !refused.contains("wr0ng") && !refused.contains('\n'), "{refused}");
    }
}

#[tokio::test]
async fn a_rate_that_is_being_switched_off_is_waited_for() {
    let world = World::fresh().await;
    world.create_rate("A").await;
    let admin = world.admin().await;
    admin.batch_execute("BEGIN; UPDATE tax_rates SET rate_status = 'INACTIVE'").await.unwrap();
    let create = world.create("c", &["A"]);
    tokio::pin!(create);
    assert!(timeout(Duration::from_millis(300), &mut create).await.is_err(), "it waits");
    admin.batch_execute("COMMIT").await.unwrap();
    assert!(matches!(create.await, Err(ChangeCustomerError::Invalid(_))));
    assert_eq!(world.count("customers").await, 0);
}

#[tokio::test]
async fn a_deadlock_is_tried_again() {
    let world = World::fresh().await;
    world.create_rate("A").await;
    world.create_rate("B").await;
    let admin = world.admin().await;
    // The create is the one that PostgreSQL ends: it notices first.
    admin
        .batch_execute("SET deadlock_timeout = '10s'; BEGIN; UPDATE tax_rates SET name = 'x' WHERE code = 'B'")
        .await
        .unwrap();
    let other = async {
        let waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
        until("the create waits for B", async || !admin.query(waiting, &[]).await.unwrap().is_empty()).await;
        admin.batch_execute("UPDATE tax_rates SET name = 'x' WHERE code = 'A'; COMMIT").await.unwrap();
    };
    let (created, ()) = tokio::join!(world.create("c", &["B", "A"]), other);
    assert_eq!(created, Ok(()));
    let query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    until("the deadlock is counted", async || {
        world.admin().await.query_one(query, &[]).await.unwrap().get::<_, i64>(0) == 1
    })
    .await;
}

#[tokio::test]
async fn waiting_is_bounded_and_the_connection_stays_sound() {
    let world = World::over(Cluster::shared(), "?options=-c%20statement_timeout%3D300ms").await;
    world.create_rate("A").await;
    let admin = world.admin().await;
    admin.batch_execute("BEGIN; UPDATE tax_rates SET name = 'x'").await.unwrap();
    assert_eq!(reason(world.create("c", &["A"]).await), "it took too long (SQLSTATE 57014)");
    admin.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(world.create("c", &["A"]).await, Ok(()));
}

#[tokio::test]
async fn when_all_connections_are_busy_the_wait_for_one_is_bounded() {
    let world = World::fresh().await;
    let admin = world.admin().await;
    admin.batch_execute("BEGIN; LOCK TABLE tax_rates").await.unwrap();
    let codes: Vec<_> = (0..5).map(|number| format!("C{number}")).collect();
    let release = async {
        sleep(Duration::from_secs(6)).await;
        admin.batch_execute("COMMIT").await.unwrap();
    };
    let (created, ()) = tokio::join!(join_all(codes.iter().map(|code| world.try_create_rate(code))), release);
    let (made, refused): (Vec<_>, Vec<_>) = created.into_iter().partition(Result::is_ok);
    assert_eq!(made.len(), 4, "the pool has 4 connections");
    let unavailable = StoreError::Unavailable { reason: "no free connection".to_owned() };
    assert_eq!(refused, [Err(CreateTaxRateError::Store(unavailable))]);
}

#[tokio::test]
async fn a_write_whose_caller_goes_away_is_finished_and_closing_waits_for_it() {
    let world = World::fresh().await;
    world.create_rate("A").await;
    let admin = world.admin().await;
    admin.batch_execute("BEGIN; UPDATE tax_rates SET name = 'x'").await.unwrap();
    assert!(timeout(Duration::from_millis(200), world.create("c", &["A"])).await.is_err(), "the caller has given up");
    let release = async {
        sleep(Duration::from_millis(200)).await;
        admin.batch_execute("COMMIT").await.unwrap();
    };
    tokio::join!(world.database.close(), release);
    // One event is the rate's.
    assert_eq!((world.count("customers").await, world.count("events").await), (1, 2));
    assert!(matches!(world.create("d", &[]).await, Err(ChangeCustomerError::Store(StoreError::Unavailable { .. }))));
    let idle =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'patron'";
    until("the connections are closed", async || admin.query_one(idle, &[]).await.unwrap().get::<_, i64>(0) == 0).await;
}

#[tokio::test]
async fn errors_hold_no_stored_values() {
    let world = World::fresh().await;
    let another = first("sk_0123456789abcdef");
    let key = ApiKey { owner: world.scope.owner, ..another.key };
    let refused = world.database.keys.create(&world.scope, key, another.secret, None).await.unwrap_err();
    let OnceError::Store(StoreError::Failed { reason }) = refused else { panic!("{refused:?}") };
    assert_eq!(reason, "a value that has to be unique is taken (SQLSTATE 23505)");
    world.admin().await.batch_execute("DROP TABLE event_payloads").await.unwrap();
    let refused = world.create("acme@example.com", &[]).await.unwrap_err();
    assert_eq!(refused.to_string(), "the database refused: an error that Patron does not know (SQLSTATE 42P01)");
    assert_eq!(world.exists("acme@example.com").await, Ok(false));
}
