//! The load of the loud tenant.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

use patron_tests::patron::KEY;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{sleep, timeout},
};

use super::{Attack, ask, listen};
use crate::{
    client::Connection,
    server::Server,
    sink::Sink,
    template::{FRESH, Random, Template},
};

/// The size of the large customers, their number, and the number of their endpoints.
const LINKS: usize = 14;
const LINK_BYTES: usize = 60_000;
const LARGE: usize = 48;
const ENDPOINTS: usize = 8;
/// The concurrent searches, and the values of each condition.
const SEARCHES: usize = 16;
const VALUES: usize = 1_000;
/// The time after which the slow host answers.
const SLOW: Duration = Duration::from_secs(12);
/// The number of runs that call it.
const RUNS: usize = 300;
/// The most endpoints of an environment.
const NAMES: usize = 50;
/// The time limit of a request.
const TIMEOUT: Duration = Duration::from_secs(15);

/// The requests of an attack, which each client repeats, and the pause between two requests.
pub(super) struct Prepared {
    clients: Vec<Template>,
    rest: Duration,
}

/// Prepares an attack.
pub(super) fn prepare(server: &Server, attack: Attack) -> Prepared {
    match attack {
        Attack::Refusals => refusals(),
        Attack::LargePages => large_pages(server),
        Attack::Searches => searches(),
        Attack::SlowReceivers => slow_receivers(server),
        Attack::SlowNames => slow_names(server),
    }
}

/// Attacks until the stop signal, and returns the number of answers.
pub(super) fn run(server: &Server, prepared: &Prepared, over: &AtomicBool) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let answers = AtomicU64::new(0);
    runtime.block_on(async {
        let clients = prepared
            .clients
            .iter()
            .map(|template| client(server.address, template.clone(), prepared.rest, over, &answers));
        futures::future::join_all(clients).await;
    });
    answers.into_inner()
}

async fn client(address: SocketAddr, mut template: Template, rest: Duration, over: &AtomicBool, answers: &AtomicU64) {
    let (mut random, mut connection) = (Random::new(), None);
    while !over.load(Ordering::Relaxed) {
        if connection.is_none() {
            connection = Connection::open(address).await.ok();
        }
        let Some(open) = &mut connection else {
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        match timeout(TIMEOUT, open.ask(template.next(&mut random, &[]))).await {
            Ok(Ok(_)) => drop(answers.fetch_add(1, Ordering::Relaxed)),
            _ => connection = None,
        }
        if !rest.is_zero() {
            sleep(rest).await;
        }
    }
}

fn as_loud(method: &str, path: &str, body: Option<&Value>) -> Template {
    Template::by(KEY, method, path, &[], body)
}

/// A body just below the size limit: one long name, and a thousand faults.
fn refusals() -> Prepared {
    let mut faulty = serde_json::Map::new();
    faulty.insert("k".repeat(900_000), json!(vec!["\u{0}"; 1_000]));
    let body = json!({ "external_id": "x", "metadata": faulty });
    Prepared { clients: vec![as_loud("POST", "/v1/customers", Some(&body)); 8], rest: Duration::ZERO }
}

fn large_pages(server: &Server) -> Prepared {
    let sink = Sink::start();
    for _ in 0..ENDPOINTS {
        ask(server, KEY, ("POST", "/v1/webhooks/endpoints"), &json!({ "url": sink.url() }), 201);
    }
    let text = "x".repeat(LINK_BYTES);
    let link = |number: usize| json!({ "provider_type": format!("p{number}"), "provider_entity_id": "1", "metadata": { "a": text } });
    let links: Vec<_> = (0..LINKS).map(link).collect();
    let mut ids = Vec::new();
    for number in 0..LARGE {
        let body = json!({ "external_id": format!("large-{number}"), "integration_entity_mapping": links });
        let made = ask(server, KEY, ("POST", "/v1/customers"), &body, 201);
        ids.push(made["id"].as_str().expect("an id").to_owned());
    }
    let first = ask(server, KEY, ("GET", "/v1/customers?limit=1&expand=integrations"), &Value::Null, 200);
    let cursor = first["pagination"]["next_cursor"].as_str().unwrap_or_default();
    let page = format!("/v1/customers?limit=1000&expand=integrations&cursor={cursor}");
    let mut clients = vec![as_loud("GET", &page, None); 4];
    clients.extend(vec![as_loud("GET", "/v1/customers?limit=1000&expand=integrations", None); 2]);
    clients.extend(vec![as_loud("GET", "/v1/events?limit=1000", None); 2]);
    // Each change makes an event of almost 1 MiB, for eight endpoints.
    clients.extend(
        ids.iter()
            .take(2)
            .map(|id| as_loud("PUT", &format!("/v1/customers/{id}"), Some(&json!({ "name": format!("n{FRESH}") })))),
    );
    Prepared { clients, rest: Duration::ZERO }
}

fn searches() -> Prepared {
    let fields = ["name", "email", "contact", "address_line1", "address_city", "address_state", "external_id"];
    let filters: Vec<_> = (0..20)
        .map(|number| {
            let values: Vec<_> = (0..VALUES / 20).map(|value| format!("nobody {number} {value}")).collect();
            let field = fields[number % fields.len()];
            json!({ "field": field, "operator": "not_in", "value": { "array": values } })
        })
        .collect();
    let body = json!({ "filters": filters, "limit": 1 });
    Prepared { clients: vec![as_loud("POST", "/v1/customers/search", Some(&body)); SEARCHES], rest: Duration::ZERO }
}

/// A customer that is onboarded.
fn onboarded() -> Template {
    let body = json!({ "external_id": format!("loud-{FRESH}"), "skip_onboarding_workflow": false });
    as_loud("POST", "/v1/customers", Some(&body))
}

fn slow_receivers(server: &Server) -> Prepared {
    let url = format!("http://{}/", slow_host());
    let body = json!({ "value": { "steps": [{ "type": "http_call", "url": url }] } });
    ask(server, KEY, ("PUT", "/v1/settings/customer_onboarding"), &body, 200);
    let (mut template, mut random) = (onboarded(), Random::new());
    for _ in 0..RUNS {
        server.ask(template.next(&mut random, &[]));
    }
    Prepared { clients: vec![onboarded(); 2], rest: Duration::from_millis(100) }
}

/// Starts a server that answers every request after a while, until the process ends.
fn slow_host() -> SocketAddr {
    listen(|mut stream| async move {
        let _ = stream.read(&mut [0; 65_536]).await;
        sleep(SLOW).await;
        let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").await;
    })
}

fn slow_names(server: &Server) -> Prepared {
    for number in 0..NAMES {
        let url = format!("http://slow{number}.bench.test:8080/");
        ask(server, KEY, ("POST", "/v1/webhooks/endpoints"), &json!({ "url": url }), 201);
    }
    let body = json!({ "external_id": format!("loud-{FRESH}"), "skip_onboarding_workflow": true });
    let create = as_loud("POST", "/v1/customers", Some(&body));
    Prepared { clients: vec![create; 2], rest: Duration::from_millis(100) }
}
