//! The people of a customer: as a list, one by one, and who of them gets mail.

use patron_tests::{
    patron::{Backend, Place, Server},
    requests::minimal,
};
use rstest::rstest;
use serde_json::{Value, json};

use super::{delete, patch, patch_if, path, put};

async fn with_people(server: &Server, external_id: &str, people: Value) -> Value {
    let mut body = minimal(external_id);
    body["contact_persons"] = people;
    server.post("/v1/customers", &body).await.expect(201)
}

#[rstest]
#[tokio::test]
async fn contact_persons_keep_their_ids(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let ada = json!({
        "first_name": "Ada", "last_name": "Lovelace", "salutation": "Dr", "email": "ada@acme.example", "mobile": "+44 1",
        "designation": "CFO", "department": "Finance", "locale": "EN-gb", "is_primary": true,
        "roles": ["billing", "legal"],
    });
    let created = with_people(&server, "acme", json!([ada, { "first_name": "Bob" }])).await;
    let (people, path) = (&created["contact_persons"], path(&created));
    for (field, value) in ada.as_object().unwrap() {
        let wanted = if field == "locale" { json!("en-GB") } else { value.clone() };
        assert_eq!(people[0][field], wanted, "{field}");
    }
    assert!(people[0]["id"].as_str().unwrap().starts_with("cper_"));
    let bob = json!({
        "id": people[1]["id"], "first_name": "Bob", "last_name": "", "salutation": "", "email": "", "mobile": "",
        "designation": "", "department": "", "locale": "", "is_primary": false, "roles": [],
    });
    assert_eq!(people[1], bob);
    assert_eq!(server.get(&path).await.expect(200), created);

    let list = json!([{ "id": people[1]["id"], "first_name": "Bobby" }, { "first_name": "Cleo" }]);
    let now = put(&server, &path, &json!({ "contact_persons": list })).await.expect(200);
    assert_eq!(now["contact_persons"][0]["id"], people[1]["id"]);
    assert_eq!(now["contact_persons"][0]["first_name"], "Bobby");
    assert_ne!(now["contact_persons"][1]["id"], people[0]["id"]);
    let same = put(&server, &path, &json!({ "contact_persons": null })).await.expect(200);
    assert_eq!(same["contact_persons"], now["contact_persons"]);
    let gone = patch(&server, &path, &json!({ "contact_persons": null })).await.expect(200);
    assert_eq!(gone["contact_persons"], json!([]));

    let list = json!([{ "id": people[0]["id"], "first_name": "Ada" }]);
    let refused = patch(&server, &path, &json!({ "contact_persons": list })).await;
    assert_eq!((refused.status, refused.error()), (400, ("validation_error", vec!["contact_persons[0].id"])));
}

#[rstest]
#[tokio::test]
async fn a_contact_person_is_added_changed_and_removed(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let created = with_people(&server, "acme", json!([{ "first_name": "Ada", "is_primary": true }])).await;
    let list = format!("{}/contact_persons", path(&created));
    let ada = format!("{list}/{}", created["contact_persons"][0]["id"].as_str().unwrap());

    let added = server.post(&list, &json!({ "first_name": "Bob", "email": "bob@acme.example" })).await.expect(200);
    assert_eq!(added["contact_persons"][1]["first_name"], "Bob");
    let bob = format!("{list}/{}", added["contact_persons"][1]["id"].as_str().unwrap());

    let changed = patch(&server, &bob, &json!({ "email": null, "roles": ["billing"], "last_name": "X" })).await;
    let changed = changed.expect(200);
    let person = &changed["contact_persons"][1];
    assert_eq!(
        (&person["email"], &person["roles"], &person["last_name"]),
        (&json!(""), &json!(["billing"]), &json!("X"))
    );
    assert_eq!(person["id"], added["contact_persons"][1]["id"]);

    for (body, wanted) in [
        (json!({ "is_primary": true }), "is_primary"),
        (json!({ "first_name": null }), "first_name"),
        (json!({ "first_name": "" }), "first_name"),
        (json!({ "email": "x" }), "email"),
        (json!({ "roles": ["a", "a"] }), "roles[1]"),
        (json!({ "locale": "xx_YY" }), "locale"),
    ] {
        let refused = patch(&server, &bob, &body).await;
        assert_eq!((refused.status, refused.error()), (400, ("validation_error", vec![wanted])), "{body}");
    }
    let refused = server.post(&list, &json!({ "first_name": "Cleo", "is_primary": true })).await;
    assert_eq!((refused.status, refused.error()), (400, ("validation_error", vec!["is_primary"])));

    let stale = patch_if(&server, &bob, "\"1\"", &json!({ "last_name": "Y" })).await;
    assert_eq!((stale.status, stale.error().0), (412, "version_conflict"));
    let left = delete(&server, &ada).await.expect(200);
    assert_eq!(left["contact_persons"].as_array().unwrap().len(), 1);
    assert_eq!(delete(&server, &ada).await.status, 404);
    assert_eq!(patch(&server, &format!("{list}/x"), &json!({})).await.status, 404);
    patch(&server, &bob, &json!({ "is_primary": true })).await.expect(200);

    let history = server.get(&format!("{}/history", path(&created))).await.expect(200);
    let last = history["items"].as_array().unwrap().last().unwrap();
    assert_eq!(last["changed"], json!(["contact_persons"]));
}

