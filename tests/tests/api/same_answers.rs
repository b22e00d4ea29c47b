//! Both databases give the same answers to the same requests.

use std::collections::HashMap;

use patron_tests::{
    patron::{Answer, Backend, Place, Server, send},
    requests::{full, minimal, tax_rate},
};
use reqwest::Method;
use serde_json::{Value, json};

/// Replaces ids and times by numbers in order of their first appearance, so that two runs can be compared.
#[derive(Default)]
struct Normaliser {
    seen: HashMap<String, String>,
}

impl Normaliser {
    fn normalise(&mut self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => items.into_iter().map(|item| self.normalise(item)).collect(),
            Value::Object(map) => map.into_iter().map(|(key, value)| (key, self.normalise(value))).collect(),
            other => other,
        }
    }

    fn text(&mut self, text: String) -> String {
        let prefix = text.rsplit_once('_').filter(|(_, rest)| rest.len() == 26).map(|(prefix, _)| prefix.to_owned());
        let is_time = text.len() == 27 && text.ends_with('Z') && text.as_bytes()[10] == b'T';
        let Some(kind) = prefix.or_else(|| is_time.then(|| "time".to_owned())) else { return text };
        let number = self.seen.len();
        self.seen.entry(text).or_insert_with(|| format!("{kind} {number}")).clone()
    }
}

async fn play(server: &Server) -> Vec<(u16, Value)> {
    let mut normaliser = Normaliser::default();
    let mut answers = Vec::new();
    let mut note = |answer: Answer| {
        let body = answer.body.clone();
        answers.push((answer.status, normaliser.normalise(answer.body)));
        body
    };
    let mut inactive = tax_rate("OLD");
    inactive["tax_rate_status"] = json!("INACTIVE");
    note(server.post("/v1/taxes/rates", &tax_rate("VAT")).await);
    note(server.post("/v1/taxes/rates", &inactive).await);
    note(server.post("/v1/taxes/rates", &tax_rate("VAT")).await);

    let mut same_stripe = minimal("subsidiary");
    same_stripe["integration_entity_mapping"] = json!([{ "provider_type": "stripe", "provider_entity_id": "cus_1" }]);
    let mut wrong = full("wrong");
    wrong["email"] = json!("x");
    wrong["tax_rate_overrides"] = json!([{ "tax_rate_code": "OLD", "currency": "EUR" }, 5]);
    let mut off = full("off");
    off["tax_rate_overrides"] = json!([{ "tax_rate_code": "OLD", "currency": "EUR" }]);
    let mut unknown = full("unknown");
    unknown["tax_rate_overrides"] = json!([{ "tax_rate_code": "vat", "currency": "EUR" }]);
    let numbers = json!({ "big": 18_446_744_073_709_551_615_u64, "small": -9_223_372_036_854_775_808_i64, "float": 0.1, "e": 1e300, "t": true });
    let mut odd = minimal("ODD \u{1F980} e\u{301}");
    odd["name"] = json!("\u{FEFF}bom 'quote' \"double\" \\ % _");
    odd["address_line1"] = json!("line\nbreak\r\n\ttab");
    odd["metadata"] = json!({ "controls": "\u{1}\u{1b}\u{7f}\u{85}" });
    odd["integration_entity_mapping"] =
        json!([{ "provider_type": "Π", "provider_entity_id": "'; DROP TABLE customers; --", "metadata": numbers }]);

    let mut ids = Vec::new();
    for body in [
        full("acme"),
        minimal("Acme"),
        minimal("acme "),
        same_stripe,
        full("acme"),
        wrong,
        off,
        unknown,
        odd,
        minimal("e\u{301}"),
        minimal("\u{e9}"),
    ] {
        let answer = note(server.post("/v1/customers", &body).await);
        if let Some(id) = answer["id"].as_str() {
            ids.push(id.to_owned());
        }
    }
    for id in &ids {
        note(server.get(&format!("/v1/customers/{id}")).await);
        note(server.get(&format!("/v1/integrations/mappings?entity_type=customer&entity_id={id}")).await);
        note(server.get(&format!("/v1/taxes/associations?entity_type=customer&entity_id={id}&limit=1")).await);
    }
    for path in [
        "/v1/customers/external/acme",
        "/v1/customers/external/ACME",
        "/v1/customers/external/acme%20",
        "/v1/customers/external/%C3%A9",
        "/v1/customers/external/e%CC%81",
        "/v1/integrations/mappings?provider_type=stripe&provider_entity_id=cus_1",
        "/v1/integrations/mappings?provider_type=stripe&provider_entity_id=cus_1&limit=1&offset=1",
        "/v1/integrations/mappings?provider_type=stripe&provider_entity_id=cus_1&offset=9223372036854775807",
        "/v1/taxes/associations?entity_type=tenant",
    ] {
        note(server.get(path).await);
    }
    for answer in taxes(server, &ids[0]).await {
        note(answer);
    }
    answers
}

