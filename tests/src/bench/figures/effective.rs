//! How long the taxes of a customer take that has many of them.

use patron_tests::patron::Backend;
use serde_json::{Value, json};

use super::sizes::median;
use crate::{
    cli::Options,
    load::{self, Load, Operation, Until},
    server::Server,
    stage::{Stage, name},
    table::{Target, heading, sides, verdict},
    template::Template,
    turns::{Side, take},
};

const ASSOCIATIONS: usize = 20;
const EXEMPTIONS: usize = 5;
const CHANGES: i32 = 10;

/// The taxes that apply to a customer with 20 associations, 5 exemptions and 10 changes of each rate: now, and at a moment of the
/// past as known then.
pub(crate) fn effective(options: &Options, backend: Backend) {
    heading(&format!(
        "{}: taxes of a customer with {ASSOCIATIONS} associations, {EXEMPTIONS} exemptions, {CHANGES} changes of each rate",
        name(backend)
    ));
    let stage = Stage::new(options, backend);
    let server = stage.serve(options);
    let codes: Vec<String> = (0..ASSOCIATIONS).map(|number| rate(&server, number)).collect();
    let body = json!({
        "external_id": "taxed",
        "address_country": "US",
        "address_state": "CA",
        "tax_exemptions": (0..EXEMPTIONS).map(|number| exemption(number, &codes)).collect::<Vec<_>>(),
        "tax_rate_overrides": codes.iter().map(|code| json!({ "tax_rate_code": code, "currency": "usd" })).collect::<Vec<_>>(),
    });
    let customer = post(&server, "/v1/customers", &body);
    let id = customer["id"].as_str().expect("an id");
    let known_at = customer["created_at"].as_str().expect("a time");
    for (kind, query) in [("now", String::new()), ("as known before", format!("&known_at={known_at}"))] {
        let path = format!("/v1/customers/{id}/taxes/effective?currency=usd&state=NY{query}");
        let template = Template::new("GET", &path, &[], None);
        let load =
            Load { address: server.address, operations: Operation::only(template, 200), known: Default::default() };
        let side = Side::new(kind, move |time| load::run(&load, 1, Until::Elapsed(time)).into());
        let outcomes = take(options, vec![side]);
        sides(&outcomes);
        verdict(&format!("p50, {kind}"), median(&outcomes[0]) * 1_000.0, " ms", Target::AtMost(1.0));
    }
}

/// Creates a rate with its changes, and returns its code.
fn rate(server: &Server, number: usize) -> String {
    let code = format!("RATE_{number}");
    let rate = post(server, "/v1/taxes/rates", &json!({ "code": code, "name": code, "percentage_value": "19" }));
    let changes = format!("/v1/taxes/rates/{}/changes", rate["id"].as_str().expect("an id"));
    for change in 0..CHANGES {
        let from = format!("{}-01-01T00:00:00Z", 2010 + change);
        post(server, &changes, &json!({ "effective_from": from, "percentage_value": "16", "correction": true }));
    }
    code
}

/// An exemption in one state from one of the rates.
fn exemption(number: usize, codes: &[String]) -> Value {
    json!({ "reason": "nonprofit", "country": "US", "state": "NY", "certificate_number": format!("NY-{number}"),
        "tax_rate_codes": [codes[number]] })
}

fn post(server: &Server, path: &str, body: &Value) -> Value {
    server.json(&Template::new("POST", path, &[], Some(body)), 201)
}
