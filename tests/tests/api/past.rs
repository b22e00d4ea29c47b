//! Earlier states of customers over HTTP and on the command line, over both databases.

use patron_tests::{
    patron::{Answer, Backend, Place, Server, send},
    requests::{full, minimal, tax_rate},
};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

/// Changes a customer, and returns the answer.
async fn patch(server: &Server, path: &str, body: &Value) -> Value {
    send(server.request(Method::PATCH, path).json(body)).await.expect(200)
}

fn time<'a>(customer: &'a Value, member: &str) -> &'a str {
    customer[member].as_str().expect("a time")
}

async fn at(server: &Server, path: &str, time: &str) -> Answer {
    server.get(&format!("{path}?at={time}")).await
}

/// The paths of changes.
fn paths(changes: &Value) -> Vec<&str> {
    changes["changes"].as_array().expect("a list").iter().map(|one| one["path"].as_str().expect("a path")).collect()
}

#[rstest]
#[tokio::test]
async fn a_customer_is_shown_as_it_was_at_a_time(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    server.post("/v1/taxes/rates", &tax_rate("VAT")).await.expect(201);
    let mut states = vec![server.post("/v1/customers", &full("acme")).await.expect(201)];
    let path = format!("/v1/customers/{}", states[0]["id"].as_str().unwrap());
    for number in 1..=12 {
        states.push(patch(&server, &path, &json!({ "name": format!("Acme {number}") })).await);
    }
    for (place, state) in states.iter().enumerate() {
        let then = at(&server, &path, time(state, "updated_at")).await;
        assert_eq!(then.header("etag"), Some(format!("\"{}\"", place + 1).as_str()));
        assert_eq!(then.header("patron-as-of"), Some(time(state, "updated_at")));
        assert_eq!(then.expect(200), *state);
        assert_eq!(server.get(&format!("{path}/versions/{}", place + 1)).await.expect(200), *state);
    }
    let known = server.request(Method::GET, &format!("{path}?at={}", time(&states[2], "updated_at")));
    assert_eq!(send(known.header("if-none-match", "\"3\"")).await.status, 304);
    let offset = format!("{path}?at=2999-01-01T00:00:00 01:00");
    assert_eq!(server.get(&offset).await.error(), ("validation_error", vec!["at"]), "the future is not known");
    let before = at(&server, &path, "2020-01-01T00:00:00Z").await;
    assert_eq!(before.error(), ("not_found", vec![]), "before its creation");
    assert_eq!(before.status, 404);
    for version in ["0", "14", "x", "-1", "99999999999999999999"] {
        assert_eq!(server.get(&format!("{path}/versions/{version}")).await.status, 404, "{version}");
    }
    for (query, broken) in [("at=yesterday", vec!["at"]), ("at=x&expand=x", vec!["at", "expand"])] {
        assert_eq!(server.get(&format!("{path}?{query}")).await.error(), ("validation_error", broken));
    }
    let nobody = "/v1/customers/cust_01JDG3W9Z5X0M8R2K7T4B6Q1NE";
    for path in [
        format!("{nobody}?at=2020-01-01T00:00:00Z"),
        format!("{nobody}/versions/1"),
        format!("{nobody}/diff?from=1&to=1"),
    ] {
        assert_eq!(server.get(&path).await.status, 404, "{path}");
    }
}

#[rstest]
#[tokio::test]
async fn an_external_id_is_resolved_as_of_the_time(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let first = server.post("/v1/customers", &minimal("acme")).await.expect(201);
    let path = |customer: &Value| format!("/v1/customers/{}", customer["id"].as_str().unwrap());
    let renamed = patch(&server, &path(&first), &json!({ "external_id": "other" })).await;
    let second = server.post("/v1/customers", &minimal("acme")).await.expect(201);
    assert_eq!(send(server.request(Method::DELETE, &path(&second))).await.status, 204);
    let archived = server.get(&path(&second)).await.expect(200);
    let third = server.post("/v1/customers", &minimal("acme")).await.expect(201);
    let found = async |external_id: &str, customer: &Value| {
        let answer = at(&server, &format!("/v1/customers/external/{external_id}"), time(customer, "updated_at")).await;
        match answer.status {
            404 => None,
            _ => Some(answer.expect(200)),
        }
    };
    assert_eq!(found("acme", &first).await.as_ref(), Some(&first));
    assert_eq!(found("acme", &renamed).await, None, "renames are not followed");
    assert_eq!(found("other", &renamed).await.as_ref(), Some(&renamed));
    assert_eq!(found("other", &first).await, None, "it did not have this id yet");
    assert_eq!(found("acme", &second).await.as_ref(), Some(&second));
    assert_eq!(found("acme", &archived).await, None, "it was archived");
    assert_eq!(found("acme", &third).await.as_ref(), Some(&third));
    let looked_up = at(&server, "/v1/customers/lookup/acme", time(&second, "updated_at")).await;
    assert_eq!(looked_up.expect(200), second);
}

