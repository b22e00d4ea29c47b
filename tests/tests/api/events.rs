//! The event log and the history of a customer over HTTP, on both databases.

use patron_tests::{
    patron::{Backend, Place, Server, send},
    requests::{minimal, tax_rate},
};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

fn types(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap()).collect()
}

async fn get(server: &Server, path: &str) -> Value {
    server.get(path).await.expect(200)
}

#[rstest]
#[tokio::test]
async fn a_reader_reads_all_events_by_cursor(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let start = get(&server, "/v1/events").await;
    assert_eq!((types(&start), &start["has_more"]), (vec![], &json!(false)));

    let created = server.post("/v1/customers", &minimal("a")).await.expect(201);
    let rate = server.post("/v1/taxes/rates", &tax_rate("VAT")).await.expect(201);
    let path = format!("/v1/customers/{}", created["id"].as_str().unwrap());
    send(server.request(Method::PUT, &path).json(&json!({ "name": "Ada" }))).await.expect(200);
    assert_eq!(send(server.request(Method::DELETE, &path)).await.status, 204);

    let all = ["customer.created", "tax_rate.created", "customer.updated", "customer.deleted"];
    let first = get(&server, &format!("/v1/events?limit=3&after={}", start["next_cursor"].as_str().unwrap())).await;
    assert_eq!((types(&first), &first["has_more"]), (all[..3].to_vec(), &json!(true)));
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = get(&server, &format!("/v1/events?limit=3&after={cursor}")).await;
    assert_eq!((types(&second), &second["has_more"]), (all[3..].to_vec(), &json!(false)));
    let end = second["next_cursor"].as_str().unwrap();
    let nothing = get(&server, &format!("/v1/events?after={end}")).await;
    assert_eq!((types(&nothing), nothing["next_cursor"].as_str()), (vec![], Some(end)));

    let mut event = first["items"][0].clone();
    assert!(event["data"].as_object_mut().unwrap().remove("tax_associations").is_some());
    assert_eq!(event["data"], created);
    assert_eq!(event["entity"], json!({ "type": "customer", "id": created["id"] }));
    assert_eq!((&event["sequence"], &event["actor"]), (&json!(1), &created["created_by"]));
    assert_eq!(first["items"][1]["data"], rate);
    assert_eq!(first["items"][2]["changed"], json!(["name"]));

    let history = get(&server, &format!("{path}/history")).await;
    assert_eq!(types(&history), ["customer.created", "customer.updated", "customer.deleted"]);
    assert_eq!(history["pagination"]["total"], 3);
    place.execute("UPDATE events SET document = NULL").await;
    assert_eq!(get(&server, &format!("{path}/history")).await["items"][0]["data"], Value::Null);
    let unknown = server.get("/v1/customers/cust_00000000000000000000000000/history").await;
    assert_eq!(unknown.status, 404);
}

#[rstest]
#[tokio::test]
async fn filters_select_events(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let customer = server.post("/v1/customers", &minimal("a")).await.expect(201);
    server.post("/v1/taxes/rates", &tax_rate("VAT")).await.expect(201);
    let (id, at) = (customer["id"].as_str().unwrap(), customer["created_at"].as_str().unwrap());
    for (filter, wanted) in [
        ("type=tax_rate.created".to_owned(), vec!["tax_rate.created"]),
        ("type=customer.updated,customer.created".to_owned(), vec!["customer.created"]),
        ("type=customer.created&type=tax_rate.created".to_owned(), vec!["customer.created", "tax_rate.created"]),
        ("entity_type=tax_rate".to_owned(), vec!["tax_rate.created"]),
        (format!("entity_id={id}"), vec!["customer.created"]),
        (format!("from={at}&to={at}"), vec!["customer.created"]),
        ("from=2000-01-01T00:00:00Z&to=2000-01-02T00:00:00Z".to_owned(), vec![]),
    ] {
        assert_eq!(types(&get(&server, &format!("/v1/events?{filter}")).await), wanted, "{filter}");
    }
    let wrong = "after=x&limit=1001&type=customer.exploded&entity_type=planet&entity_id=7&from=soon&to=late";
    let answer = server.get(&format!("/v1/events?{wrong}")).await;
    let paths = vec!["after", "entity_id", "entity_type", "from", "limit", "to", "type"];
    assert_eq!((answer.status, answer.error()), (400, ("validation_error", paths)));
    let answer = server.get(&format!("/v1/events?entity_type=tax_rate&entity_id={id}")).await;
    assert_eq!((answer.status, answer.error()), (400, ("validation_error", vec!["entity_id"])));
}

/// A restore or an asynchronous fail-over loses the last events, and other events get their positions.
#[rstest]
#[tokio::test]
async fn a_cursor_past_a_rolled_back_position_gets_410_and_a_cursor_to_continue_from(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    for name in ["a", "b", "c", "d"] {
        server.post("/v1/customers", &minimal(name)).await.expect(201);
    }
    let kept = get(&server, "/v1/events?limit=2").await;
    let lost = get(&server, "/v1/events").await;
    let cursor = |page: &Value| page["next_cursor"].as_str().unwrap().to_owned();
    place.execute("DELETE FROM events WHERE position > 2").await;
    place.execute("UPDATE logs SET position = 2").await;

    // First the log ends before the cursor, then it has grown past it again.
    for name in ["e", "f", "g"] {
        let answer = server.get(&format!("/v1/events?cursor={}", cursor(&lost))).await;
        assert_eq!((answer.status, answer.error().0), (410, "log_taken_back"));
        let resume = answer.body["details"]["resume_from"].as_str().unwrap().to_owned();
        server.post("/v1/customers", &minimal(name)).await.expect(201);
        let page = get(&server, &format!("/v1/events?cursor={resume}")).await;
        let last = page["items"].as_array().unwrap().last().unwrap();
        assert_eq!(last["data"]["external_id"], name, "a reader that continues there must miss nothing");
    }
    let page = get(&server, &format!("/v1/events?cursor={}", cursor(&kept))).await;
    assert_eq!(page["items"].as_array().unwrap().len(), 3, "a cursor before that position must stay valid");
}
