//! A quiet tenant beside one that keeps the server busy, on purpose or by mistake.
//!
//! Every attack has its own database and server. The quiet tenant is measured alone first, then beside the attack.

mod attacks;
mod quiet;

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicBool, Ordering},
    thread::sleep,
    time::Duration,
};

use clap::ValueEnum;
use patron_tests::{
    names::NameServer,
    patron::{Backend, KEY},
};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

use self::quiet::{Quiet, Seen};
use crate::{
    cli::Options,
    histogram::Histogram,
    server::Server,
    stage::{self, Stage},
    table::{Target, heading, millis, note, verdict},
    template::Template,
};

/// The load of the loud tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Attack {
    /// Bodies of 1 MB with a thousand faults.
    Refusals,
    /// Customers of almost 1 MiB: pages of them, the log of their changes, and webhooks to eight endpoints.
    LargePages,
    /// 16 concurrent searches of 20 conditions that read every customer.
    Searches,
    /// At least 300 onboarding runs that call a host that answers after 12 s.
    SlowReceivers,
    /// Webhooks to 50 endpoints whose names are never resolved.
    SlowNames,
}

/// The time from the start of the attack to the measurement.
const LEAD: Duration = Duration::from_secs(2);

/// Runs one attack, or all.
pub(crate) fn neighbours(options: &Options, backend: Backend, customers: u64, only: Option<Attack>) {
    let all = Attack::value_variants().iter().copied();
    all.filter(|attack| only.is_none_or(|only| only == *attack)).for_each(|attack| {
        beside(options, backend, customers, attack);
    });
}

fn beside(options: &Options, backend: Backend, customers: u64, attack: Attack) {
    let name = attack.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    heading(&format!("{}: a quiet tenant beside {name}, {customers} customers", stage::name(backend)));
    let stage = Stage::new(options, backend);
    stage.fill(options, customers);
    let names = NameServer::start();
    let server_of_names = names.address().to_string();
    let mut variables = vec![("PATRON_WEBHOOKS_ALLOW_PRIVATE", "true")];
    // Older programs do not know the setting.
    if attack == Attack::SlowNames {
        variables.push(("PATRON_WEBHOOKS_NAME_SERVERS", &server_of_names));
    }
    let server = Server::patron_with(options, &stage.url, &variables);
    let quiet = Quiet::prepare(&server, attack == Attack::SlowNames);
    let time = options.turn();
    let alone = quiet.watch(&server, time);
    let prepared = attacks::prepare(&server, attack);
    let over = AtomicBool::new(false);
    let seen = std::thread::scope(|scope| {
        let attack = scope.spawn(|| attacks::run(&server, &prepared, &over));
        sleep(LEAD);
        let seen = quiet.watch(&server, time);
        over.store(true, Ordering::Relaxed);
        note(&format!("meanwhile {} answers to the loud tenant", attack.join().expect("the attack")));
        seen
    });
    print(&alone, &seen);
    note(&format!("VmHWM {:.1} MiB", server.memory("VmHWM")));
}

fn print(alone: &Seen, seen: &Seen) {
    let p99 = |histogram: &Histogram| histogram.quantile(0.99);
    for (name, of) in Seen::KINDS {
        let [before, beside] = [alone, seen].map(|seen| p99(of(seen)));
        note(&format!("{name}: p99 alone {} ms, beside {} ms", millis(before), millis(beside)));
        let seconds = |time: Option<Duration>| time.map_or(f64::NAN, |time| time.as_secs_f64());
        verdict(&format!("{name}: p99 beside ÷ alone"), seconds(beside) / seconds(before), "", Target::AtMost(3.0));
    }
    verdict("unanswered, refused or never delivered", seen.missing as f64, "", Target::AtMost(0.0));
}

/// Starts a server on a thread of its own, until the process ends.
fn listen<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("a socket");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = TcpListener::from_std(listener).expect("a listener");
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream));
            }
        });
    });
    address
}

/// Sends one request with a key, and returns the JSON of the answer.
fn ask(server: &Server, key: &str, (method, path): (&str, &str), body: &Value, expected: u16) -> Value {
    let body = (!body.is_null()).then_some(body);
    server.json(&Template::by(key, method, path, &[], body), expected)
}

/// Creates an environment, and returns a key for it.
pub(crate) fn key_of_another_environment(server: &Server) -> String {
    let body = json!({ "name": "Quiet", "type": "development" });
    let made = ask(server, KEY, ("POST", "/v1/environments"), &body, 201);
    let body =
        json!({ "name": "Quiet", "type": "private_key", "environment_id": made["id"], "roles": ["super_admin"] });
    let made = ask(server, KEY, ("POST", "/v1/secrets/api/keys"), &body, 201);
    made["api_key"].as_str().expect("a key").to_owned()
}
