//! 2,000 connections that create concurrently, clients that vanish in the middle of a body, and 16 well-behaved clients.

mod crowd;
mod vanishing;

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use patron_tests::patron::Backend;

use crate::{
    cli::Options,
    load::{self, Load, Operation, Tally, Until},
    server::Server,
    stage::{self, Stage},
    table::{Target, heading, millis, note, verdict},
    template::{create, full_body, get},
};

/// The well-behaved clients: half of their requests read, half create.
const CALM: usize = 16;
/// The pause of a well-behaved client between two requests.
const REST: Duration = Duration::from_millis(20);
/// The length of the calm phase before the crowd, and of the observation after it.
const BEFORE: Duration = Duration::from_secs(5);
const AFTER: Duration = Duration::from_secs(3);
/// The number of customers before the crowd, which creates about as many again. On an empty database the phase before
/// would be fast for reasons other than the missing crowd.
const CUSTOMERS: u64 = 100_000;
/// The time allowed until latency is back to normal.
const RECOVERY: Duration = Duration::from_secs(1);

/// All figures under overload.
pub(crate) fn overload(options: &Options, backend: Backend, connections: usize, seconds: u64) {
    let stage = Stage::new(options, backend);
    stage.fill(options, CUSTOMERS);
    let server = stage.serve(options);
    let load = calm_load(&server, &stage);
    heading(&format!(
        "{}: {connections} connections create concurrently for {seconds} s, {CUSTOMERS} customers",
        stage::name(backend)
    ));
    let before = calm(&load, BEFORE);
    let sockets_before = settled_sockets(&server, usize::MAX);
    let duration = Duration::from_secs(seconds);
    let (during, crowd, vanished) = std::thread::scope(|scope| {
        let crowd = scope.spawn(|| crowd::run(server.address, connections, duration));
        let vanished = scope.spawn(|| vanishing::run(server.address, duration));
        let during = calm(&load, duration);
        (during, crowd.join().expect("the crowd"), vanished.join().expect("the vanishing clients"))
    });
    let recovering = calm(&load, RECOVERY);
    let after = calm(&load, AFTER);

    let phases = [("before", &before), ("during", &during), ("the first second after", &recovering), ("later", &after)];
    phases.into_iter().for_each(|(name, tally)| phase(name, tally));
    crowd.print();
    let longest = crowd.longest().max(during.latency.longest()).as_secs_f64();
    let silent = (crowd.unanswered + during.broken) as f64;
    verdict("p99 of the well-behaved during overload", p99(&during), " s", Target::AtMost(0.5));
    verdict("longest request of any client", longest, " s", Target::AtMost(10.0));
    verdict("requests without an answer", silent, "", Target::AtMost(0.0));
    verdict("503 without Retry-After", crowd.without_retry_after as f64, "", Target::AtMost(0.0));
    verdict("VmHWM", server.memory("VmHWM"), " MiB", Target::AtMost(128.0));
    // The machine itself varies by up to a factor of two.
    verdict("p99 later than 1 s after the overload ÷ before", p99(&after) / p99(&before), "", Target::AtMost(2.0));
    let sockets = settled_sockets(&server, sockets_before).saturating_sub(sockets_before);
    verdict("sockets left open by vanished clients", sockets as f64, "", Target::AtMost(0.0));
    note(&format!("{} clients vanished in the middle of a body", vanished.len()));
    let left = vanishing::left_behind(&server, &vanished);
    verdict("customers created by vanished clients", left as f64, "", Target::AtMost(0.0));
}

fn calm_load(server: &Server, stage: &Stage) -> Load {
    let operations = vec![
        Operation { template: get(), expected: 200, weight: 1 },
        Operation { template: create(&full_body()), expected: 201, weight: 1 },
    ];
    Load { address: server.address, operations, known: stage.known(1000) }
}

fn calm(load: &Load, time: Duration) -> Tally {
    load::run_rested(load, CALM, Until::Elapsed(time), REST)
}

fn p99(tally: &Tally) -> f64 {
    tally.latency.quantile(0.99).unwrap_or_default().as_secs_f64()
}

fn phase(name: &str, tally: &Tally) {
    let [p50, p99] = [0.5, 0.99].map(|share| millis(tally.latency.quantile(share)));
    let longest = millis(Some(tally.latency.longest()));
    let mut others: String = tally.other.iter().map(|(status, count)| format!(", {count} × {status}")).collect();
    if tally.broken > 0 {
        others += &format!(", {} × no answer", tally.broken);
    }
    let rate = tally.per_second;
    note(&format!("{CALM} well-behaved, {name}: {rate:.0}/s, p50 {p50}, p99 {p99}, max {longest} ms{others}"));
}

/// The open sockets of the server once it has closed the vanished clients' ones, or after 3 s.
fn settled_sockets(server: &Server, enough: usize) -> usize {
    let give_up = Instant::now() + Duration::from_secs(3);
    loop {
        sleep(Duration::from_millis(250));
        let sockets = server.open_sockets();
        if sockets <= enough || Instant::now() >= give_up {
            return sockets;
        }
    }
}
