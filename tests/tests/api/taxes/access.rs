//! Permissions for taxes.

use patron_tests::patron::{Backend, KEY, Place, send};
use reqwest::Method;
use serde_json::json;

use super::{ASSOCIATIONS, RATES, a_rate, id, refused};

#[tokio::test]
async fn a_reader_can_read_but_not_change_taxes() {
    let place = Place::fresh(Backend::Sqlite).await;
    let server = place.serve();
    let rate = a_rate(&server, "VAT").await;
    let reader = place.run_ok(&["keys", "create", "--name", "r", "--role", "all_reader"]).trim().to_owned();
    assert_ne!(reader, KEY);
    for (method, path) in [
        (Method::PUT, format!("{RATES}/{}", id(&rate))),
        (Method::DELETE, format!("{RATES}/{}", id(&rate))),
        (Method::POST, ASSOCIATIONS.to_owned()),
        (Method::PUT, format!("{ASSOCIATIONS}/x")),
        (Method::DELETE, format!("{ASSOCIATIONS}/x")),
    ] {
        let answer = send(server.request_as(&reader, method, &path).json(&json!({}))).await;
        refused(&answer, 403, "permission_denied", &[]);
    }
    for path in [RATES, ASSOCIATIONS] {
        assert_eq!(send(server.request_as(&reader, Method::GET, path)).await.status, 200);
    }
}
