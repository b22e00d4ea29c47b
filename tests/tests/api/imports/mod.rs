//! `/imports`, over both databases.

mod ends;
mod round_trip;

use std::time::Duration;

use patron_tests::{
    audit,
    patron::{Answer, Backend, Place, Server, send},
    requests::{minimal, tax_rate},
};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

async fn upload(server: &Server, query: &str, file: impl Into<Vec<u8>>) -> Answer {
    send(server.request(Method::POST, &format!("/v1/imports?{query}")).body(file.into())).await
}

/// Waits until an import has no work, as long as it makes progress.
async fn done(server: &Server, id: &Value) -> Value {
    let path = format!("/v1/imports/{}", id.as_str().unwrap());
    let mut seen = (Value::Null, 0);
    for _ in 0..600 {
        let import = server.get(&path).await.expect(200);
        if !["checking", "running"].contains(&import["state"].as_str().unwrap()) {
            return import;
        }
        let now = import["updated_at"].clone();
        seen = if seen.0 == now { (now, seen.1 + 1) } else { (now, 0) };
        assert!(seen.1 < 400, "no progress: {import:#}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the import does not end");
}

/// Uploads a file, and waits for the end of its import.
async fn import(server: &Server, query: &str, file: impl Into<Vec<u8>>) -> Value {
    let import = upload(server, query, file).await.expect(202);
    done(server, &import["id"]).await
}

fn counts(import: &Value) -> [u64; 4] {
    ["created", "updated", "unchanged", "failed"].map(|name| import["counts"][name].as_u64().unwrap())
}

async fn errors(server: &Server, import: &Value) -> Value {
    let path = format!("/v1/imports/{}/errors", import["id"].as_str().unwrap());
    server.get(&path).await.expect(200)["items"].clone()
}

#[rstest]
#[tokio::test]
async fn a_file_is_checked_and_each_row_written(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    server.post("/v1/customers", &minimal("taken")).await.expect(201);
    let mut file = "external_id,name,email,tags,metadata.plan\n".to_owned();
    for number in 0..250 {
        file.push_str(&format!("c{number},\"Name, {number}\",,\"a, b\",gold\n"));
    }
    file.push_str("taken,X,,,\nbad,X,no address,,\nc7,twice,,,\nshort,X\n");
    let uploaded = upload(&server, "format=csv", file.clone()).await;
    let id = uploaded.body["id"].as_str().unwrap().to_owned();
    assert_eq!((uploaded.status, uploaded.header("Location")), (202, Some(format!("/v1/imports/{id}").as_str())));
    let import = done(&server, &json!(id)).await;
    assert_eq!((&import["state"], counts(&import)), (&json!("completed_with_errors"), [250, 0, 0, 4]), "{import:#}");
    assert_eq!((&import["rows"], &import["rows_done"]), (&json!(254), &json!(254)));
    let customer = server.get("/v1/customers/external/c7").await.expect(200);
    assert_eq!((&customer["name"], &customer["tags"]), (&json!("Name, 7"), &json!(["a", "b"])));
    assert_eq!(customer["metadata"], json!({ "plan": "gold" }));
    let errors = errors(&server, &import).await;
    let seen: Vec<_> = errors
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                row["line"].as_u64().unwrap(),
                row["external_id"].as_str().unwrap(),
                row["details"][0]["path"].as_str().unwrap(),
                row["details"][0]["rule"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (252, "taken", "external_id", "unique"),
            (253, "bad", "email", "email"),
            (254, "c7", "external_id", "duplicate"),
            (255, "", "", "columns"),
        ]
    );
    let csv = server.request(Method::GET, &format!("/v1/imports/{id}/errors.csv")).send().await.unwrap();
    assert_eq!(csv.headers()["content-type"], "text/csv; charset=utf-8");
    let csv = csv.text().await.unwrap();
    let lines: Vec<_> = csv.lines().collect();
    assert_eq!((lines.len(), lines[0]), (5, "external_id,name,email,tags,metadata.plan,error"));
    assert!(lines[2].starts_with("bad,X,no address,,,email: "), "{}", lines[2]);
    // The file is removed, and the audit log knows of it.
    assert_eq!(place.number("SELECT count(*) FROM import_pieces").await, 0);
    let audit = server.get("/v1/audit").await.expect(200);
    let actions: Vec<_> =
        audit["items"].as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert!(actions.contains(&"import.uploaded") && actions.contains(&"import.completed"), "{actions:?}");
    // The corrected rows alone, and the same file again.
    let again = import_again(&server, &file).await;
    assert_eq!(counts(&again), [0, 1, 250, 3]);
    audit::is_whole(&place).await;
}

