//! The SQL views for reports show what the API answers.

use patron_domain::time::Timestamp;
use patron_tests::{
    patron::{Backend, Place, Server, send},
    requests::{everything, minimal, tax_rate},
    rows::text,
};
use reqwest::Method;
use rstest::rstest;
use rusqlite::types::Value as Cell;
use serde_json::{Value, json};

/// A customer with everything, which was changed once and whose link was removed, and an archived customer.
async fn filled(server: &Server) -> (Value, Value) {
    server.post("/v1/taxes/rates", &tax_rate("VAT")).await.expect(201);
    server.post("/v1/custom-fields", &json!({ "key": "rate", "type": "decimal" })).await.expect(201);
    let mut body = everything("acme");
    body["custom_fields"] = json!({ "rate": "1.50" });
    body["tax_exemptions"][0]["starts_at"] = json!("2026-01-31T08:00:00Z");
    body["tax_exemptions"][0]["ends_at"] = json!("2027-01-31T08:00:00Z");
    let acme = server.post("/v1/customers", &body).await.expect(201);
    let path = format!("/v1/customers/{}", acme["id"].as_str().unwrap());
    let patch = server.request(Method::PATCH, &path).json(&json!({ "name": "Acme & Söhne" }));
    send(patch).await.expect(200);
    let old = server.post("/v1/customers", &minimal("old")).await.expect(201);
    let path_of_old = format!("/v1/customers/{}", old["id"].as_str().unwrap());
    let archived = server.request(Method::DELETE, &path_of_old);
    assert_eq!(send(archived).await.status, 204);
    (server.get(&path).await.expect(200), server.get(&path_of_old).await.expect(200))
}

/// A cell as JSON: texts, numbers, and booleans, which SQLite keeps as numbers.
fn json_of(cell: &Cell) -> Value {
    match cell {
        Cell::Integer(number) => json!(number),
        Cell::Null => Value::Null,
        other => json!(text(other)),
    }
}

async fn rows(place: &Place, query: &str) -> Vec<Vec<Value>> {
    place.rows(query).await.iter().map(|row| row.iter().map(json_of).collect()).collect()
}

#[rstest]
#[tokio::test]
async fn views_show_what_the_api_answers(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let (acme, old) = filled(&server).await;

    // An unset text is null in the views, and `""` in the API.
    let columns = ["name", "email", "contact", "address_line1", "address_line2", "address_city", "address_state"];
    let columns = columns.into_iter().chain(["address_postal_code", "address_country", "timezone", "status"]);
    let columns: Vec<_> = ["id", "external_id"].into_iter().chain(columns).collect();
    let listed = rows(&place, &format!("SELECT {} FROM customers_view ORDER BY created_at", columns.join(", "))).await;
    let answered = |customer: &Value| -> Vec<Value> {
        let of = |column: &&str| Some(customer[*column].clone()).filter(|value| value != "").unwrap_or_default();
        columns.iter().map(of).collect()
    };
    assert_eq!(listed, [answered(&acme), answered(&old)]);

    let seconds = match backend {
        Backend::Sqlite => "CAST(strftime('%s', updated_at) AS INTEGER)",
        Backend::Postgres => "floor(extract(epoch FROM updated_at))::bigint",
    };
    let rest = format!("SELECT version, metadata, {seconds} FROM customers_view WHERE external_id = 'acme'");
    let rest = rows(&place, &rest).await;
    let updated = Timestamp::parse(acme["updated_at"].as_str().unwrap()).unwrap();
    assert_eq!((&rest[0][0], &rest[0][2]), (&json!(2), &json!(updated.micros() / 1_000_000)));
    assert_eq!(serde_json::from_str::<Value>(rest[0][1].as_str().unwrap()).unwrap(), acme["metadata"]);

    let custom = rows(&place, "SELECT custom_fields FROM customers_view WHERE external_id = 'acme'").await;
    assert_eq!(serde_json::from_str::<Value>(custom[0][0].as_str().unwrap()).unwrap(), acme["custom_fields"]);

    let link = &acme["integrations"][0];
    let links =
        "SELECT customer_id, id, provider_type, provider_entity_id, status, metadata FROM integration_mappings_view";
    let links = rows(&place, links).await;
    let shown = [&acme["id"], &link["id"], &link["provider_type"], &link["provider_entity_id"], &link["status"]];
    assert_eq!((links.len(), links[0][..5].iter().collect::<Vec<_>>()), (1, shown.to_vec()));
    assert_eq!(serde_json::from_str::<Value>(links[0][5].as_str().unwrap()).unwrap(), link["metadata"]);

    let list =
        server.get(&format!("/v1/taxes/associations?entity_id={}", acme["id"].as_str().unwrap())).await.expect(200);
    let association = &list["items"][0];
    let associations = "SELECT customer_id, id, tax_rate_id, priority, lower(currency), status, \
                        CASE WHEN auto_apply THEN 1 ELSE 0 END FROM tax_associations_view";
    let associations = rows(&place, associations).await;
    let shown = ["id", "tax_rate_id", "priority", "currency", "status"].map(|member| &association[member]);
    assert_eq!((associations.len(), &associations[0][0], &associations[0][6]), (1, &acme["id"], &json!(0)));
    assert_eq!(associations[0][1..6].iter().collect::<Vec<_>>(), shown);

    // One rate and two customers, each with its events in order.
    let events = "SELECT entity_id, sequence, position, CASE WHEN document IS NULL THEN 1 ELSE 0 END FROM events_view ORDER BY position";
    let events = rows(&place, events).await;
    let of = |customer: &Value| -> Vec<_> {
        events.iter().filter(|event| event[0] == customer["id"]).map(|event| event[1].clone()).collect()
    };
    assert_eq!((of(&acme), of(&old)), (vec![json!(1), json!(2)], vec![json!(1), json!(2)]));
    assert_eq!(events.len(), 5);
    assert!(events.iter().all(|event| event[3] == json!(0)), "{events:?}");
}

