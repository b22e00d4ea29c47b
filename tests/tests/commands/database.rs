//! Copying a whole database, and distributing it over several servers.

use patron_tests::{
    audit, citus,
    patron::{Backend, KEY, Place},
    receiver::Receiver,
    requests::{full, tax_rate},
    wait::until,
};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use super::assert_refused;

/// Compares every table, in the order of its keys.
const TABLES: [(&str, &str); 24] = [
    ("owners", "1"),
    ("tenants", "1"),
    ("environments", "1"),
    ("api_keys", "1"),
    ("logs", "1"),
    ("audit", "1, 2"),
    ("tax_rates", "1, 2"),
    ("tax_defaults", "1, 2"),
    ("custom_fields", "1, 2"),
    ("customers", "1, 2"),
    ("customer_index", "1, 2, 3, 4"),
    ("events", "1, 2"),
    ("kept_answers", "1, 2"),
    ("webhook_endpoints", "1, 2"),
    ("webhook_deliveries", "1, 2, 3"),
    ("onboarding_workflows", "1, 2"),
    ("onboarding_runs", "1, 2"),
    ("imports", "1, 2"),
    ("import_pieces", "1, 2, 3"),
    ("import_rows", "1, 2, 3"),
    ("deletion_requests", "1, 2"),
    ("suppressed_customers", "1, 2"),
    ("erased_subjects", "1, 2, 3"),
    ("installation_keys", "1"),
];

/// The columns of the customers.
const CUSTOMERS: &str = "environment, id, external_id, status, version, created_at, updated_at, external_id_folded, name_folded, \
                         email_folded, document";