/// Imports a file as updates of existing customers.
async fn import_again(server: &Server, file: &str) -> Value {
    import(server, "format=csv&mode=upsert", file.replace("\nbad,X,no address", "\nbad,X,no")).await
}

#[rstest]
#[tokio::test]
async fn the_same_file_is_imported_once(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let file = "{\"external_id\":\"a\"}\n\n{\"external_id\":\"b\",\"name\":\"B\"}\n";
    let first = import(&server, "format=ndjson", file).await;
    assert_eq!((&first["state"], counts(&first)), (&json!("completed"), [2, 0, 0, 0]));
    let refused = upload(&server, "format=ndjson", file).await;
    assert_eq!((refused.status, refused.error().0), (409, "already_imported"));
    assert_eq!(refused.body["details"]["file"]["existing_id"], first["id"]);
    assert_eq!(place.number("SELECT count(*) FROM imports").await, 1);
    // Other options, and by wish.
    let second = import(&server, "format=ndjson&mode=upsert", file).await;
    assert_eq!(counts(&second), [0, 0, 2, 0]);
    let third = import(&server, "format=ndjson&again=true", file).await;
    assert_eq!(counts(&third), [0, 0, 0, 2]);
    let list = server.get("/v1/imports?limit=2").await.expect(200);
    assert_eq!(list["items"][0]["id"], third["id"]);
    let rest = server.get(&format!("/v1/imports?cursor={}", list["next_cursor"].as_str().unwrap())).await.expect(200);
    assert_eq!((rest["items"].as_array().unwrap().len(), &rest["items"][0]["id"]), (1, &first["id"]));
}

#[rstest]
#[tokio::test]
async fn a_dry_run_and_a_confirmed_import_stop_at_ready(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    server.post("/v1/customers", &json!({ "external_id": "same", "name": "S" })).await.expect(201);
    server.post("/v1/customers", &json!({ "external_id": "other", "name": "O" })).await.expect(201);
    let file = "external_id,name\nsame,S\nother,New\nfresh,F\n,nameless\n";
    let dry = import(&server, "format=csv&mode=upsert&dry_run=true", file).await;
    assert_eq!((&dry["state"], counts(&dry)), (&json!("ready"), [1, 1, 1, 1]), "{dry:#}");
    assert_eq!(
        dry["diffs"],
        json!([
            { "row": 2, "external_id": "other", "outcome": "updated", "changed": ["name"] },
            { "row": 3, "external_id": "fresh", "outcome": "created", "changed": [] },
        ])
    );
    assert_eq!(place.number("SELECT count(*) FROM customers").await, 2);
    let start = |import: &Value| format!("/v1/imports/{}/start", import["id"].as_str().unwrap());
    let refused = server.post(&start(&dry), &json!({})).await;
    assert_eq!((refused.status, refused.error().0), (400, "invalid_operation"));

    let ready = import(&server, "format=csv&mode=upsert&confirm=true", file).await;
    assert_eq!((&ready["state"], counts(&ready)), (&json!("ready"), [1, 1, 1, 1]));
    server.post(&start(&ready), &json!({})).await.expect(200);
    let ended = done(&server, &ready["id"]).await;
    assert_eq!((&ended["state"], counts(&ended)), (&json!("completed_with_errors"), [1, 1, 1, 1]));
    assert_eq!(errors(&server, &ended).await.as_array().unwrap().len(), 1);
    // A cancelled import ends.
    let cancelled = import(&server, "format=csv&mode=upsert&confirm=true&again=true", file).await;
    let cancel = format!("/v1/imports/{}/cancel", cancelled["id"].as_str().unwrap());
    assert_eq!(server.post(&cancel, &json!({})).await.expect(200)["state"], "cancelled");
    assert_eq!(server.post(&cancel, &json!({})).await.status, 400);
    assert_eq!(server.post(&start(&cancelled), &json!({})).await.status, 400);
    audit::is_whole(&place).await;
}

