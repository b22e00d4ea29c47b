//! Pages of large items end early and skip nothing.

use std::collections::BTreeSet;

use patron_tests::{
    patron::{Backend, Place, Server},
    requests::minimal,
};
use rstest::rstest;
use serde_json::{Value, json};

/// Customers of this number and size do not fit on one page of 8 MiB.
const CUSTOMERS: usize = 12;
const LINKS: usize = 15;
const LINK_BYTES: usize = 60_000;
const PAGE: usize = 8 << 20;
/// A page ends with the item that reaches its size, which is at most 1 MiB.
const MOST: usize = PAGE + (1 << 20);

async fn fill(server: &Server) -> Vec<String> {
    let text = "x".repeat(LINK_BYTES);
    let link = |number: usize| json!({ "provider_type": format!("p{number}"), "provider_entity_id": "1", "metadata": { "a": text } });
    let mut ids = Vec::new();
    for number in 0..CUSTOMERS {
        let mut customer = minimal(&format!("c{number}"));
        customer["integration_entity_mapping"] = (0..LINKS).map(link).collect();
        let made = server.post("/v1/customers", &customer).await.expect(201);
        ids.push(made["id"].as_str().unwrap().to_owned());
    }
    ids
}

fn ids(page: &Value, member: &str) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|item| item[member].as_str().unwrap().to_owned()).collect()
}

/// Follows a list from a page, and returns the sizes of the pages and their items.
async fn follow(server: &Server, path: &str, first: Value) -> (Vec<usize>, Vec<String>) {
    let (mut sizes, mut seen, mut page) = (vec![first.to_string().len()], ids(&first, "id"), first);
    while let Some(cursor) = page["pagination"]["next_cursor"].as_str() {
        page = server.get(&format!("{path}&cursor={cursor}")).await.expect(200);
        sizes.push(page.to_string().len());
        seen.extend(ids(&page, "id"));
    }
    (sizes, seen)
}

#[rstest]
#[tokio::test]
async fn a_page_by_cursor_ends_early_and_one_by_offset_says_what_fits(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let mut made = fill(&server).await;
    made.sort();

    // Clients without a cursor may add `limit` to `offset`, and would skip items.
    let path = "/v1/customers?expand=integrations&limit=1000";
    for path in [path.to_owned(), format!("{path}&offset=1")] {
        let refused = server.get(&path).await;
        assert_eq!((refused.status, refused.error()), (400, ("validation_error", vec!["limit"])));
        assert_eq!(refused.body["details"]["limit"]["rule"], "page_too_large");
    }
    let search = json!({ "limit": 1000, "include_total": false });
    assert_eq!(server.post("/v1/customers/search", &search).await.status, 400);
    let refused = server.get(path).await;
    let message = refused.body["details"]["limit"]["message"].as_str().unwrap().to_owned();
    let fits: usize = message.split("limit=").nth(1).unwrap().split(',').next().unwrap().parse().unwrap();
    assert!((1..CUSTOMERS).contains(&fits), "{message}");
    let first = server.get(&format!("/v1/customers?expand=integrations&limit={fits}")).await.expect(200);
    assert_eq!((first["items"].as_array().unwrap().len(), &first["pagination"]["total"]), (fits, &json!(CUSTOMERS)));
    let second = server.get(&format!("/v1/customers?expand=integrations&limit={fits}&offset={fits}")).await.expect(200);
    assert_eq!(second["items"].as_array().unwrap().len(), CUSTOMERS - fits);

    let one = server.get("/v1/customers?expand=integrations&limit=1").await.expect(200);
    let (sizes, mut seen) = follow(&server, path, one).await;
    seen.sort();
    assert_eq!(seen, made, "each customer once");
    assert!(sizes.len() == 3 && sizes.iter().all(|size| *size <= MOST), "{sizes:?}");
}

#[rstest]
#[tokio::test]
async fn readers_of_events_get_each_once_in_pages_that_end_early(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let made = fill(&server).await;

    let (mut sizes, mut seen, mut path) = (Vec::new(), Vec::new(), "/v1/events?limit=1000".to_owned());
    loop {
        let page = server.get(&path).await.expect(200);
        sizes.push(page.to_string().len());
        seen.extend(ids(&page, "id"));
        if page["has_more"] == false {
            break;
        }
        path = format!("/v1/events?limit=1000&cursor={}", page["next_cursor"].as_str().unwrap());
    }
    assert_eq!((seen.len(), seen.iter().collect::<BTreeSet<_>>().len()), (CUSTOMERS, CUSTOMERS));
    assert!(sizes.len() == 2 && sizes.iter().all(|size| *size <= MOST), "{sizes:?}");

    // The history of a customer follows the same rule as other lists by offset.
    let path = format!("/v1/customers/{}", made[0]);
    for number in 1..CUSTOMERS {
        let body = json!({ "name": format!("n{number}") });
        let request = server.request(reqwest::Method::PUT, &path).json(&body);
        patron_tests::patron::send(request).await.expect(200);
    }
    let history = format!("{path}/history?limit=1000");
    let refused = server.get(&history).await;
    assert_eq!((refused.status, refused.error()), (400, ("validation_error", vec!["limit"])));
    let one = server.get(&format!("{path}/history?limit=1")).await.expect(200);
    let (sizes, seen) = follow(&server, &history, one).await;
    assert_eq!((seen.len(), sizes.len()), (CUSTOMERS, 3), "{sizes:?}");
}

#[rstest]
#[tokio::test]
async fn a_customer_has_at_most_100_links_and_a_mebibyte(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let mut customer = minimal("acme");
    customer["integration_entity_mapping"] =
        (0..100).map(|number| json!({ "provider_type": format!("p{number}"), "provider_entity_id": "1" })).collect();
    let made = server.post("/v1/customers", &customer).await.expect(201);
    let link = |name: &str, metadata: &str| json!({ "entity_id": made["id"], "provider_type": name, "provider_entity_id": "1", "metadata": { "a": metadata } });
    let refused = server.post("/v1/integrations/link", &link("one-more", "")).await;
    assert_eq!((refused.status, refused.error().0), (400, "invalid_operation"));
    assert!(refused.body["message"].as_str().unwrap().contains("100 links"));

    let large = "x".repeat(LINK_BYTES);
    let mut answers = Vec::new();
    for number in 0..18 {
        answers.push(server.post("/v1/integrations/link", &link(&format!("p{number}"), &large)).await.status);
    }
    assert_eq!(answers[..16], [200; 16]);
    assert_eq!(answers[17], 400, "{answers:?}");
    let refused = server.post("/v1/integrations/link", &link("p99", &large)).await;
    assert_eq!((refused.status, refused.error().0), (400, "invalid_operation"));
    assert!(refused.body["message"].as_str().unwrap().contains("bytes"));
    // Changes that make it smaller are allowed.
    assert_eq!(server.post("/v1/integrations/link", &link("p0", "")).await.status, 200);
}
