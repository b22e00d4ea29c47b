//! A customer whose every text holds an unusual marker uses every feature, and is erased. Then the marker, its folded form
//! and its hashes are nowhere in the files of the database.
//!
//! A new table that holds texts of customers and is not on the list of places fails this test.

use std::{path::Path, process::Command};

use patron_domain::{custom_field::CustomFieldKey, customer::IndexEntry};
use patron_tests::{
    audit::index_key,
    patron::{Backend, Place, Server, send},
    postgres::binaries,
    receiver::{Receiver, Reply},
    requests::tax_rate,
    wait,
};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{REQUESTS, cancel, text, until};

const MARKER: &str = "Qx7ZebraMarker9";

/// Allows receivers on this machine, with quick retries.
const QUICK: [(&str, &str); 3] = [
    ("PATRON_WEBHOOKS_ALLOW_PRIVATE", "true"),
    ("PATRON_WEBHOOKS_RETRY_SECONDS", "5"),
    ("PATRON_WEBHOOKS_LEASE_SECONDS", "2"),
];

/// The marker with a suffix, so that texts differ.
fn marked(suffix: &str) -> String {
    format!("{MARKER}{suffix}")
}

/// A create whose every text holds the marker.
fn body(external_id: &str) -> Value {
    let email = |name: &str| format!("{MARKER}{name}@{MARKER}.example");
    json!({
        "external_id": external_id,
        "name": MARKER,
        "email": email("own"),
        "contact": MARKER,
        "address_line1": MARKER, "address_line2": MARKER, "address_city": MARKER, "address_state": MARKER,
        "address_postal_code": MARKER, "address_country": "DE",
        "legal_name": MARKER, "registration_number": MARKER, "buyer_reference": MARKER,
        "electronic_address": { "scheme": "0204", "value": MARKER },
        "shipping_address": {
            "name": MARKER, "phone": MARKER, "line1": MARKER, "line2": MARKER, "city": MARKER, "state": MARKER,
            "postal_code": MARKER, "country": "DE",
        },
        "tags": [MARKER],
        "contact_persons": [{
            "first_name": MARKER, "last_name": MARKER, "salutation": MARKER, "email": email("person"), "mobile": MARKER,
            "designation": MARKER, "department": MARKER, "roles": [MARKER],
        }],
        "tax_ids": [{ "type": "unknown", "value": MARKER }],
        "tax_exemptions": [{
            "reason": "other", "certificate_number": MARKER, "state": MARKER, "note": MARKER,
            "document_url": format!("https://{MARKER}.example/{MARKER}"),
        }],
        "metadata": { MARKER: MARKER, "plan": MARKER },
        "custom_fields": { "code": MARKER },
        "tax_rate_overrides": [{ "tax_rate_code": "VAT", "currency": "eur", "metadata": { MARKER: MARKER } }],
        "integration_entity_mapping": [{
            "provider_type": "stripe", "provider_entity_id": MARKER, "metadata": { MARKER: { MARKER: [MARKER] } },
        }],
    })
}

async fn put(server: &Server, path: &str, body: &Value) -> Value {
    let answer = send(server.request(Method::PUT, path).json(body)).await;
    assert!(answer.status < 300, "{path}: {:#}", answer.body);
    answer.body
}

/// Uses every feature with the customer, and returns its id.
async fn used(server: &Server) -> String {
    server.post("/v1/taxes/rates", &tax_rate("VAT")).await.expect(201);
    server.post("/v1/taxes/rates", &tax_rate("CITY")).await.expect(201);
    server.post("/v1/custom-fields", &json!({ "key": "code", "type": "string", "unique": true })).await.expect(201);
    let create = server.request(Method::POST, "/v1/customers").header("idempotency-key", "create-1");
    let made = send(create.json(&body(&marked("-1")))).await.expect(201);
    let id = text(&made["id"]);
    let path = format!("/v1/customers/{id}");
    put(server, &path, &json!({ "external_id": marked("-2") })).await;
    let patch = server.request(Method::PATCH, &path).header("idempotency-key", "patch-1");
    send(patch.json(&json!({ "name": marked(" the second"), "metadata": { "note": MARKER } }))).await.expect(200);
    send(server.request(Method::PATCH, &path).json(&json!({ "name": marked(" the second") }))).await.expect(200);
    let person = json!({ "first_name": marked("p"), "email": format!("{MARKER}other@{MARKER}.example") });
    server.post(&format!("{path}/contact_persons"), &person).await.expect(200);
    server.post(&format!("{path}/tags"), &json!({ "add": [marked("tag")], "remove": [MARKER] })).await.expect(200);
    let link = json!({
        "provider_type": "crm", "provider_entity_id": marked("crm"), "entity_type": "customer", "entity_id": id,
        "metadata": { MARKER: MARKER },
    });
    server.post("/v1/integrations/link", &link).await.expect(200);
    let associate = json!({
        "tax_rate_code": "CITY", "entity_type": "customer", "entity_id": id, "currency": "eur", "metadata": { MARKER: MARKER },
    });
    let associate =
        server.request(Method::POST, "/v1/taxes/associations").header("idempotency-key", "tax-1").json(&associate);
    send(associate).await.expect(200);
    for (method, path) in [(Method::DELETE, path.clone()), (Method::POST, format!("{path}/restore"))] {
        assert!(send(server.request(method, &path)).await.status < 300);
    }
    put(server, &format!("{path}/legal-hold"), &json!({ "reason": MARKER })).await;
    send(server.request(Method::DELETE, &format!("{path}/legal-hold"))).await;
    // Reads, and searches that find it.
    let filters = json!([{ "field": "name", "operator": "contains", "value": { "string": MARKER } }]);
    let found = server.post("/v1/customers/search", &json!({ "filters": filters })).await.expect(200);
    assert_eq!(found["pagination"]["total"], 1);
    server.get(&format!("{path}/history")).await.expect(200);
    // A request that is cancelled keeps its reason until the erasure.
    let asked = json!({ "customer_id": id, "request_channel": "written", "reason": marked(" changed his mind") });
    let asked = server.post(REQUESTS, &asked).await.expect(202);
    cancel(server, &text(&asked["id"])).await.expect(200);
    id
}