#[rstest]
#[tokio::test]
async fn what_is_wrong_with_the_whole_file_is_refused_at_once(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let mut cut_off = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    cut_off.extend([1; 20]);
    let cases: [(&str, Vec<u8>, &str); 8] = [
        ("format=csv", b"external_id,name\na,M\xfcller\n".to_vec(), "encoding"),
        ("format=csv", cut_off, "gzip"),
        ("format=csv", b"external_id,Name,name\na,b,c\n".to_vec(), "unique"),
        ("format=csv", b"external_id,colour\na,b\n".to_vec(), "unmapped"),
        ("format=csv", b"name\na\n".to_vec(), "required"),
        ("format=csv", Vec::new(), "rows"),
        ("format=csv", b"external_id\n".to_vec(), "rows"),
        ("format=csv&columns=%7B%22x%22%3A%22name%22%7D", b"external_id\na\n".to_vec(), "column"),
    ];
    for (query, file, rule) in cases {
        let refused = upload(&server, query, file).await;
        assert_eq!((refused.status, refused.error()), (400, ("validation_error", vec!["file"])), "{rule}");
        assert_eq!(refused.body["details"]["file"]["rule"], rule);
    }
    let queries = [
        ("", vec!["format"]),
        ("format=xml", vec!["format"]),
        ("format=csv&dryrun=true", vec!["dryrun"]),
        ("format=csv&columns=x&delimiter=%2C%2C", vec!["columns", "delimiter"]),
        ("format=csv&columns=%7B%22x%22%3A%22colour%22%7D", vec!["columns.x"]),
        ("format=csv&external_id_from=id&mode=merge", vec!["external_id_from", "mode"]),
    ];
    for (query, paths) in queries {
        let refused = upload(&server, query, "external_id\na\n").await;
        assert_eq!((refused.status, refused.error()), (400, ("validation_error", paths)), "{query}");
    }
    assert_eq!(place.number("SELECT count(*) FROM imports").await, 0);
    assert_eq!(place.number("SELECT count(*) FROM import_pieces").await, 0);
    for path in ["/v1/imports/imp_1", "/v1/imports/imp_1/errors", "/v1/imports/imp_1/errors.csv"] {
        assert_eq!(server.get(path).await.status, 404);
    }
}

#[rstest]
#[tokio::test]
async fn rows_and_encodings_of_every_kind_have_a_clear_outcome(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let long = "x".repeat(10_000_000);
    let file = format!("external_id;name;address_line1\r\na;Müller;\"line 1\nline 2\"\r\nb;{long};\r\nc;日本;\r\n");
    let ended = import(&server, "format=csv", file).await;
    assert_eq!(counts(&ended), [2, 0, 0, 1], "{ended:#}");
    assert_eq!(errors(&server, &ended).await[0]["details"][0]["rule"], "max_size");
    assert_eq!(server.get("/v1/customers/external/a").await.expect(200)["address_line1"], "line 1\nline 2");
    let utf_16: Vec<u8> = "\u{feff}external_id\tname\nd\tÄ\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(counts(&import(&server, "format=csv", utf_16).await), [1, 0, 0, 0]);
    let windows = b"external_id,name\ne,M\xfcller \x80\n".to_vec();
    assert_eq!(counts(&import(&server, "format=csv&encoding=windows-1252", windows).await), [1, 0, 0, 0]);
    assert_eq!(server.get("/v1/customers/external/e").await.expect(200)["name"], "Müller €");
    // Blank cells keep, or clear.
    let blank = "external_id,name\na,\n";
    assert_eq!(counts(&import(&server, "format=csv&mode=update", blank).await), [0, 0, 1, 0]);
    assert_eq!(counts(&import(&server, "format=csv&mode=update&blank=clear", blank).await), [0, 1, 0, 0]);
    assert_eq!(server.get("/v1/customers/external/a").await.expect(200)["name"], "");
    let missing = import(&server, "format=csv&mode=update", "external_id,name\nnowhere,X\n").await;
    assert_eq!(errors(&server, &missing).await[0]["details"][0]["rule"], "not_found");
}