async fn is_the_same(one: &Place, other: &Place) {
    for (table, key) in TABLES {
        // The numbers of customers in SQLite are its own.
        let columns = if table == "customers" { CUSTOMERS } else { "*" };
        let all = format!("SELECT {columns} FROM {table} ORDER BY {key}");
        let (one, other) = (one.rows(&all).await, other.rows(&all).await);
        assert!(one == other, "{table}: {} rows, and {}", one.len(), other.len());
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_database_can_be_copied_to_the_other_kind_and_back(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let (place, other) = (Place::fresh(backend).await, Place::fresh(other_than(backend)).await);
    let server = place.serve_with(&[("PATRON_WEBHOOKS_ALLOW_PRIVATE", "true")]);
    server.post("/v1/taxes/rates", &tax_rate("VAT")).await.expect(201);
    server.post("/v1/webhooks/endpoints", &json!({ "url": "http://127.0.0.1:9/hook" })).await.expect(201);
    server.post("/v1/custom-fields", &json!({ "key": "code", "type": "string", "unique": true })).await.expect(201);
    let coded = json!({ "external_id": "coded", "custom_fields": { "code": "x-1" } });
    server.post("/v1/customers", &coded).await.expect(201);
    let create = async |server: &patron_tests::patron::Server, name: &str| {
        let request = server.request(Method::POST, "/v1/customers").header("idempotency-key", name);
        patron_tests::patron::send(request.json(&full(name))).await
    };
    let first = create(&server, "c-0").await.expect(201);
    for number in 1..40 {
        create(&server, &format!("c-{number}")).await.expect(201);
    }
    let page = server.get("/v1/events?limit=10").await.expect(200);
    if backend == Backend::Sqlite {
        let output = other.run(&["database", "copy", "--from", place.database_url(), "--to", other.database_url()]);
        assert_refused(&output, 1, &["the source cannot be used", "another Patron server is using"]);
    }
    drop(server);

    let said = other.run_ok(&["database", "copy", "--from", place.database_url(), "--to", other.database_url()]);
    assert!(said.starts_with("copied "), "{said}");
    is_the_same(&place, &other).await;
    audit::is_whole(&other).await;

    // The copy continues where the original stopped: stored answers, cursors, numbers of environments.
    let server = other.serve();
    let again = create(&server, "c-0").await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.expect(201), first);
    let found = server.get("/v1/customers/find?q=c-17").await.expect(200);
    assert_eq!(
        (&found["items"][0]["class"], &found["items"][0]["customer"]["external_id"]),
        (&json!("exact"), &json!("c-17"))
    );
    let cursor = page["next_cursor"].as_str().unwrap();
    let next = server.get(&format!("/v1/events?limit=1000&cursor={cursor}")).await.expect(200);
    assert_eq!(next["items"].as_array().map(Vec::len), Some(42 - 10));
    let made = server.post("/v1/environments", &json!({ "name": "Second", "type": "production" })).await.expect(201);
    let key: Value = server
        .post("/v1/secrets/api/keys", &json!({ "name": "k", "type": "private_key", "environment_id": made["id"] }))
        .await
        .expect(201);
    let key = key["api_key"].as_str().unwrap_or(KEY).to_owned();
    let second = server.request_as(&key, Method::POST, "/v1/customers").json(&json!({ "external_id": "x" }));
    patron_tests::patron::send(second).await.expect(201);
    drop(server);

    let refused = other.run(&["database", "copy", "--from", place.database_url(), "--to", other.database_url()]);
    assert_refused(&refused, 1, &["the target is not empty"]);
    let back = Place::fresh(backend).await;
    assert!(other.run_ok(&["database", "copy", "--to", back.database_url()]).starts_with("copied "));
    is_the_same(&other, &back).await;
}

fn other_than(backend: Backend) -> Backend {
    match backend {
        Backend::Sqlite => Backend::Postgres,
        Backend::Postgres => Backend::Sqlite,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_database_with_citus_is_distributed() {
    let place = Place::fresh(Backend::Sqlite).await;
    assert_refused(&place.run(&["database", "distribute"]), 2, &["only a database of PostgreSQL"]);
    let place = Place::fresh(Backend::Postgres).await;
    assert_refused(&place.run(&["database", "distribute"]), 1, &["there is no Citus", "CREATE EXTENSION citus"]);
}

#[ignore = "tests/run runs it if PATRON_TEST_CITUS_URL is set"]
#[tokio::test(flavor = "multi_thread")]
async fn citus_takes_over_a_filled_database() {
    let url = citus::url().expect("PATRON_TEST_CITUS_URL is the URL of a coordinator of Citus");
    let (coordinator, worker) = citus::empty_database(&url).await;
    let place = Place::over(coordinator);
    let private = [("PATRON_WEBHOOKS_ALLOW_PRIVATE", "true")];
    let receiver = Receiver::start().await;
    let server = place.serve_with(&private);
    server.post("/v1/taxes/rates", &tax_rate("VAT")).await.expect(201);
    server.post("/v1/webhooks/endpoints", &json!({ "url": receiver.url() })).await.expect(201);
    for number in 0..20 {
        server.post("/v1/customers", &full(&format!("c-{number}"))).await.expect(201);
    }
    drop(server);
    let before = Place::fresh(Backend::Sqlite).await;
    assert!(place.run_ok(&["database", "copy", "--to", before.database_url()]).starts_with("copied "));

    assert!(place.run_ok(&["database", "distribute"]).contains("are distributed over the workers"));
    assert!(place.run_ok(&["database", "distribute"]).contains("are distributed already"));
    is_the_same(&before, &place).await;
    for (table, _) in TABLES {
        let kept = place.number(&format!("SELECT pg_relation_size('{table}')")).await;
        assert_eq!(kept, 0, "{table} still has rows on the coordinator");
    }
    let worker = Place::over(worker);
    for command in [["serve", "--port=0"], ["database", "distribute"]] {
        assert_refused(&worker.run(&command), 1, &["a worker of Citus", "name the coordinator"]);
    }

    let server = place.serve_with(&private);
    server.post("/v1/customers", &full("c-20")).await.expect(201);
    let events = server.get("/v1/events?limit=1000").await.expect(200);
    let events = events["items"].as_array().unwrap().len();
    assert_eq!(events, 22);
    // The first event is older than the endpoint.
    until(async || match receiver.all().len() {
        received if received >= events - 1 => Ok(()),
        received => Err(received),
    })
    .await;
    drop(server);
    audit::is_consistent(&place).await;
}
