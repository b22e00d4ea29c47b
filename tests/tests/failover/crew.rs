//! The load while nodes fail: clients that write, readers of the log, and one ideal client that uses the database directly.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures::{FutureExt, future::select_ok};
use patron_tests::{
    patron::{KEY, Server},
    requests::full,
};
use serde_json::Value;
use tokio::time::{sleep, timeout};
use tokio_postgres::{Client, NoTls};

/// The results of the writers.
#[derive(Default)]
pub(crate) struct Seen {
    /// External ids whose create returned 201.
    pub(crate) acknowledged: BTreeSet<String>,
    /// The number of answers by status; 0 stands for no answer.
    pub(crate) statuses: BTreeMap<u16, usize>,
    /// The longest time to an answer.
    pub(crate) longest: Duration,
    /// The time of the last successful write.
    last: Option<Instant>,
    /// The longest time without a successful write.
    pub(crate) gap: Duration,
    /// Answers that must not occur.
    pub(crate) wrong: Vec<String>,
}

impl Seen {
    fn success(&mut self) {
        let now = Instant::now();
        self.gap = self.gap.max(self.last.map(|last| now - last).unwrap_or_default());
        self.last = Some(now);
    }
}

pub(crate) type Shared<T> = Arc<Mutex<T>>;

/// The server to send requests to.
#[derive(Clone)]
pub(crate) struct Api {
    base: String,
    client: reqwest::Client,
}

impl Api {
    pub(crate) fn of(server: &Server) -> Self {
        patron_tests::patron::provide_cryptography();
        let client = reqwest::Client::builder().timeout(Duration::from_secs(60)).build().expect("a client");
        Self { base: server.base().to_owned(), client }
    }

    /// A client that creates customers at intervals and repeats each create until its outcome is known.
    pub(crate) async fn write(self, name: String, every: Duration, seen: Shared<Seen>, stop: Arc<AtomicBool>) {
        for number in 0.. {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            let name = format!("{name}-{number}");
            let begun = Instant::now();
            while !self.create(&name, &seen).await {
                sleep(Duration::from_millis(100)).await;
            }
            sleep(every.saturating_sub(begun.elapsed())).await;
        }
    }

    /// Sends a create once; returns whether its outcome is known.
    async fn create(&self, name: &str, seen: &Shared<Seen>) -> bool {
        let request = self.client.post(format!("{}/v1/customers", self.base));
        let request = request.header("x-api-key", KEY).header("idempotency-key", name).json(&full(name));
        let begun = Instant::now();
        let answer = request.send().await;
        let took = begun.elapsed();
        let mut seen = seen.lock().expect("no panic");
        seen.longest = seen.longest.max(took);
        let status = answer.as_ref().map_or(0, |answer| answer.status().as_u16());
        *seen.statuses.entry(status).or_default() += 1;
        match answer {
            Ok(answer) if status == 201 => {
                drop(answer);
                seen.acknowledged.insert(name.to_owned());
                seen.success();
                true
            }
            Ok(answer) if status == 503 && answer.headers().contains_key("retry-after") => false,
            Ok(_) => {
                seen.wrong.push(format!("{name}: {status}"));
                false
            }
            Err(error) => {
                seen.wrong.push(format!("{name}: {error}"));
                false
            }
        }
    }

    /// A reader that follows the log from its beginning and records the ids of all events.
    pub(crate) async fn read(self, seen: Shared<BTreeSet<String>>, taken_back: Shared<usize>, stop: Arc<AtomicBool>) {
        let mut cursor = String::new();
        while !stop.load(Ordering::Relaxed) {
            let Some((status, page)) = self.page(&cursor).await else {
                sleep(Duration::from_millis(100)).await;
                continue;
            };
            if status == 410 {
                *taken_back.lock().expect("no panic") += 1;
            }
            let next = page["next_cursor"].as_str().or_else(|| page["details"]["resume_from"].as_str());
            let Some(next) = next else {
                sleep(Duration::from_millis(100)).await;
                continue;
            };
            next.clone_into(&mut cursor);
            let ids = page["items"].as_array().into_iter().flatten().filter_map(|event| event["id"].as_str());
            seen.lock().expect("no panic").extend(ids.map(str::to_owned));
            if !page["has_more"].as_bool().unwrap_or_default() {
                sleep(Duration::from_millis(50)).await;
            }
        }
    }

    async fn page(&self, cursor: &str) -> Option<(u16, Value)> {
        // A cursor needs no escaping in a URL.
        let cursor = if cursor.is_empty() { String::new() } else { format!("&cursor={cursor}") };
        let request = self.client.get(format!("{}/v1/events?limit=1000{cursor}", self.base));
        let answer = request.header("x-api-key", KEY).send().await.ok()?;
        Some((answer.status().as_u16(), answer.json().await.ok()?))
    }
}

/// A database client that writes a row every 100 ms. When that fails or takes longer than a second, it connects to all
/// servers at once and uses the first one that accepts writes. Returns the longest time without a success.
///
/// It ends with a success, so that a failure just before the end counts in full.
pub(crate) async fn ideal(urls: Vec<String>, stop: Arc<AtomicBool>) -> Duration {
    let limit = Duration::from_secs(1);
    let (mut client, mut last, mut gap) = (None::<Client>, Instant::now(), Duration::ZERO);
    loop {
        if client.is_none() {
            let tries = urls
                .iter()
                .map(|url| Box::pin(timeout(limit, connect(url)).map(|tried| tried.ok().flatten().ok_or(()))));
            client = select_ok(tries).await.ok().map(|(client, _)| client);
        }
        if let Some(open) = &client {
            let write = open.batch_execute("INSERT INTO ideal VALUES (now())");
            if timeout(limit, write).await.is_ok_and(|done| done.is_ok()) {
                gap = gap.max(last.elapsed());
                last = Instant::now();
                if stop.load(Ordering::Relaxed) {
                    return gap;
                }
            } else {
                client = None;
            }
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// Connects to a server that accepts writes, and creates the table.
async fn connect(url: &str) -> Option<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.ok()?;
    tokio::spawn(connection);
    client.batch_execute("CREATE TABLE IF NOT EXISTS ideal (at timestamptz)").await.ok()?;
    Some(client)
}
