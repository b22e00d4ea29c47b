//! The crowd: each connection sends the next create as soon as the last one is answered.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    client::Connection,
    histogram::Histogram,
    table::{millis, note},
    template::{Random, create, full_body},
};

/// A request that takes longer is considered hung and abandoned.
const HUNG: Duration = Duration::from_secs(15);
/// The wait after a 503 or a refused connection before the next request.
const TURNED_AWAY: Duration = Duration::from_millis(100);

/// The results of the crowd.
#[derive(Debug, Default)]
pub(crate) struct Crowd {
    statuses: BTreeMap<u16, (u64, Histogram)>,
    /// Requests that timed out or whose connection broke.
    pub(crate) unanswered: u64,
    /// Connections that were refused.
    refused: u64,
    /// 503 answers without `Retry-After`.
    pub(crate) without_retry_after: u64,
    seconds: f64,
}

impl Crowd {
    /// The longest answered request.
    pub(crate) fn longest(&self) -> Duration {
        self.statuses.values().map(|(_, latency)| latency.longest()).max().unwrap_or_default()
    }

    /// Prints a line for each status.
    pub(crate) fn print(&self) {
        for (status, (count, latency)) in &self.statuses {
            let [p50, p99] = [0.5, 0.99].map(|share| millis(latency.quantile(share)));
            let rate = *count as f64 / self.seconds;
            let longest = millis(Some(latency.longest()));
            note(&format!("the crowd, {status}: {count} ({rate:.0}/s), p50 {p50}, p99 {p99}, max {longest} ms"));
        }
        note(&format!("the crowd: {} without an answer, {} connections refused", self.unanswered, self.refused));
    }

    fn add(&mut self, other: &Self) {
        for (status, (count, latency)) in &other.statuses {
            let mine = self.statuses.entry(*status).or_default();
            mine.0 += count;
            mine.1.add(latency);
        }
        self.unanswered += other.unanswered;
        self.refused += other.refused;
        self.without_retry_after += other.without_retry_after;
    }
}

/// Runs this many connections for some time. Waits for answers to requests sent before the end.
pub(crate) fn run(address: SocketAddr, connections: usize, duration: Duration) -> Crowd {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let end = Instant::now() + duration;
        let mut running: JoinSet<_> = (0..connections).map(|_| member(address, end)).collect();
        let mut crowd = Crowd { seconds: duration.as_secs_f64(), ..Crowd::default() };
        while let Some(member) = running.join_next().await {
            crowd.add(&member.expect("a member"));
        }
        crowd
    })
}

async fn member(address: SocketAddr, end: Instant) -> Crowd {
    let (mut seen, mut random, mut template) = (Crowd::default(), Random::new(), create(&full_body()));
    let mut connection = None;
    while Instant::now() < end {
        if connection.is_none() {
            connection = timeout(HUNG, Connection::open(address)).await.ok().and_then(Result::ok);
        }
        let Some(open) = &mut connection else {
            seen.refused += 1;
            sleep(TURNED_AWAY).await;
            continue;
        };
        let sent = Instant::now();
        let answer = timeout(HUNG, open.ask(template.next(&mut random, &[]))).await;
        let Ok(Ok(answer)) = answer else {
            seen.unanswered += 1;
            connection = None;
            continue;
        };
        let of_status = seen.statuses.entry(answer.status).or_default();
        of_status.0 += 1;
        of_status.1.record(sent.elapsed());
        if answer.status == 503 {
            seen.without_retry_after += u64::from(!answer.retry_after);
            sleep(TURNED_AWAY).await;
        }
    }
    seen
}
