//! Many concurrent clients, each in a closed loop: it sends the next request after the last answer.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::task::JoinSet;

use crate::{
    client::Connection,
    histogram::Histogram,
    template::{Known, Random, Template},
};

/// The maximum number of threads; otherwise one for each processor.
const THREADS: usize = 2;
/// How long a run waits for answers after its end. Later answers count as broken.
const TIMEOUT: Duration = Duration::from_secs(20);

/// One kind of request.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    /// The request.
    pub(crate) template: Template,
    /// The expected status.
    pub(crate) expected: u16,
    /// Its weight in the random choice of operations.
    pub(crate) weight: u64,
}

impl Operation {
    /// The only operation of a load.
    pub(crate) fn only(template: Template, expected: u16) -> Vec<Self> {
        vec![Self { template, expected, weight: 1 }]
    }
}

/// The requests and their server.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    /// The server.
    pub(crate) address: SocketAddr,
    /// The kinds of requests.
    pub(crate) operations: Vec<Operation>,
    /// Existing customers, for operations that need one.
    pub(crate) known: Arc<Vec<Known>>,
}

/// When a client stops.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    /// After this time.
    Elapsed(Duration),
    /// After this many answers to each client.
    Answers(u64),
}

/// The result of a run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    /// Answers with the expected status.
    pub(crate) good: u64,
    /// Answers with another status, by status.
    pub(crate) other: BTreeMap<u16, u64>,
    /// Connections that broke and answers that never came.
    pub(crate) broken: u64,
    /// The latencies of good answers.
    pub(crate) latency: Histogram,
    /// Good answers per second.
    pub(crate) per_second: f64,
}

impl Tally {
    /// Adds the counts of another run.
    pub(crate) fn add(&mut self, other: &Self) {
        self.good += other.good;
        self.broken += other.broken;
        self.latency.add(&other.latency);
        other.other.iter().for_each(|(status, count)| *self.other.entry(*status).or_default() += count);
    }
}

/// Runs a load to its end.
pub(crate) fn run(load: &Load, clients: usize, until: Until) -> Tally {
    run_rested(load, clients, until, Duration::ZERO)
}

/// The same, with a pause of each client after each answer.
pub(crate) fn run_rested(load: &Load, clients: usize, until: Until, rest: Duration) -> Tally {
    let threads = THREADS.min(clients);
    let started = Instant::now();
    let mut tally = Tally::default();
    std::thread::scope(|scope| {
        let share = |thread| clients / threads + usize::from(thread < clients % threads);
        let running: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(move || run_thread(load, share(thread), started, until, rest)))
            .collect();
        running.into_iter().for_each(|thread| tally.add(&thread.join().expect("a thread of the load")));
    });
    let seconds = match until {
        Until::Elapsed(time) => time,
        Until::Answers(_) => started.elapsed(),
    };
    tally.per_second = tally.good as f64 / seconds.as_secs_f64();
    tally
}

fn run_thread(load: &Load, clients: usize, started: Instant, until: Until, rest: Duration) -> Tally {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut running: JoinSet<_> = (0..clients).map(|_| client(load.clone(), started, until, rest)).collect();
        let mut tally = Tally::default();
        let timeout = match until {
            Until::Elapsed(time) => time + TIMEOUT,
            Until::Answers(_) => Duration::from_secs(3600),
        };
        let all = async {
            while let Some(client) = running.join_next().await {
                tally.add(&client.expect("a client"));
            }
        };
        let in_time = tokio::time::timeout_at((started + timeout).into(), all).await;
        if in_time.is_err() {
            tally.broken += running.len() as u64;
        }
        tally
    })
}

async fn client(mut load: Load, started: Instant, until: Until, rest: Duration) -> Tally {
    let (mut tally, mut random) = (Tally::default(), Random::new());
    let mut connection = None;
    let weights: u64 = load.operations.iter().map(|operation| operation.weight).sum();
    loop {
        let sent = Instant::now();
        let over = match until {
            Until::Elapsed(time) => sent - started >= time,
            Until::Answers(count) => tally.good + tally.broken + tally.other.values().sum::<u64>() >= count,
        };
        if over {
            return tally;
        }
        if connection.is_none() {
            connection = Connection::open(load.address).await.ok();
        }
        let Some(open) = &mut connection else {
            tally.broken += 1;
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let operation = draw(&mut load.operations, weights, &mut random);
        let answer = open.ask(operation.template.next(&mut random, &load.known)).await;
        let took = sent.elapsed();
        // An answer after the end is not counted.
        if matches!(until, Until::Elapsed(time) if started.elapsed() > time) {
            return tally;
        }
        match answer {
            Ok(answer) if answer.status == operation.expected => {
                tally.good += 1;
                tally.latency.record(took);
            }
            Ok(answer) => *tally.other.entry(answer.status).or_default() += 1,
            Err(_) => {
                tally.broken += 1;
                connection = None;
            }
        }
        if !rest.is_zero() {
            tokio::time::sleep(rest).await;
        }
    }
}

fn draw<'a>(operations: &'a mut [Operation], weights: u64, random: &mut Random) -> &'a mut Operation {
    let mut left = if operations.len() == 1 { 0 } else { random.next() % weights };
    let found = operations.iter().position(|operation| {
        let found = left < operation.weight;
        left = left.saturating_sub(operation.weight);
        found
    });
    &mut operations[found.unwrap_or_default()]
}
