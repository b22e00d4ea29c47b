//! Definitions that are refused.

use patron_tests::patron::{Backend, Place};
use serde_json::{Value, json};

use super::{SETTING, put};

#[tokio::test]
async fn all_faults_of_a_definition_are_reported_at_their_paths() {
    let place = Place::fresh(Backend::Sqlite).await;
    let server = place.serve();
    let bad = json!({ "value": {
        "actions": [{ "action": "create_wallet" }],
        "steps": [
            { "type": "link_integration", "provider_type": "", "pointer": "id" },
            { "type": "http_call", "url": "ftp://crm.example", "expected_status": [99],
              "retry": { "max_attempts": 0, "first_delay_seconds": "soon" } },
            { "type": "email" },
            7,
        ],
    } });
    let refused = put(&server, SETTING, &bad).await;
    let wanted = [
        "value.actions[0].action",
        "value.steps[0].pointer",
        "value.steps[0].provider_type",
        "value.steps[1].expected_status",
        "value.steps[1].retry.first_delay_seconds",
        "value.steps[1].retry.max_attempts",
        "value.steps[1].url",
        "value.steps[2].type",
        "value.steps[3]",
    ];
    let mut paths = refused.error().1;
    paths.sort_unstable();
    assert_eq!((refused.status, paths), (400, wanted.to_vec()));
    for (body, path) in [
        (json!({}), "value"),
        (json!({ "value": {} }), "value.steps"),
        (
            json!({ "value": { "steps": vec![json!({ "type": "http_call", "url": "https://a.example" }); 21] } }),
            "value.steps",
        ),
        (
            json!({ "value": { "steps": [{ "type": "link_integration", "provider_type": "a", "pointer": "/id" }] } }),
            "value.steps[0].type",
        ),
    ] {
        let refused = put(&server, SETTING, &body).await;
        assert_eq!((refused.status, refused.error().1), (400, vec![path]), "{body}");
    }
    assert_eq!(server.get(&format!("{SETTING}/nowhere")).await.status, 404);
}

#[tokio::test]
async fn a_step_with_a_refused_address_is_accepted_with_a_warning() {
    let place = Place::fresh(Backend::Sqlite).await;
    let call = |url: &str| json!({ "type": "http_call", "url": url });
    let setting = json!({ "value": { "steps": [
        call("https://crm.example/customers"),
        { "type": "link_integration", "provider_type": "crm", "pointer": "/id" },
        call("http://127.0.0.1:4001/"),
        call("http://crm.example/"),
    ] } });
    let warned = |answer: &Value| {
        let warnings = answer["warnings"].as_array().cloned().unwrap_or_default();
        let each = warnings.iter().map(|warning| {
            assert_eq!(warning["rule"], "address_refused");
            (warning["path"].as_str().unwrap().to_owned(), warning["message"].as_str().unwrap().to_owned())
        });
        each.collect::<Vec<_>>()
    };
    let server = place.serve();
    for path in [SETTING.to_owned(), format!("{SETTING}/named")] {
        let set = put(&server, &path, &setting).await.expect(200);
        let found = warned(&set);
        let paths: Vec<_> = found.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["value.steps[2].url", "value.steps[3].url"]);
        assert!(found[0].1.contains("PATRON_WEBHOOKS_ALLOW_PRIVATE"), "{found:?}");
        assert!(found[1].1.contains("PATRON_WEBHOOKS_ALLOW_HTTP"), "{found:?}");
        assert_eq!(warned(&server.get(&path).await.expect(200)), found);
    }
    drop(server);

    let server = place.serve_with(&[("PATRON_WEBHOOKS_ALLOW_PRIVATE", "true"), ("PATRON_WEBHOOKS_ALLOW_HTTP", "true")]);
    assert!(server.get(SETTING).await.expect(200).get("warnings").is_none());
}
