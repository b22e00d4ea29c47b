//! The port contract over every store. It includes random customers and queries, whose results must equal those of the
//! domain's rules. Each run has a new seed; `PATRON_TEST_SEED` repeats one.

use std::sync::Arc;

use patron_adapters::persistence::{Database, DatabaseUrl, OpenOptions};
use patron_domain::{
    privacy::SubjectKey,
    testkit::{MemoryStore, contract},
};
use patron_tests::{
    patron::{Backend, Place},
    seed::seed,
    wait::TIMEOUT,
};

pub(super) fn ports(database: &Database) -> contract::Ports {
    contract::Ports {
        customers: database.customers.clone(),
        taxes: database.taxes.clone(),
        custom_fields: database.custom_fields.clone(),
        tenancy: database.tenancy.clone(),
        keys: database.keys.clone(),
        audit: database.audit.clone(),
        records: database.records.clone(),
        events: database.events.clone(),
        chain: database.chain.clone(),
        webhooks: database.webhooks.clone(),
        onboarding: database.onboarding.clone(),
        privacy: database.privacy.clone(),
        customer_retention: database.customer_retention.clone(),
        retention: database.retention.clone(),
    }
}

async fn check_over(backend: Backend) {
    let place = Place::fresh(backend).await;
    let url = DatabaseUrl::parse(place.database_url()).unwrap();
    let database = Database::open(&url, OpenOptions { timeout: TIMEOUT, ..OpenOptions::default() }).await.unwrap();
    database.recognise_erased(SubjectKey::from_bytes([7; 32]));
    let seed = u64::from(seed());
    contract::check_empty(&ports(&database)).await.assert_clean();
    contract::check_seeded(&ports(&database), seed).await.assert_clean();
    // A second pass finds a database that is in use already.
    contract::check_seeded(&ports(&database), seed + 1).await.assert_clean();
    database.close().await;
}

#[tokio::test]
async fn in_memory() {
    let store = Arc::new(MemoryStore::default());
    let ports = contract::Ports {
        customers: store.clone(),
        taxes: store.clone(),
        custom_fields: store.clone(),
        tenancy: store.clone(),
        keys: store.clone(),
        audit: store.clone(),
        records: store.clone(),
        events: store.clone(),
        chain: store.clone(),
        webhooks: store.clone(),
        onboarding: store.clone(),
        privacy: store.clone(),
        customer_retention: store.clone(),
        retention: store,
    };
    contract::check_empty(&ports).await.assert_clean();
    contract::check_seeded(&ports, u64::from(seed())).await.assert_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite() {
    check_over(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres() {
    check_over(Backend::Postgres).await;
}
