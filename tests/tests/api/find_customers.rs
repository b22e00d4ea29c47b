//! `GET /v1/customers/find` and `patron customers find`, over both databases.

use patron_tests::{
    patron::{Backend, Place, Server},
    requests::minimal,
};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

async fn found(server: &Server, query: &str) -> Vec<Value> {
    let answer = server.get(&format!("/v1/customers/find?{query}")).await.expect(200);
    answer["items"].as_array().unwrap().clone()
}

fn ids(hits: &[Value]) -> Vec<&str> {
    hits.iter().map(|hit| hit["customer"]["external_id"].as_str().unwrap()).collect()
}

#[rstest]
#[tokio::test]
async fn one_box_finds_customers_by_what_people_remember(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    for customer in [
        json!({ "external_id": "c-1", "name": "Müller & Söhne", "email": "post@mueller.example", "address_city": "Lyon",
                "contact_persons": [{ "first_name": "Claire", "last_name": "Dubois", "email": "claire@dubois.example" }],
                "integration_entity_mapping": [{ "provider_type": "stripe", "provider_entity_id": "cus_Nf9" }] }),
        json!({ "external_id": "c-2", "name": "Obermüller", "metadata": { "project": "Nordstern" }, "tags": ["vip"] }),
        json!({ "external_id": "muller", "name": "テスト商事" }),
        json!({ "external_id": "c-4", "name": "Mueler AG" }),
    ] {
        server.post("/v1/customers", &customer).await.expect(201);
    }
    let hits = found(&server, "q=MULLER").await;
    assert_eq!(ids(&hits), ["muller", "c-1", "c-2", "c-4"]);
    let classes: Vec<_> = hits.iter().map(|hit| hit["class"].as_str().unwrap()).collect();
    assert_eq!(classes, ["exact", "prefix", "contains", "similar"]);
    assert_eq!(hits[1]["matched"], json!([{ "path": "name", "ranges": [[0, 6]] }]));
    assert_eq!(hits[0]["customer"], {
        let mut whole = server.get("/v1/customers/external/muller").await.expect(200);
        whole.as_object_mut().unwrap().remove("integrations");
        whole
    });
    let similar = found(&server, "q=Mulelr").await;
    assert_eq!((ids(&similar), &similar[0]["class"]), (vec!["c-1"], &json!("similar")));
    for (query, path) in [
        ("q=claire%20lyon", "contact_persons[0].first_name"),
        ("q=dubois.example", "contact_persons[0].email"),
        ("q=cus_nf9", "integrations[0].provider_entity_id"),
    ] {
        let hits = found(&server, query).await;
        assert_eq!(ids(&hits), ["c-1"], "{query}");
        let matched = hits[0]["matched"].as_array().unwrap();
        assert!(matched.iter().any(|one| one["path"] == path), "{query}: {matched:?}");
    }
    assert_eq!(found(&server, "q=cus_nf9").await[0]["customer"]["integrations"][0]["provider_entity_id"], "cus_Nf9");
    assert_eq!(ids(&found(&server, "q=nordstern").await), ["c-2"]);
    assert_eq!(ids(&found(&server, "q=vip").await), ["c-2"]);
    assert_eq!(ids(&found(&server, "q=%EF%BE%83%EF%BD%BD%EF%BE%84").await), ["muller"], "half width");
    assert_eq!(found(&server, "q=muller&limit=1").await.len(), 1);
    let json = place.run_ok(&["customers", "find", "muller", "--json"]);
    let listed: Value = serde_json::from_str(&json).unwrap();
    let listed: Vec<_> = listed.as_array().unwrap().iter().map(|row| row["external_id"].as_str().unwrap()).collect();
    assert_eq!(listed, ["muller", "c-1", "c-2", "c-4"]);
}

#[rstest]
#[tokio::test]
async fn a_change_is_found_by_the_next_request_and_archived_customers_come_last(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let customer = server.post("/v1/customers", &json!({ "external_id": "a", "name": "Nordwind" })).await.expect(201);
    let path = format!("/v1/customers/{}", customer["id"].as_str().unwrap());
    server.post("/v1/customers", &json!({ "external_id": "b", "name": "Der Nordwind" })).await.expect(201);
    assert_eq!(ids(&found(&server, "q=nordwind").await), ["a", "b"]);
    patron_tests::patron::send(server.request(Method::PATCH, &path).json(&json!({ "name": "Suedwind" })))
        .await
        .expect(200);
    assert_eq!(ids(&found(&server, "q=nordwind").await), ["b"]);
    assert_eq!(ids(&found(&server, "q=suedwind").await), ["a"]);
    patron_tests::patron::send(server.request(Method::PATCH, &path).json(&json!({ "name": "Nordwind" })))
        .await
        .expect(200);
    patron_tests::patron::send(server.request(Method::DELETE, &path)).await.expect(204);
    assert_eq!(ids(&found(&server, "q=nordwind").await), ["b"]);
    assert_eq!(ids(&found(&server, "q=nordwind&status=all").await), ["b", "a"]);
    server.post(&format!("{path}/restore"), &json!({})).await.expect(200);
    assert_eq!(ids(&found(&server, "q=nordwind").await), ["a", "b"]);
}

#[tokio::test]
async fn a_query_out_of_bounds_is_refused_at_its_parameter() {
    let place = Place::fresh(Backend::Sqlite).await;
    let server = place.serve();
    server.post("/v1/customers", &minimal("a")).await.expect(201);
    for (query, path) in [
        ("", "q"),
        ("q=a", "q"),
        (&format!("q={}", "a".repeat(201)), "q"),
        ("q=ab&limit=0", "limit"),
        ("q=ab&limit=51", "limit"),
        ("q=ab&limit=x", "limit"),
        ("q=ab&status=gone", "status"),
    ] {
        let refused = server.get(&format!("/v1/customers/find?{query}")).await.expect(400);
        assert!(refused["details"][path].is_object(), "{query}: {refused}");
    }
    let refused = server.get("/v1/customers/find?limit=99&status=no").await.expect(400);
    assert_eq!(refused["details"].as_object().unwrap().len(), 3, "{refused}");
}
