//! The time limit of a search on SQLite, which has no statement time-out.

use patron_adapters::{
    persistence::{Database, DatabaseUrl, OpenOptions},
    system::{SystemClock, SystemIds},
};
use patron_domain::{
    Clock,
    customer::query::{Condition, CustomerQuery, CustomerQueryParts, Folded, TextField},
    ids::IdGenerator,
    lifecycle::Owner,
    store::StoreError,
    tenancy::{Actor, EnvironmentScope},
    testkit::a_customer,
};

/// More than are read between two looks at the clock.
const CUSTOMERS: usize = 600;

#[tokio::test]
async fn a_search_ends_when_its_time_is_up_and_what_is_quick_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let url = DatabaseUrl::parse(&format!("sqlite://{}", folder.path().join("a.db").display())).unwrap();
    let database = Database::open(&url, OpenOptions::default()).await.unwrap();
    let ids = || SystemIds.start(SystemClock.now());
    let owner = Owner { tenant_id: ids().next_id(), environment_id: ids().next_id() };
    let scope = EnvironmentScope::new(owner, Actor::system());
    let creates = (0..CUSTOMERS).map(|number| {
        database.customers.change(&scope, a_customer(&format!("c{number}")).command(ids(), SystemClock.now()))
    });
    futures::future::try_join_all(creates).await.unwrap();
    let hurried = OpenOptions { timeout: std::time::Duration::ZERO, ..OpenOptions::default() };
    let hurried = Database::open(&url, hurried).await.unwrap();

    // It has to read every customer, because the index has no parts of two letters.
    let contains = Condition::Contains(TextField::AddressLine1, Folded::new("zz"));
    let parts = CustomerQueryParts { filters: vec![contains], ..CustomerQueryParts::default() };
    let search = CustomerQuery::new(parts).unwrap();
    assert_eq!(database.customers.list(&scope, &search).await.unwrap().total, Some(0));
    assert_eq!(hurried.customers.list(&scope, &search).await.unwrap_err(), StoreError::TooSlow);
    let all = CustomerQuery::new(CustomerQueryParts::default()).unwrap();
    assert_eq!(hurried.customers.list(&scope, &all).await.unwrap().total, Some(CUSTOMERS as u64));
}