#[rstest]
#[tokio::test]
async fn people_have_limits(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let crabs = |n: usize| json!("🦀".repeat(n));
    let roles = |n: usize| json!((0..n).map(|n| n.to_string()).collect::<Vec<_>>());
    for (field, fits, too_much) in [
        ("first_name", crabs(100), crabs(101)),
        ("first_name", json!("a"), json!("\u{200b}")),
        ("last_name", crabs(100), crabs(101)),
        ("salutation", crabs(25), crabs(26)),
        ("mobile", crabs(50), crabs(51)),
        ("designation", crabs(50), crabs(51)),
        ("department", crabs(50), crabs(51)),
        ("email", json!("a@b.co"), json!("a@b")),
        ("roles", roles(10), roles(11)),
        ("roles", json!(["🦀".repeat(40)]), json!(["🦀".repeat(41)])),
        ("is_primary", json!(true), json!("yes")),
    ] {
        let body = |value: Value| {
            let mut person = json!({ "first_name": "Ada" });
            person[field] = value;
            let mut body = minimal(&format!("{field}-{}", rand_of(&person)));
            body["contact_persons"] = json!([{ "first_name": "Bob" }, person]);
            body
        };
        let refused = server.post("/v1/customers", &body(too_much)).await;
        let (code, paths) = refused.error();
        let wanted = format!("contact_persons[1].{field}");
        assert!(refused.status == 400 && code == "validation_error", "{:#}", refused.body);
        assert!(paths.len() == 1 && paths[0].starts_with(&wanted), "{paths:?}");
        server.post("/v1/customers", &body(fits)).await.expect(201);
    }
    let people = |n: usize| json!(vec![json!({ "first_name": "Ada" }); n]);
    with_people(&server, "fifty", people(50)).await;
    let mut body = minimal("fifty-one");
    body["contact_persons"] = people(51);
    let refused = server.post("/v1/customers", &body).await;
    assert_eq!((refused.status, refused.error().0), (400, "invalid_operation"));
    body["contact_persons"] = json!([
        { "first_name": "A", "is_primary": true }, { "first_name": "B" }, { "first_name": "C", "is_primary": true },
        { "id": "cper_01JDG3W9Z5X0M8R2K7T4B6Q1NE", "first_name": "D" }, {}, 7,
    ]);
    let refused = server.post("/v1/customers", &body).await;
    let wanted = vec!["contact_persons[4].first_name", "contact_persons[5]", "contact_persons[2].is_primary"];
    let mut paths = refused.error().1;
    paths.sort_unstable();
    let mut wanted = wanted;
    wanted.sort_unstable();
    assert_eq!(paths, wanted);
}

/// A text that differs with a value.
fn rand_of(value: &Value) -> usize {
    value.to_string().len()
}

#[rstest]
#[tokio::test]
async fn recipients_depend_on_the_role(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let mut body = minimal("acme");
    body["email"] = json!("office@acme.example");
    body["contact_persons"] = json!([
        { "first_name": "Ada", "last_name": "L", "email": "ada@acme.example", "roles": ["billing"] },
        { "first_name": "Bob", "email": "bob@acme.example", "is_primary": true, "roles": ["billing"] },
    ]);
    let created = server.post("/v1/customers", &body).await.expect(201);
    let recipients = format!("{}/recipients", path(&created));
    let told = |answer: Value| {
        let all = answer["recipients"].as_array().unwrap().clone();
        all.into_iter().map(|one| format!("{} {} {}", one["email"], one["name"], one["reason"])).collect::<Vec<_>>()
    };
    let billing = told(server.get(&format!("{recipients}?role=billing")).await.expect(200));
    assert_eq!(billing, [r#""bob@acme.example" "Bob" "role""#, r#""ada@acme.example" "Ada L" "role""#]);
    let sales = server.get(&format!("{recipients}?role=sales")).await.expect(200);
    assert_eq!(sales["recipients"][0]["contact_person_id"], created["contact_persons"][1]["id"]);
    assert_eq!(told(sales), [r#""bob@acme.example" "Bob" "primary""#]);
    let all = server.get(&recipients).await.expect(200);
    assert_eq!(all["recipients"][2].get("contact_person_id"), None);
    assert_eq!(told(all)[2], r#""office@acme.example" "" "customer""#);
    assert_eq!(server.get("/v1/customers/cust_01JDG3W9Z5X0M8R2K7T4B6Q1NE/recipients").await.status, 404);
    assert_eq!(server.get(&format!("{recipients}?role={}", "x".repeat(41))).await.status, 400);
}

#[rstest]
#[tokio::test]
async fn customers_are_found_by_the_addresses_of_their_people(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    for (id, email) in [("a", "Ada@Acme.example"), ("b", "bob@acme.example")] {
        with_people(&server, id, json!([{ "first_name": "X", "email": email }])).await;
    }
    let filter =
        json!({ "field": "contact_persons.email", "operator": "eq", "value": { "string": "ADA@acme.EXAMPLE" } });
    let found = server.post("/v1/customers/search", &json!({ "filters": [filter] })).await.expect(200);
    assert_eq!((&found["pagination"]["total"], &found["items"][0]["external_id"]), (&json!(1), &json!("a")));
}
