//! A customer and an application's own rows are committed together or not at all, on both databases.

use std::time::Duration;

use diesel::{SqliteConnection, connection::SimpleConnection};
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use patron_adapters::persistence::{Database, DatabaseUrl, OpenOptions, PostgresStore, SqliteStore};
use patron_domain::{
    customer::{
        Amendment, ChangeCustomer, ChangeCustomerError, CustomerChange, CustomerChanged, CustomerUpdate, ExternalId,
        Stamp,
        query::{CustomerQuery, CustomerQueryParts},
    },
    idempotency::{Fingerprint, IdempotencyClaim, IdempotencyKey},
    ids::{CustomerId, IdGenerator},
    page::PageRequest,
    patch::Patch,
    testkit::{CountingIds, a_customer, a_scope, a_time},
    time::Timestamp,
};
use patron_tests::{
    patron::{Backend, Place},
    wait::TIMEOUT,
};
use rstest::rstest;

#[path = "../../examples/own_transaction.rs"]
#[expect(dead_code, reason = "its main function is for people")]
mod example;

use example::SignUpError;

/// A connection of the application.
#[expect(clippy::large_enum_variant, reason = "there is one in each test")]
enum Own {
    Sqlite(SqliteConnection),
    Postgres(AsyncPgConnection),
}

/// Requests a rollback although nothing failed.
#[derive(Debug)]
struct TakenBack;

impl From<diesel::result::Error> for TakenBack {
    fn from(error: diesel::result::Error) -> Self {
        panic!("{error}")
    }
}

const INSERT: &str = "INSERT INTO own VALUES ('a row')";

impl Own {
    async fn connect(place: &Place) -> Self {
        let url = place.database_url();
        match url.strip_prefix("sqlite://") {
            Some(file) => Self::Sqlite(example::connect_sqlite(file).unwrap()),
            None => Self::Postgres(AsyncPgConnection::establish(url).await.unwrap()),
        }
    }

    /// Writes the application's own row and then the changes in one transaction, committed or rolled back; returns the answers.
    async fn write(
        &mut self,
        commands: Vec<ChangeCustomer>,
        commit: bool,
    ) -> Vec<Result<CustomerChanged, ChangeCustomerError>> {
        let mut answers = Vec::new();
        match self {
            Self::Sqlite(connection) => {
                let _ = connection.immediate_transaction(|connection| {
                    connection.batch_execute(INSERT)?;
                    for command in commands {
                        answers.push(SqliteStore::change_within(connection, &a_scope(), command));
                    }
                    if commit { Ok(()) } else { Err(TakenBack) }
                });
            }
            Self::Postgres(connection) => {
                let _ = connection
                    .transaction(async |connection| {
                        connection.batch_execute(INSERT).await?;
                        for command in commands {
                            answers.push(PostgresStore::change_within(connection, &a_scope(), command).await);
                        }
                        if commit { Ok(()) } else { Err(TakenBack) }
                    })
                    .await;
            }
        }
        answers
    }
}

struct Commands(CountingIds);

impl Commands {
    fn create(&self, external_id: &str) -> ChangeCustomer {
        let at = a_time();
        a_customer(external_id).noted("plan", "gold").linked("stripe", "cus_1").command(self.0.start(at), at)
    }

    fn amend(&self, id: CustomerId, amendment: Amendment) -> ChangeCustomer {
        let stamp = Stamp { ids: self.0.start(a_time()), at: a_time(), request_id: None };
        ChangeCustomer::new(CustomerChange::Amend(id, amendment), stamp)
    }

    fn rename(&self, id: CustomerId, external_id: &str) -> ChangeCustomer {
        let external_id = Some(ExternalId::new(external_id).unwrap());
        self.amend(id, Amendment::Update(Box::new(CustomerUpdate { external_id, ..CustomerUpdate::default() })))
    }
}

async fn open(place: &Place) -> Database {
    let url = DatabaseUrl::parse(place.database_url()).unwrap();
    let database = Database::open(&url, OpenOptions { timeout: TIMEOUT, ..OpenOptions::default() }).await.unwrap();
    place.execute("CREATE TABLE own (what TEXT)").await;
    database
}