/// The file, its write-ahead log and the index of that; or a dump of the database.
fn raw(place: &Place, backend: Backend) -> Vec<(String, Vec<u8>)> {
    match backend {
        Backend::Sqlite => {
            let files = std::fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().path());
            let files = files.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("patron.db"));
            files.map(|path| (path.display().to_string(), std::fs::read(&path).unwrap())).collect()
        }
        Backend::Postgres => {
            let dump = Path::new(&binaries().unwrap()).join("pg_dump");
            let dumped = Command::new(dump).args(["--dbname", place.database_url(), "--inserts"]).output().unwrap();
            assert!(dumped.status.success(), "{}", String::from_utf8_lossy(&dumped.stderr));
            vec![("pg_dump".to_owned(), dumped.stdout)]
        }
    }
}

/// Everything that would betray the marker.
fn traces() -> Vec<(String, Vec<u8>)> {
    let lower = MARKER.to_lowercase();
    let mut all: Vec<(String, Vec<u8>)> = [MARKER, &lower, &MARKER.to_uppercase()]
        .into_iter()
        .map(|one| (one.to_owned(), one.as_bytes().to_vec()))
        .collect();
    let hash = |bytes: &[u8]| Sha256::digest(bytes).to_vec();
    let mut hashes = Vec::new();
    for one in [MARKER.to_owned(), lower, marked("-1"), marked("-2"), marked("tag"), marked("crm")] {
        hashes.push((format!("a hash of {one}"), hash(one.as_bytes())[..16].to_vec()));
    }
    let entries = [
        IndexEntry::pair(MARKER, MARKER),
        IndexEntry::pair("plan", MARKER),
        IndexEntry::pair("note", MARKER),
        IndexEntry::custom_field(CustomFieldKey::new("code").unwrap(), &format!("t{MARKER}")),
        IndexEntry::external_id(&marked("-1")),
        IndexEntry::external_id(&marked("-2")),
    ];
    hashes.extend(entries.iter().map(|entry| (format!("the key of {entry:?}"), index_key(entry))));
    for (name, hash) in hashes {
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        all.push((format!("{name}, in hexadecimal"), hex.into_bytes()));
        all.push((name, hash));
    }
    all
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

/// The number of tokens by which customers are found.
async fn tokens(place: &Place, backend: Backend) -> i64 {
    match backend {
        Backend::Sqlite => {
            // The table shows the words of the index itself.
            let file = patron_tests::rows::open(&place.path().join("patron.db"));
            file.execute_batch("CREATE VIRTUAL TABLE temp.words USING fts5vocab(main, customer_tokens, row)").unwrap();
            let rows = patron_tests::rows::of_sqlite(&file, "SELECT count(*) FROM temp.words");
            patron_tests::rows::number(&rows[0][0])
        }
        Backend::Postgres => {
            place.number("SELECT coalesce(sum(cardinality(tokens)), 0)::bigint FROM customer_tokens").await
        }
    }
}

/// The tables of `PLACES` in `adapters/src/persistence/privacy/places.rs`.
const PLACES: [&str; 14] = [
    "customer_index",
    "customer_tokens",
    "customer_tokens_config",
    "customer_tokens_data",
    "customer_tokens_idx",
    "customers",
    "deletion_requests",
    "events",
    "import_rows",
    "imports",
    "kept_answers",
    "onboarding_runs",
    "suppressed_customers",
    "webhook_deliveries",
];

/// The tables whose texts are about other things than customers. External ids of erased customers are keyed hashes, and
/// the audit log has ids and names of fields.
const OTHERS: [&str; 16] = [
    "__diesel_schema_migrations",
    "api_keys",
    "audit",
    "custom_fields",
    "environments",
    "erased_subjects",
    // An import with its file blocks erasures.
    "import_pieces",
    "installation_keys",
    "logs",
    "onboarding_workflows",
    "owners",
    "retention_settings",
    "tax_defaults",
    "tax_rates",
    "tenants",
    "webhook_endpoints",
];

#[rstest]
#[tokio::test]
async fn every_table_that_may_hold_texts_is_on_a_list(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let _server = place.serve();
    let tables = match backend {
        Backend::Sqlite => {
            "SELECT DISTINCT m.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND \
             c.type NOT LIKE '%INT%' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name"
        }
        Backend::Postgres => {
            "SELECT DISTINCT c.table_name::text FROM information_schema.columns c JOIN information_schema.tables t USING \
             (table_schema, table_name) WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' AND \
             c.data_type IN ('text', 'character varying', 'json', 'jsonb', 'bytea', 'ARRAY') ORDER BY 1"
        }
    };
    for row in place.rows(tables).await {
        let table = patron_tests::rows::text(&row[0]);
        let known = PLACES.contains(&table) || OTHERS.contains(&table);
        assert!(known, "{table} may hold texts: add it to the places of personal data, or to the other tables here");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_trace_of_an_erased_customer_is_left_in_the_files(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve_with(&QUICK);
    // The first attempts fail, and all answers to events of the customer are about the person.
    let answering = |fails: usize| {
        Receiver::answering(move |number, body| {
            let status = if number < fails { 500 } else { 200 };
            let of_customer = body["entity_id"].as_str().is_some_and(|id| id.starts_with("cust_"));
            let answer = if of_customer { marked(" answered").into_bytes() } else { Vec::new() };
            Reply { body: answer, ..Reply::status(status) }
        })
    };
    let (hook, broken) = (answering(1).await, answering(usize::MAX).await);
    let crm = Receiver::answering(|_, _| Reply {
        body: json!({ "data": { "id": marked("-from-crm") } }).to_string().into_bytes(),
        ..Reply::status(201)
    })
    .await;
    for receiver in [&hook, &broken] {
        server.post("/v1/webhooks/endpoints", &json!({ "url": receiver.url() })).await.expect(201);
    }
    let workflow = json!({ "value": { "steps": [
        { "type": "http_call", "url": crm.url(), "expected_status": [201] },
        { "type": "link_integration", "provider_type": "hubspot", "pointer": "/data/id" },
    ] } });
    put(&server, "/v1/settings/customer_onboarding", &workflow).await;
    let id = used(&server).await;
    wait::until(async || {
        let run = server.get(&format!("/v1/customers/{id}/onboarding")).await.expect(200);
        if run["state"] == "succeeded" { Ok(()) } else { Err(run) }
    })
    .await;
    let answers = "SELECT count(*) FROM webhook_deliveries WHERE last_answer IS NOT NULL";
    wait::until(async || if place.number(answers).await >= 3 { Ok(()) } else { Err("few answers are stored") }).await;
    let before = raw(&place, backend);
    let found = |files: &[(String, Vec<u8>)], trace: &[u8]| files.iter().any(|(_, bytes)| contains(bytes, trace));
    assert!(found(&before, MARKER.as_bytes()), "the search finds it before");
    assert!(tokens(&place, backend).await > 0, "it is found by tokens before");

    let asked = json!({
        "customer_id": id, "request_channel": "written", "cooldown_days": 0, "reason": marked(" wrote a letter"),
    });
    let request = text(&server.post(REQUESTS, &asked).await.expect(202)["id"]);
    let done = until(&server, &request, "completed").await;
    for category in
        ["kept_answers", "events", "webhook_deliveries", "onboarding_runs", "deletion_requests", "index_entries"]
    {
        let count = done["counts"].as_array().unwrap().iter().find(|one| one["category"] == category).unwrap();
        assert!(count["redacted"].as_u64() > Some(0) && count["left"] == 0, "{category}: {done:#}");
    }
    // The failing endpoint goes on answering; nothing of it is stored any more.
    let sent = broken.all().len();
    wait::until(async || if broken.all().len() > sent { Ok(()) } else { Err("no further attempt") }).await;
    patron_tests::audit::is_whole(&place).await;
    assert_eq!(tokens(&place, backend).await, 0, "no other customer has tokens");
    let after = raw(&place, backend);
    for (file, bytes) in &after {
        for (name, trace) in traces() {
            let found = bytes.windows(trace.len()).position(|window| window == trace);
            let around = found.map(|at| String::from_utf8_lossy(&bytes[at.saturating_sub(600)..at]));
            assert_eq!(around, None, "{file} holds {name}");
        }
    }
}
