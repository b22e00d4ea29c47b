//! Metrics for Prometheus.

use patron_tests::{
    patron::{Backend, KEY, Place, Server},
    requests::minimal,
};
use reqwest::Method;
use rstest::rstest;

async fn scrape(server: &Server) -> String {
    let answer = server.anonymous(Method::GET, "/metrics").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/plain; version=0.0.4"));
    answer.text().await.unwrap()
}

/// The value of a series, given with all its labels.
#[track_caller]
fn value(page: &str, series: &str) -> f64 {
    let line = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {series} in\n{page}")).parse().unwrap()
}

/// Serves the metrics on the main port.
const PUBLIC: [(&str, &str); 1] = [("PATRON_METRICS_PUBLIC", "true")];

const CREATED: &str = r#"patron_http_requests_total{method="POST",route="/v1/customers",status="201"}"#;

#[rstest]
#[tokio::test]
async fn metrics_are_counted_and_hold_no_data_from_clients(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve_with(&PUBLIC);
    let id = server.post("/v1/customers", &minimal("secret-one")).await.expect(201)["id"].clone();
    let first = scrape(&server).await;
    assert_eq!(value(&first, CREATED), 1.0);
    server.post("/v1/customers", &minimal("secret-two")).await.expect(201);
    assert_eq!(server.get("/v1/customers/external/secret-one").await.status, 200);
    assert_eq!(server.post("/v1/customers", &minimal("secret-one")).await.status, 409);
    for path in ["/secret-path", "/v1/secret-path/secret", "/v1/customers/secret-id?secret=query"] {
        assert_eq!(server.get(path).await.status, 404);
    }
    let odd = server.anonymous(Method::GET, "/v1/customers/x").header("x-api-key", "sk_secret_0123456789abcdef");
    assert_eq!(odd.send().await.unwrap().status(), 401);

    let page = scrape(&server).await;
    assert_eq!(value(&page, CREATED), 2.0);
    let requests = |rest: &str| value(&page, &format!("patron_http_requests_total{{{rest}}}"));
    assert_eq!(requests(r#"method="POST",route="/v1/customers",status="409""#), 1.0);
    assert_eq!(requests(r#"method="GET",route="unknown",status="404""#), 2.0);
    let taken = r#"patron_http_request_duration_seconds_count{method="POST",route="/v1/customers"}"#;
    assert_eq!(value(&page, taken), 3.0);
    assert!(page.contains(r#"route="/v1/customers",le="0.0005"}"#), "the buckets must be fixed: {page}");
    assert!(value(&page, r#"patron_key_cache_lookups_total{outcome="hit"}"#) >= 1.0);
    assert_eq!(value(&page, r#"patron_key_cache_lookups_total{outcome="unknown"}"#), 1.0);
    let database = if backend == Backend::Sqlite { "sqlite" } else { "postgres" };
    assert_eq!(value(&page, &format!(r#"patron_database_connections_max{{database="{database}"}}"#)), 8.0);
    if backend == Backend::Sqlite {
        assert!(value(&page, r#"patron_database_batch_writes_count{database="sqlite"}"#) >= 3.0);
        assert!(value(&page, r#"patron_database_commit_duration_seconds_sum{database="sqlite"}"#) > 0.0);
        assert_eq!(value(&page, r#"patron_database_queued_writes{database="sqlite"}"#), 0.0);
    }
    for secret in ["secret", KEY, id.as_str().unwrap(), "external/secret-one"] {
        assert!(!page.contains(secret), "{secret} in {page}");
    }
}

#[tokio::test]
async fn the_main_port_serves_metrics_only_when_configured() {
    let place = Place::fresh(Backend::Sqlite).await;
    let server = place.serve();
    assert_eq!(server.get("/metrics").await.status, 404);
    drop(server);
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    let server = place.serve_with(&[PUBLIC[0], ("PATRON_METRICS_ADDRESS", &address)]);
    assert!(!scrape(&server).await.is_empty());
    assert_eq!(
        reqwest::get(format!("http://{address}/metrics")).await.unwrap().status(),
        200,
        "both places must serve metrics when both are configured"
    );
}

#[tokio::test]
async fn a_separate_metrics_address_serves_only_metrics() {
    let place = Place::fresh(Backend::Sqlite).await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    // The server does not start while another program uses that address.
    let mut command = place.command(&["serve", "--port", "0"]);
    let refused = command.env("PATRON_METRICS_ADDRESS", &address).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    let complaint = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(complaint.contains("PATRON_METRICS_ADDRESS"), "{complaint}");
    drop(free);

    let server = place.serve_with(&[("PATRON_METRICS_ADDRESS", &address)]);
    assert_eq!(server.get("/metrics").await.status, 404);
    let page = reqwest::get(format!("http://{address}/metrics")).await.unwrap();
    assert_eq!(page.status(), 200);
    assert!(page.text().await.unwrap().contains("patron_database_connections_max"));
    assert_eq!(reqwest::get(format!("http://{address}/v1/customers")).await.unwrap().status(), 404);
}