/// An item as a row. An unset text is null in the views, and `""` in the API.
fn item(item: &Value, columns: &[&str]) -> Vec<Value> {
    let cell = |column: &&str| match &item[*column] {
        Value::String(text) if text.is_empty() => Value::Null,
        Value::Bool(flag) => json!(i32::from(*flag)),
        list @ Value::Array(_) => json!(list.to_string()),
        other => other.clone(),
    };
    columns.iter().map(cell).collect()
}

#[rstest]
#[tokio::test]
async fn the_items_of_customers_are_rows(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let (acme, _) = filled(&server).await;
    let flag = |name: &str| format!("CASE WHEN {name} THEN 1 ELSE 0 END");
    let views: [(&str, &str, &[&str]); 3] = [
        (
            "contact_persons_view",
            "contact_persons",
            &[
                "id",
                "first_name",
                "last_name",
                "salutation",
                "email",
                "mobile",
                "designation",
                "department",
                "locale",
                "is_primary",
                "roles",
            ],
        ),
        ("tax_ids_view", "tax_ids", &["id", "type", "value", "unchecked"]),
        (
            "tax_exemptions_view",
            "tax_exemptions",
            &["id", "reason", "certificate_number", "country", "state", "document_url", "note", "tax_rate_codes"],
        ),
    ];
    for (view, member, columns) in views {
        let cells = columns.iter().map(|column| match *column {
            "is_primary" | "unchecked" => flag(column),
            column => column.to_owned(),
        });
        let query = format!("SELECT customer_id, {} FROM {view} ORDER BY id", cells.collect::<Vec<_>>().join(", "));
        let listed = rows(&place, &query).await;
        let mut wanted: Vec<Vec<Value>> = Vec::new();
        for shown in acme[member].as_array().unwrap() {
            wanted.push([vec![acme["id"].clone()], item(shown, columns)].concat());
        }
        wanted.sort_by_key(|row| row[1].to_string());
        assert!(!wanted.is_empty(), "{member}");
        assert_eq!(listed, wanted, "{view}");
    }

    let times = match backend {
        Backend::Sqlite => "SELECT starts_at, ends_at FROM tax_exemptions_view",
        Backend::Postgres => {
            "SELECT to_char(starts_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), \
             to_char(ends_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') FROM tax_exemptions_view"
        }
    };
    let times = rows(&place, times).await;
    assert_eq!(times, [[json!("2026-01-31T08:00:00.000Z"), json!("2027-01-31T08:00:00.000Z")]]);
}
