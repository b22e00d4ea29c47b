//! The quiet tenant: it reads and creates customers, which go to a webhook endpoint and are onboarded.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{ask, key_of_another_environment, listen};
use crate::{
    client::Connection,
    histogram::Histogram,
    load::{self, Load, Operation, Until},
    server::Server,
    template::{FRESH, KNOWN_ID, Known, Random, Template},
};

/// The clients that read, and the pause between two requests of each.
const READERS: (usize, Duration) = (4, Duration::from_millis(20));
/// The pause of the client that creates.
const REST: Duration = Duration::from_millis(50);
/// The number of its customers.
const CUSTOMERS: usize = 100;
/// How long to wait for deliveries after the measurement.
const LATE: Duration = Duration::from_secs(30);
/// The time limit of a request.
const HUNG: Duration = Duration::from_secs(20);

/// The time when each customer was requested, by its digits, and the time until it arrived at each path.
type Sent = Arc<Mutex<HashMap<String, Instant>>>;
type Arrived = Arc<Mutex<HashMap<(String, &'static str), Duration>>>;

/// The quiet tenant.
pub(super) struct Quiet {
    key: String,
    known: Arc<Vec<Known>>,
    sent: Sent,
    arrived: Arrived,
}

/// Its measurements.
pub(super) struct Seen {
    gets: Histogram,
    creates: Histogram,
    webhooks: Histogram,
    onboardings: Histogram,
    /// The number of requests without a successful answer, and of customers that were not delivered or not onboarded.
    pub(super) missing: u64,
}

/// The latencies of one kind.
type Kind = (&'static str, fn(&Seen) -> &Histogram);

impl Seen {
    /// The figure that is compared.
    pub(super) const KINDS: [Kind; 4] = [
        ("GET", |seen| &seen.gets),
        ("create", |seen| &seen.creates),
        ("webhook", |seen| &seen.webhooks),
        ("onboarding", |seen| &seen.onboardings),
    ];
}

const HOOK: &str = "/hook";
const CRM: &str = "/crm";

impl Quiet {
    /// Creates it, with customers, an endpoint and a workflow.
    pub(super) fn prepare(server: &Server, by_name: bool) -> Self {
        let key = key_of_another_environment(server);
        let (sent, arrived) = (Sent::default(), Arrived::default());
        let port = receive(sent.clone(), arrived.clone()).port();
        let host = if by_name { "quiet.bench.test" } else { "127.0.0.1" };
        let url = |path: &str| format!("http://{host}:{port}{path}");
        let quiet = Self { key, known: Arc::default(), sent, arrived };
        let ids: Vec<Known> = (0..CUSTOMERS)
            .filter_map(|_| {
                let body = json!({ "external_id": format!("bench-{FRESH}") });
                let made = quiet.ask(server, "POST", "/v1/customers", &body, 201);
                let text = |name: &str| made[name].as_str().unwrap_or_default().to_owned();
                Known::of((text("id"), text("external_id")))
            })
            .collect();
        let endpoint = json!({ "url": url(HOOK), "event_types": ["customer.created"] });
        quiet.ask(server, "POST", "/v1/webhooks/endpoints", &endpoint, 201);
        let workflow = json!({ "value": { "steps": [{ "type": "http_call", "url": url(CRM) }] } });
        quiet.ask(server, "PUT", "/v1/settings/customer_onboarding", &workflow, 200);
        Self { known: Arc::new(ids), ..quiet }
    }

    fn ask(&self, server: &Server, method: &str, path: &str, body: &Value, expected: u16) -> Value {
        ask(server, &self.key, (method, path), body, expected)
    }

    /// Runs it for some time.
    pub(super) fn watch(&self, server: &Server, time: Duration) -> Seen {
        let template = Template::by(&self.key, "GET", &format!("/v1/customers/{KNOWN_ID}"), &[], None);
        let operations = Operation::only(template, 200);
        let load = Load { address: server.address, operations, known: self.known.clone() };
        let (gets, (creates, made, mut missing)) = std::thread::scope(|scope| {
            let creates = scope.spawn(|| self.create(server.address, time));
            let gets = load::run_rested(&load, READERS.0, Until::Elapsed(time), READERS.1);
            (gets, creates.join().expect("the one that creates"))
        });
        missing += gets.broken + gets.other.values().sum::<u64>();
        let give_up = Instant::now() + LATE;
        let is_there = |digits: &String, path| {
            let arrived = self.arrived.lock().expect("no panic");
            arrived.get(&(digits.clone(), path)).copied()
        };
        while Instant::now() < give_up
            && made.iter().any(|digits| is_there(digits, HOOK).is_none() || is_there(digits, CRM).is_none())
        {
            sleep(Duration::from_millis(100));
        }
        let [webhooks, onboardings] = [HOOK, CRM].map(|path| {
            let mut histogram = Histogram::default();
            for digits in &made {
                match is_there(digits, path) {
                    Some(took) => histogram.record(took),
                    None => missing += 1,
                }
            }
            histogram
        });
        Seen { gets: gets.latency, creates, webhooks, onboardings, missing }
    }

    /// Creates customers one after another. Returns the latencies, the created customers, and the number of failures.
    fn create(&self, address: SocketAddr, time: Duration) -> (Histogram, Vec<String>, u64) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let (mut took, mut made, mut missing) = (Histogram::default(), Vec::new(), 0);
            let (begun, mut random, mut connection) = (Instant::now(), Random::new(), None);
            while begun.elapsed() < time {
                let digits = String::from_utf8(random.digits().to_vec()).expect("digits");
                let body = json!({ "external_id": format!("bench-{digits}"), "skip_onboarding_workflow": false });
                let mut request = Template::by(&self.key, "POST", "/v1/customers", &[], Some(&body));
                let sent = Instant::now();
                self.sent.lock().expect("no panic").insert(digits.clone(), sent);
                let asked = async {
                    if connection.is_none() {
                        connection = Some(Connection::open(address).await?);
                    }
                    let open = connection.as_mut().expect("a connection");
                    open.ask(request.next(&mut random, &[])).await
                };
                match tokio::time::timeout(HUNG, asked).await {
                    Ok(Ok(answer)) if answer.status == 201 => {
                        took.record(sent.elapsed());
                        made.push(digits);
                    }
                    Ok(Ok(_)) => missing += 1,
                    _ => {
                        missing += 1;
                        connection = None;
                    }
                }
                tokio::time::sleep(REST).await;
            }
            (took, made, missing)
        })
    }
}

/// Starts a receiver that records the customers of its requests, until the process ends.
fn receive(sent: Sent, arrived: Arrived) -> SocketAddr {
    listen(move |stream| take(stream, sent.clone(), arrived.clone()))
}

async fn take(mut stream: TcpStream, sent: Sent, arrived: Arrived) {
    const TAKEN: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
    let mut buffer = Vec::with_capacity(8192);
    while let Ok(1..) = stream.read_buf(&mut buffer).await {
        while let Some((_, end)) = crate::sink::whole(&buffer) {
            let text = String::from_utf8_lossy(&buffer[..end]).into_owned();
            let path = if text.starts_with(&format!("POST {CRM} ")) { CRM } else { HOOK };
            let digits = text.split("bench-").nth(1).and_then(|rest| rest.get(..16)).unwrap_or_default().to_owned();
            let begun = sent.lock().expect("no panic").get(&digits).copied();
            if let Some(begun) = begun {
                arrived.lock().expect("no panic").entry((digits, path)).or_insert(begun.elapsed());
            }
            buffer.drain(..end);
            if stream.write_all(TAKEN).await.is_err() {
                return;
            }
        }
    }
}