#[rstest]
#[tokio::test]
async fn files_of_other_products_are_imported(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    server.post("/v1/taxes/rates", &tax_rate("vat")).await.expect(201);
    let stripe = "id,Description,Email,Name,Created (UTC),Delinquent,Card Last4,Currency,Business Vat ID,Card Address Country,\
                  seats (metadata)\n\
                  cus_1,First,ada@acme.example,Acme,2024-01-02 03:04,false,4242,eur,DE136695976,DE,5\n";
    let ended = import(&server, "format=csv&preset=stripe", stripe).await;
    assert_eq!((counts(&ended), &ended["ignored"]), ([1, 0, 0, 0], &json!(["Card Last4", "Delinquent"])), "{ended:#}");
    let customer = server.get("/v1/customers/external/cus_1").await.expect(200);
    assert_eq!((&customer["billing_currency"], &customer["address_country"]), (&json!("eur"), &json!("DE")));
    assert_eq!(customer["tax_ids"][0]["type"], "eu_vat");
    assert_eq!(customer["metadata"]["seats"], "5");
    assert_eq!(customer["integrations"][0]["provider_entity_id"], "cus_1");
    let lago = json!({
        "lago_id": "1", "external_id": "lago-1", "name": "Hooli", "currency": "EUR", "tax_codes": ["vat"], "zipcode": "1",
        "billing_configuration": { "payment_provider": "stripe", "provider_customer_id": "cus_2" },
    });
    let ended = import(&server, "format=ndjson&preset=lago", format!("{lago}\n")).await;
    assert_eq!(counts(&ended), [1, 0, 0, 0], "{:#}", errors(&server, &ended).await);
    let customer = server.get("/v1/customers/external/lago-1").await.expect(200);
    assert_eq!(customer["address_postal_code"], "1");
    let taxes = format!("/v1/customers/{}/taxes/effective?currency=eur", customer["id"].as_str().unwrap());
    assert_eq!(server.get(&taxes).await.expect(200)["applied"].as_array().unwrap().len(), 1);
    let chargebee =
        "id,company,vat_number,billing_address[city],cf_tier,auto_collection\ncb,Initech,DE000,Bonn,gold,on\n";
    let refused = import(&server, "format=csv&preset=chargebee", chargebee).await;
    assert_eq!(errors(&server, &refused).await[0]["details"][0]["path"], "tax_ids[0].value");
    let unchecked = import(&server, "format=csv&preset=chargebee&tax_ids=unchecked", chargebee).await;
    assert_eq!(counts(&unchecked), [1, 0, 0, 0], "{:#}", errors(&server, &unchecked).await);
    let customer = server.get("/v1/customers/external/cb").await.expect(200);
    assert_eq!((&customer["metadata"], &customer["custom_fields"]), (&json!({ "cf_tier": "gold" }), &json!({})));
}

#[rstest]
#[tokio::test]
async fn custom_fields_of_chargebee_become_defined_ones(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    server.post("/v1/custom-fields", &json!({ "key": "cf_seats", "type": "integer" })).await.expect(201);
    let table = "id,company,cf_seats,cf_tier\ncb-1,Initech,25,gold\ncb-2,Hooli,many,silver\n";
    let ended = import(&server, "format=csv&preset=chargebee", table).await;
    assert_eq!(counts(&ended), [1, 0, 0, 1], "{ended:#}");
    assert_eq!(errors(&server, &ended).await[0]["details"][0]["path"], "custom_fields.cf_seats");
    let object = json!({ "id": "cb-3", "company": "Globex", "cf_seats": 7, "cf_tier": "gold" });
    let ended = import(&server, "format=ndjson&preset=chargebee", format!("{object}\n")).await;
    assert_eq!(counts(&ended), [1, 0, 0, 0], "{:#}", errors(&server, &ended).await);
    for (id, seats) in [("cb-1", 25), ("cb-3", 7)] {
        let customer = server.get(&format!("/v1/customers/external/{id}")).await.expect(200);
        let fields = (&customer["custom_fields"], &customer["metadata"]);
        assert_eq!(fields, (&json!({ "cf_seats": seats }), &json!({ "cf_tier": "gold" })));
    }
}