async fn total(database: &Database) -> u64 {
    let query = CustomerQuery::new(CustomerQueryParts::default()).unwrap();
    database.customers.list(&a_scope(), &query).await.unwrap().total.unwrap()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn both_are_stored_after_a_commit_and_neither_after_a_rollback(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let database = open(&place).await;
    let commands = Commands(CountingIds::default());
    let mut own = Own::connect(&place).await;

    let answers = own.write(vec![commands.create("acme")], false).await;
    let taken_back = answers[0].as_ref().unwrap().event.state.customer.id;
    assert_eq!(database.customers.find(&a_scope(), taken_back).await.unwrap(), None);
    assert_eq!((place.number("SELECT count(*) FROM own").await, total(&database).await), (0, 0));
    assert_eq!(place.number("SELECT count(*) FROM events").await, 0);

    let answers = own.write(vec![commands.create("acme"), commands.create("umbrella")], true).await;
    for answer in &answers {
        let state = &answer.as_ref().unwrap().event.state;
        let found = database.customers.find(&a_scope(), state.customer.id).await.unwrap().unwrap();
        assert_eq!((found.customer, found.mappings), (state.customer.clone(), state.mappings.clone()));
    }
    assert_eq!((place.number("SELECT count(*) FROM own").await, total(&database).await), (1, 2));

    // Patron's store continues from there.
    let id = answers[0].as_ref().unwrap().event.state.customer.id;
    let archived = database.customers.change(&a_scope(), commands.amend(id, Amendment::Archive)).await.unwrap();
    assert_eq!(archived.event.sequence.get(), 2);
    assert_eq!(total(&database).await, 1);
    database.close().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_change_leaves_nothing_and_does_not_affect_the_rest(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let database = open(&place).await;
    let commands = Commands(CountingIds::default());
    let existing = database.customers.change(&a_scope(), commands.create("acme")).await.unwrap();
    let existing = existing.event.state.customer.id;
    let other = database.customers.change(&a_scope(), commands.create("other")).await.unwrap();
    let other = other.event.state.customer.id;
    let mut own = Own::connect(&place).await;

    let taken = Err(ChangeCustomerError::ExternalIdTaken { existing });
    let named = CustomerUpdate {
        name: Patch::Set(patron_domain::customer::CustomerName::new("Other").unwrap()),
        ..CustomerUpdate::default()
    };
    let written = vec![
        commands.create("acme"),
        commands.rename(other, "acme"),
        commands.amend(other, Amendment::Restore),
        commands.amend(other, Amendment::Update(Box::new(named))),
        commands.create("umbrella"),
    ];
    let answers = own.write(written, true).await;
    assert_eq!((&answers[0], &answers[1]), (&taken, &taken));
    assert!(matches!(answers[2], Err(ChangeCustomerError::Forbidden(_))), "{:?}", answers[2]);
    assert_eq!(answers[3].as_ref().unwrap().event.sequence.get(), 2, "a refused change must leave no gap");
    assert!(answers[4].is_ok(), "{:?}", answers[4]);
    assert_eq!((place.number("SELECT count(*) FROM own").await, total(&database).await), (1, 3));
    database.close().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn only_a_commit_uses_a_key_and_the_key_counts_for_patrons_store_too(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let database = open(&place).await;
    let commands = Commands(CountingIds::default());
    let create = || {
        let claim = IdempotencyClaim {
            key: IdempotencyKey::new("key-1").unwrap(),
            fingerprint: Fingerprint::from_bytes([7; 32]),
            since: Timestamp::UNIX_EPOCH,
        };
        ChangeCustomer { claim: Some(claim), ..commands.create("acme") }
    };
    let mut own = Own::connect(&place).await;
    assert!(own.write(vec![create()], false).await[0].is_ok());
    let answers = own.write(vec![create(), create()], true).await;
    let [Ok(first), Ok(second)] = answers.as_slice() else { panic!("{answers:?}") };
    assert_eq!((first.replayed, second.replayed, &first.event), (false, true, &second.event));
    let third = database.customers.change(&a_scope(), create()).await.unwrap();
    assert!(third.replayed && third.event == first.event);
    let history = database.customers.history(&a_scope(), first.event.state.customer.id, PageRequest::whole()).await;
    assert_eq!(history.unwrap().total, 1);
    database.close().await;
}

/// Patron's store waits for the transaction that holds the lock, then sees its changes.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn patrons_store_waits_for_an_open_transaction(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    const A_WHILE: Duration = Duration::from_millis(200);
    let place = Place::fresh(backend).await;
    let database = open(&place).await;
    let commands = Commands(CountingIds::default());
    let (first, second) = (commands.create("acme"), commands.create("acme"));
    let customers = database.customers.clone();
    let ask = || tokio::spawn(async move { customers.change(&a_scope(), second).await });
    let (answer, waiting) = match Own::connect(&place).await {
        Own::Sqlite(mut connection) => connection.immediate_transaction(|connection| {
            let answer = SqliteStore::change_within(connection, &a_scope(), first);
            let waiting = ask();
            std::thread::sleep(A_WHILE);
            assert!(!waiting.is_finished());
            Ok::<_, TakenBack>((answer, waiting))
        }),
        Own::Postgres(mut connection) => {
            let work = async |connection: &mut AsyncPgConnection| {
                let answer = PostgresStore::change_within(connection, &a_scope(), first).await;
                let waiting = ask();
                tokio::time::sleep(A_WHILE).await;
                assert!(!waiting.is_finished());
                Ok::<_, TakenBack>((answer, waiting))
            };
            connection.transaction(work).await
        }
    }
    .unwrap();
    let existing = answer.unwrap().event.state.customer.id;
    assert_eq!(waiting.await.unwrap(), Err(ChangeCustomerError::ExternalIdTaken { existing }));
    database.close().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_example_signs_up_completely_or_not_at_all(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    example::prepare(place.database_url()).await.unwrap();
    let mut own = Own::connect(&place).await;
    let mut sign_up = async |customer: &str| match &mut own {
        Own::Sqlite(connection) => example::sign_up_sqlite(connection, customer, "gold"),
        Own::Postgres(connection) => example::sign_up_postgres(connection, customer, "gold").await,
    };
    sign_up("acme").await.unwrap();
    let twice = sign_up("acme").await;
    assert!(matches!(twice, Err(SignUpError::Refused(ChangeCustomerError::ExternalIdTaken { .. }))), "{twice:?}");
    place.execute("INSERT INTO signups VALUES ('umbrella', 'silver')").await;
    let own_row = sign_up("umbrella").await;
    assert!(matches!(own_row, Err(SignUpError::Database(_))), "{own_row:?}");
    let customers = place.number("SELECT count(*) FROM customers").await;
    assert_eq!((place.number("SELECT count(*) FROM signups").await, customers), (2, 1));
    // The application's tables do not prevent the database from being opened again.
    example::prepare(place.database_url()).await.unwrap();
}