#[rstest]
#[tokio::test]
async fn removed_events_are_gone_and_the_oldest_state_is_named(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let created = server.post("/v1/customers", &minimal("acme")).await.expect(201);
    let path = format!("/v1/customers/{}", created["id"].as_str().unwrap());
    let second = patch(&server, &path, &json!({ "name": "Second" })).await;
    let third = patch(&server, &path, &json!({ "name": "Third" })).await;
    server.post("/v1/customers", &minimal("other")).await.expect(201);
    place.execute("DELETE FROM events WHERE position <= 1").await;
    for gone in
        [format!("?at={}", time(&created, "created_at")), "/versions/1".to_owned(), "/diff?from=1&to=3".to_owned()]
    {
        let refused = server.get(&format!("{path}{gone}")).await;
        assert_eq!((refused.status, refused.error().0), (410, "gone"), "{gone}");
        assert_eq!(refused.body["details"]["oldest_at"], second["updated_at"]);
    }
    assert_eq!(at(&server, &path, time(&second, "updated_at")).await.expect(200), second);
    // Without its events, a customer still has its present state.
    place.execute("DELETE FROM events WHERE position <= 3").await;
    assert_eq!(at(&server, &path, time(&third, "updated_at")).await.expect(200), third);
    assert_eq!(server.get(&format!("{path}/versions/3")).await.expect(200), third);
    let refused = at(&server, &path, time(&second, "updated_at")).await;
    assert_eq!((refused.status, &refused.body["details"]["oldest_at"]), (410, &third["updated_at"]));
}

#[rstest]
#[tokio::test]
async fn versions_are_compared_by_paths(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    server.post("/v1/taxes/rates", &tax_rate("VAT")).await.expect(201);
    let created = server.post("/v1/customers", &full("acme")).await.expect(201);
    let id = created["id"].as_str().unwrap();
    let path = format!("/v1/customers/{id}");
    let person = json!({ "contact_persons": [{ "first_name": "Ada", "email": "ada@acme.example" }] });
    let second = patch(&server, &path, &person).await;
    let person = second["contact_persons"][0]["id"].as_str().unwrap();
    let change = json!({
        "name": "Acme", "metadata": { "tier": "gold" }, "tags": ["a"],
        "contact_persons": [{ "id": person, "first_name": "Ada", "email": "" }],
    });
    patch(&server, &path, &change).await;
    let diff = async |from: u64, to: u64| server.get(&format!("{path}/diff?from={from}&to={to}")).await.expect(200);
    let added = format!("contact_persons[{person}]");
    assert_eq!(paths(&diff(1, 2).await), [added.as_str()]);
    let email = format!("{added}.email");
    let changes = diff(2, 3).await;
    assert_eq!(paths(&changes), [email.as_str(), "metadata.tier", "name", "tags"]);
    assert_eq!(changes["changes"][0], json!({ "path": email, "from": "ada@acme.example", "to": null }));
    assert_eq!(changes["changes"][2], json!({ "path": "name", "from": created["name"], "to": "Acme" }));
    let back = diff(3, 2).await;
    assert_eq!(back["changes"][2], json!({ "path": "name", "from": "Acme", "to": created["name"] }));
    assert_eq!(paths(&diff(2, 2).await), [""; 0]);
    let missing = server.get(&format!("{path}/diff?from=1")).await;
    assert_eq!(missing.error(), ("validation_error", vec!["to"]));
    let broken = server.get(&format!("{path}/diff?from=0&to=x")).await;
    assert_eq!(broken.error(), ("validation_error", vec!["from", "to"]));
    assert_eq!(server.get(&format!("{path}/diff?from=1&to=4")).await.status, 404);

    let shown: Value = serde_json::from_str(&place.run_ok(&["customers", "show", id, "--version", "2"])).unwrap();
    let mut shown = shown;
    shown.as_object_mut().unwrap().remove("tax_associations");
    assert_eq!(shown, second);
    let at = second["updated_at"].as_str().unwrap();
    let shown: Value =
        serde_json::from_str(&place.run_ok(&["customers", "show", "--external-id", "acme", "--at", at])).unwrap();
    assert_eq!(shown["contact_persons"], second["contact_persons"]);
    let lines = place.run_ok(&["customers", "diff", id, "--to", "3"]);
    assert!(lines.contains("metadata.tier: null -> \"gold\""), "{lines}");
    let json: Value =
        serde_json::from_str(&place.run_ok(&["customers", "diff", id, "--from", "2", "--to", "3", "--json"])).unwrap();
    assert_eq!(json, changes["changes"]);
    let history: Value = serde_json::from_str(&place.run_ok(&["customers", "history", id, "--json"])).unwrap();
    let versions: Vec<_> = history.as_array().unwrap().iter().map(|one| &one["version"]).collect();
    assert_eq!(versions, [&json!(1), &json!(2), &json!(3)]);
    assert_eq!(history[2]["changed"], json!(["name", "metadata", "tags", "contact_persons"]));
    // By the external id.
    assert_eq!(place.run_ok(&["customers", "diff", "--external-id", "acme", "--to", "3"]), lines);
    let again = place.run_ok(&["customers", "history", "--external-id", "acme", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&again).unwrap(), history);
    for command in [vec!["show", "acme"], vec!["diff", "acme", "--to", "3"], vec!["history", "acme"]] {
        let refused = place.run(&[vec!["customers"], command].concat());
        let says = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && says.contains("look up your own id with --external-id"), "{says}");
    }
    for bad in [
        vec!["customers", "show"],
        vec!["customers", "diff", id, "--to", "1"],
        vec!["customers", "show", id, "--at", "x"],
    ] {
        assert!(!place.run(&bad).status.success(), "{bad:?}");
    }
}
