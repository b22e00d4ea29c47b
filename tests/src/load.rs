//! Load for crash tests: many clients that create full customers, each request under its own idempotency key, mixed with
//! requests that must be refused. The answers are recorded byte by byte.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures::future::join_all;
use serde_json::{Value, json};

use crate::{
    patron::{KEY, Server},
    requests::{full, minimal},
    wait::TIMEOUT,
};

/// How long a client retries a create while the service is unavailable.
const PERSISTENCE: Duration = TIMEOUT.saturating_mul(2);
/// An external id that is taken before the load begins.
pub const TAKEN: &str = "taken";

/// The server to send requests to.
#[derive(Clone)]
pub struct Api {
    base: String,
    client: reqwest::Client,
}

/// The kind of a create.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// A customer with every field, an override and a mapping; its external id is the name of the request.
    Full,
    /// One with a tax code that does not exist: 404.
    UnknownRate,
    /// One with an invalid field: 400.
    Invalid,
    /// One with an external id that another customer has: 409.
    Taken,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The status.
    pub status: u16,
    /// Whether it is marked as replayed.
    pub replayed: bool,
    /// Whether it has `Retry-After`.
    pub retry_after: bool,
    /// The body, byte by byte.
    pub body: Vec<u8>,
}

/// A request with its final answer, if the connection was not lost before.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Its idempotency key, and the external id in it.
    pub name: String,
    /// Its kind.
    pub asked: Asked,
    /// The last answer.
    pub said: Option<Said>,
    /// How many times it was answered with 503 before.
    pub put_off: usize,
}

impl Asked {
    /// The kind of the request with this number: one of eight is of each refused kind.
    fn of(number: usize) -> Self {
        match number % 8 {
            3 => Self::UnknownRate,
            5 => Self::Invalid,
            7 => Self::Taken,
            _ => Self::Full,
        }
    }

    /// The body of the request.
    #[must_use]
    pub fn body(self, name: &str) -> Value {
        let mut body = full(name);
        match self {
            Self::Full => {}
            Self::UnknownRate => {
                body["tax_rate_overrides"] = json!([{ "tax_rate_code": "NONE", "currency": "EUR" }]);
            }
            Self::Invalid => body["email"] = json!("nobody"),
            Self::Taken => body["external_id"] = json!(TAKEN),
        }
        body
    }

    /// The expected status.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::Full => 201,
            Self::UnknownRate => 404,
            Self::Invalid => 400,
            Self::Taken => 409,
        }
    }
}

impl Api {
    /// A client of this server.
    #[must_use]
    pub fn of(server: &Server) -> Self {
        crate::patron::provide_cryptography();
        let client = reqwest::Client::builder().timeout(TIMEOUT).build().expect("a client");
        Self { base: server.base().to_owned(), client }
    }

    /// Creates the tax rate `VAT` and the customer with the taken external id.
    pub async fn prepare(&self) {
        let said = self.post("/v1/taxes/rates", None, &crate::requests::tax_rate("VAT")).await.expect("an answer");
        assert_eq!(said.status, 201);
        assert_eq!(self.post("/v1/customers", None, &minimal(TAKEN)).await.expect("an answer").status, 201);
    }

    /// POSTs JSON under an idempotency key, once.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn post(&self, path: &str, key: Option<&str>, body: &Value) -> Result<Said, reqwest::Error> {
        let mut request = self.client.post(format!("{}{path}", self.base)).header("x-api-key", KEY);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        Self::said(request.json(body)).await
    }

    /// GETs a path.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn get(&self, path: &str) -> Result<Said, reqwest::Error> {
        Self::said(self.client.get(format!("{}{path}", self.base)).header("x-api-key", KEY)).await
    }

    async fn said(request: reqwest::RequestBuilder) -> Result<Said, reqwest::Error> {
        let response = request.send().await?;
        let has = |name: &str| response.headers().get(name).is_some();
        let (replayed, retry_after) = (has("idempotency-replayed"), has("retry-after"));
        let status = response.status().as_u16();
        Ok(Said { status, replayed, retry_after, body: response.bytes().await?.to_vec() })
    }

    /// Sends a create once.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn create(&self, name: &str, asked: Asked) -> Result<Said, reqwest::Error> {
        self.post("/v1/customers", Some(name), &asked.body(name)).await
    }

    /// Sends a create until its answer is not 503. A missing answer, a 503 without `Retry-After` and an unexpected status
    /// fail the test.
    pub async fn insist(&self, name: &str, asked: Asked) -> Sent {
        let begin = Instant::now();
        let mut put_off = 0;
        loop {
            let said = self.create(name, asked).await.unwrap_or_else(|error| panic!("{name} got no answer: {error:?}"));
            if said.status != 503 {
                let text = String::from_utf8_lossy(&said.body);
                assert_eq!(said.status, asked.status(), "{name}, {asked:?}, after {put_off} answers 503, got: {text}");
                return Sent { name: name.to_owned(), asked, said: Some(said), put_off };
            }
            assert!(said.retry_after, "a 503 must have Retry-After");
            assert!(begin.elapsed() < PERSISTENCE, "{name} got 503 for {PERSISTENCE:?}");
            put_off += 1;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Runs clients that create one customer after another until they get no answer; counts the answers.
    pub async fn hammer(&self, prefix: &str, clients: usize, answered: Arc<AtomicUsize>) -> Vec<Sent> {
        let one = |client: usize| {
            let (api, answered, prefix) = (self.clone(), answered.clone(), prefix.to_owned());
            tokio::spawn(async move {
                let mut all = Vec::new();
                for number in 0.. {
                    let (name, asked) = (format!("{prefix}-{client}-{number}"), Asked::of(number));
                    let said = api.create(&name, asked).await.ok();
                    let lost = said.is_none();
                    all.push(Sent { name, asked, said, put_off: 0 });
                    if lost {
                        break;
                    }
                    answered.fetch_add(1, Ordering::Relaxed);
                }
                all
            })
        };
        gather((0..clients).map(one)).await
    }

    /// Runs clients that create one customer after another, with retries, until they are stopped.
    pub async fn insisting(&self, prefix: &str, clients: usize, stop: Arc<AtomicBool>) -> Vec<Sent> {
        let one = |client: usize| {
            let (api, stop, prefix) = (self.clone(), stop.clone(), prefix.to_owned());
            tokio::spawn(async move {
                let mut all = Vec::new();
                for number in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    all.push(api.insist(&format!("{prefix}-{client}-{number}"), Asked::of(number)).await);
                }
                all
            })
        };
        gather((0..clients).map(one)).await
    }

    /// Repeats every create of the load. Acknowledged ones must return the same bytes, refused ones must be refused again,
    /// and unanswered ones must be done by now or be done now.
    pub async fn repeat(&self, all: &[Sent]) {
        for some in all.chunks(64) {
            let again = join_all(some.iter().map(|sent| self.insist(&sent.name, sent.asked))).await;
            for (sent, again) in some.iter().zip(again) {
                let (Some(said), Some(again)) = (&sent.said, again.said) else { continue };
                if sent.asked == Asked::Full && said.status == 201 {
                    assert!(again.replayed, "{} was done again", sent.name);
                    assert_eq!(said.body, again.body, "{} got a different answer", sent.name);
                }
            }
        }
    }
}

async fn gather(clients: impl Iterator<Item = tokio::task::JoinHandle<Vec<Sent>>>) -> Vec<Sent> {
    let clients: Vec<_> = clients.collect();
    join_all(clients).await.into_iter().flat_map(|sent| sent.expect("a client that did not panic")).collect()
}
