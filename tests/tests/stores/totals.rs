//! Totals of filtered lists stay exact while customers change: they are counted by one process and brought up to date by the events
//! since, also of changes that another process makes.

use patron_adapters::persistence::{Database, DatabaseUrl, OpenOptions};
use patron_domain::{
    customer::{
        Amendment, ChangeCustomer, CustomerChange, CustomerName, CustomerUpdate, Stamp,
        query::{Condition, CustomerQuery, CustomerQueryParts, Folded, TextField},
    },
    ids::{CustomerId, IdSequence},
    lifecycle::Status,
    page::PageRequest,
    patch::Patch,
    testkit::{a_customer, a_scope, a_time},
    time::Timestamp,
};
use patron_tests::{
    patron::{Backend, Place},
    wait::TIMEOUT,
};
use rstest::rstest;

/// Enough for a total to be brought up to date after a few events, rather than counted.
const CUSTOMERS: usize = 120;

async fn opened(place: &Place) -> Database {
    let url = DatabaseUrl::parse(place.database_url()).unwrap();
    Database::open(&url, OpenOptions { timeout: TIMEOUT, ..OpenOptions::default() }).await.unwrap()
}

async fn change(database: &Database, change: CustomerChange, number: usize) -> CustomerId {
    let at = Timestamp::from_micros(a_time().micros() + 1_000 * i64::try_from(number).unwrap()).unwrap();
    let mut random = [0; 10];
    random[..8].copy_from_slice(&number.to_be_bytes());
    let command = ChangeCustomer::new(change, Stamp { ids: IdSequence::start(at, random), at, request_id: None });
    database.customers.change(&a_scope(), command).await.unwrap().event.state.customer.id
}

/// The total on a page that does not show it.
async fn total(database: &Database, status: Status) -> u64 {
    let filters = vec![Condition::Contains(TextField::Name, Folded::new("even"))];
    let (status, page) = (Some(status), PageRequest::new(1, 0).unwrap());
    let parts = CustomerQueryParts { filters, status, page, ..CustomerQueryParts::default() };
    database.customers.list(&a_scope(), &CustomerQuery::new(parts).unwrap()).await.unwrap().total.unwrap()
}

fn renamed(name: &str) -> Amendment {
    let name = Patch::Set(CustomerName::new(name).unwrap());
    Amendment::Update(Box::new(CustomerUpdate { name, ..CustomerUpdate::default() }))
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_total_is_exact_after_every_change(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let (database, other) = (opened(&place).await, opened(&place).await);
    let mut ids = Vec::new();
    for number in 0..CUSTOMERS {
        let name = if number % 2 == 0 { "Even" } else { "Odd" };
        let new = a_customer(&format!("c{number}")).named(name).build();
        ids.push(change(&database, CustomerChange::Create(new), number).await);
    }
    let (mut published, mut archived) = (CUSTOMERS as u64 / 2, 0);
    let expect = async |published: u64, archived: u64, after: &str| {
        assert_eq!(total(&database, Status::Published).await, published, "after {after}");
        assert_eq!(total(&database, Status::Archived).await, archived, "archived, after {after}");
    };
    expect(published, archived, "creating").await;
    expect(published, archived, "nothing").await;
    let mut number = CUSTOMERS;
    let mut amend = async |database: &Database, id: CustomerId, amendment: Amendment| {
        number += 1;
        change(database, CustomerChange::Amend(id, amendment), number).await;
    };
    amend(&database, ids[1], renamed("Even now")).await;
    published += 1;
    expect(published, archived, "a name that matches").await;
    amend(&database, ids[0], renamed("Odd now")).await;
    amend(&database, ids[1], renamed("Even more")).await;
    published -= 1;
    expect(published, archived, "a name that matches no more, and one that still does").await;
    for id in [ids[2], ids[3], ids[4]] {
        amend(&database, id, Amendment::Archive).await;
    }
    (published, archived) = (published - 2, archived + 2);
    expect(published, archived, "archiving").await;
    amend(&database, ids[2], Amendment::Restore).await;
    amend(&database, ids[2], renamed("Odd again")).await;
    archived -= 1;
    expect(published, archived, "restoring and renaming").await;
    let new = a_customer("another").named("An even one").build();
    change(&other, CustomerChange::Create(new), 1_000).await;
    amend(&other, ids[5], renamed("Even, elsewhere")).await;
    published += 2;
    expect(published, archived, "changes by another process").await;
    database.close().await;
    other.close().await;
}