#[rstest]
#[tokio::test]
async fn a_killed_server_writes_every_row_once(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let mut server = place.serve();
    let mut file = "external_id,name\n".to_owned();
    for number in 0..3_000 {
        file.push_str(&format!("c{number},Name {number}\n"));
    }
    let id = upload(&server, "format=csv", file).await.expect(202)["id"].clone();
    for round in 0..4_u64 {
        tokio::time::sleep(Duration::from_millis(150 + 200 * round)).await;
        server.kill();
        // The lease of a server that is gone is over.
        place.execute("UPDATE imports SET due_at = 1 WHERE due_at IS NOT NULL").await;
        server = place.serve();
    }
    let ended = done(&server, &id).await;
    assert_eq!((&ended["state"], counts(&ended)), (&json!("completed"), [3_000, 0, 0, 0]), "{ended:#}");
    assert_eq!(place.number("SELECT count(*) FROM customers").await, 3_000);
    // One event of each customer, and one of the import.
    assert_eq!(place.number("SELECT count(*) FROM events").await, 3_001);
    audit::is_whole(&place).await;
}

#[rstest]
#[tokio::test]
async fn an_export_is_imported_without_a_change_and_into_another_environment(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    server.post("/v1/taxes/rates", &tax_rate("VAT")).await.expect(201);
    for number in 0..5 {
        let mut body = patron_tests::requests::full(&format!("c{number}"));
        body["name"] = json!(format!("=Name {number}"));
        server.post("/v1/customers", &body).await.expect(201);
        server.post("/v1/customers", &minimal(&format!("m{number}"))).await.expect(201);
    }
    let other = Place::fresh(backend).await;
    let elsewhere = other.serve();
    elsewhere.post("/v1/taxes/rates", &tax_rate("VAT")).await.expect(201);
    let download = async |server: &Server, query: &str| {
        let answer = server.request(Method::GET, &format!("/v1/customers/export?{query}")).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.text().await.unwrap()
    };
    for format in ["ndjson", "csv"] {
        let file = download(&server, &format!("format={format}")).await;
        let same = import(&server, &format!("format={format}&mode=upsert&dry_run=true"), file.clone()).await;
        assert_eq!(counts(&same), [0, 0, 10, 0], "{same:#} {:#}", errors(&server, &same).await);
        let mode = if format == "ndjson" { "create" } else { "upsert" };
        let copied = import(&elsewhere, &format!("format={format}&mode={mode}"), file.clone()).await;
        assert_eq!(copied["counts"]["failed"], 0, "{:#}", errors(&elsewhere, &copied).await);
        let columns = "columns=external_id,name,email,tags,metadata,shipping_address.city,billing_currency,tax_rate_overrides,\
                       integration_entity_mapping&format=csv";
        // The ids of one millisecond are in any order.
        let sorted = |file: String| file.lines().map(str::to_owned).collect::<std::collections::BTreeSet<_>>();
        assert_eq!(sorted(download(&elsewhere, columns).await), sorted(download(&server, columns).await));
    }
    let safe = download(&server, "format=csv&columns=external_id,name&csv_safe=true").await;
    assert!(safe.lines().any(|line| line == "c1,'=Name 1"), "{safe}");
    let filters = "%5B%7B%22field%22%3A%22external_id%22%2C%22operator%22%3A%22contains%22%2C%22value%22%3A%7B%22string%22%3A%22m%22%7D%7D%5D";
    let some = download(&server, &format!("format=csv&columns=external_id&filters={filters}")).await;
    let mut some: Vec<_> = some.lines().skip(1).collect();
    some.sort_unstable();
    assert_eq!(some, ["m0", "m1", "m2", "m3", "m4"]);
    for (query, path) in [
        ("format=xml", "format"),
        ("columns=colour", "columns"),
        ("colums=name", "colums"),
        ("csv_safe=1x", "csv_safe"),
    ] {
        let refused = server.get(&format!("/v1/customers/export?{query}")).await;
        assert_eq!((refused.status, refused.error()), (400, ("validation_error", vec![path])));
    }
}