/// Changes and lists of tax rates and associations.
async fn taxes(server: &Server, customer: &str) -> Vec<Answer> {
    let send = async |method: Method, path: &str, body: Value| send(server.request(method, path).json(&body)).await;
    let mut answers = Vec::new();
    let mut rates = Vec::new();
    for code in ["a", "A", "\u{e4}", "\u{1F980}"] {
        let answer = server.post("/v1/taxes/rates", &tax_rate(code)).await;
        rates.push(answer.body["id"].as_str().unwrap().to_owned());
        answers.push(answer);
    }
    let mut associations = Vec::new();
    for (code, kind, currency) in [
        ("a", "customer", json!("eur")),
        ("a", "customer", Value::Null),
        ("A", "tenant", json!("USD")),
        ("a", "customer", json!("EUR")),
    ] {
        let entity = if kind == "customer" { json!(customer) } else { Value::Null };
        let body = json!({ "tax_rate_code": code, "entity_type": kind, "entity_id": entity, "currency": currency });
        let answer = send(Method::POST, "/v1/taxes/associations", body).await;
        associations.extend(answer.body["id"].as_str().map(str::to_owned));
        answers.push(answer);
    }
    for (rate, body) in [
        (0, json!({ "percentage_value": 1 })),
        (2, json!({ "code": "a" })),
        (3, json!({ "description": "x", "metadata": {} })),
    ] {
        answers.push(send(Method::PUT, &format!("/v1/taxes/rates/{}", rates[rate]), body).await);
    }
    for rate in [&rates[0], &rates[2], &rates[2]] {
        answers.push(send(Method::DELETE, &format!("/v1/taxes/rates/{rate}"), Value::Null).await);
    }
    for association in &associations {
        let path = format!("/v1/taxes/associations/{association}");
        answers.push(send(Method::PUT, &path, json!({ "priority": 5, "metadata": { "k": "v" } })).await);
        answers.push(server.get(&path).await);
    }
    for path in [
        "/v1/taxes/rates?limit=2&offset=1".to_owned(),
        "/v1/taxes/rates?order=asc&taxrate_codes=a,A,%C3%A4".to_owned(),
        "/v1/taxes/rates?status=archived".to_owned(),
        "/v1/taxes/associations?expand=tax_rate".to_owned(),
        format!("/v1/taxes/associations?tax_rate_ids={},{}&order=asc", rates[0], rates[1]),
        "/v1/taxes/associations?currency=EUR&auto_apply=true".to_owned(),
        format!("/v1/customers/{customer}/taxes/effective?currency=EUR&at=2100-01-01T00:00:00Z"),
    ] {
        answers.push(server.get(&path).await);
    }
    for association in [&associations[0], &associations[0], &associations[2]] {
        answers.push(send(Method::DELETE, &format!("/v1/taxes/associations/{association}"), Value::Null).await);
    }
    answers.push(server.get("/v1/taxes/associations?status=deleted").await);
    answers
}

#[tokio::test]
async fn the_same_requests_get_the_same_answers() {
    let sqlite = Place::fresh(Backend::Sqlite).await;
    let postgres = Place::fresh(Backend::Postgres).await;
    let (one, other) = (play(&sqlite.serve()).await, play(&postgres.serve()).await);
    assert_eq!(one.len(), other.len());
    for (number, (one, other)) in one.iter().zip(&other).enumerate() {
        assert_eq!(one, other, "answer {number}");
    }
    assert!(one.iter().all(|(status, _)| *status < 500));
}
