//! Load that continues while its server is killed again and again. Clients change customers and tax rates step by step,
//! and record which events must be in the log and which may be.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    patron::{KEY, Server},
    requests::{full, tax_rate},
    wait::TIMEOUT,
};

/// The pause of a client after each step, so that deliveries keep up.
const REST: Duration = Duration::from_millis(15);
/// How long a client retries a step.
const PERSISTENCE: Duration = TIMEOUT.saturating_mul(2);

/// The address of the current server, shared with the clients.
#[derive(Clone)]
pub struct Whereabouts {
    base: Arc<Mutex<String>>,
    client: reqwest::Client,
}

/// An event, identified by its type and the name in its state. No two steps of one entity share both.
pub type Step = (String, String);

/// The history of one entity.
#[derive(Debug, Default, Clone)]
pub struct Story {
    /// The acknowledged steps, in order.
    pub done: Vec<Step>,
    /// The steps that were requested once without an answer. They may or may not have been done.
    pub open: Vec<Step>,
}

/// Stories of customers by their ids, and of tax rates by their codes.
pub type Stories = BTreeMap<String, Story>;

impl Whereabouts {
    /// Starts with the address of the first server.
    #[must_use]
    pub fn of(server: &Server) -> Self {
        crate::patron::provide_cryptography();
        let client = reqwest::Client::builder().timeout(TIMEOUT).build().expect("a client");
        Self { base: Arc::new(Mutex::new(server.base().to_owned())), client }
    }

    /// Switches to the next server.
    pub fn is_now(&self, server: &Server) {
        server.base().clone_into(&mut self.base.lock().expect("no panic"));
    }

    /// Runs clients that change one entity after another until they are stopped.
    pub async fn change_all(&self, clients: usize, stop: Arc<AtomicBool>) -> Stories {
        let one = |client: usize| {
            let (here, stop) = (self.clone(), stop.clone());
            tokio::spawn(async move {
                let mut stories = Stories::new();
                for number in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let name = format!("c{client}-{number}");
                    let (id, story) = if number % 5 == 4 { here.rate(&name).await } else { here.customer(&name).await };
                    stories.insert(id, story);
                }
                stories
            })
        };
        let clients: Vec<_> = (0..clients).map(one).collect();
        join_all(clients).await.into_iter().flat_map(|stories| stories.expect("a client that did not panic")).collect()
    }

    /// Creates a customer, renames it twice, links it and archives it. Each step has a key and is repeated under it until
    /// it is acknowledged.
    async fn customer(&self, name: &str) -> (String, Story) {
        let mut body = full(name);
        body["name"] = json!(name);
        let made = self.insist(Method::POST, "/v1/customers", &format!("{name} create"), &body, 201).await;
        let id = made["id"].as_str().expect("an id").to_owned();
        let mut story = Story { done: vec![step("customer.created", name)], ..Story::default() };
        let path = format!("/v1/customers/{id}");
        let again = [format!("{name} once"), format!("{name} twice")];
        for name in &again {
            self.insist(Method::PUT, &path, name, &json!({ "name": name }), 200).await;
            story.done.push(step("customer.updated", name));
        }
        let link =
            json!({ "entity_type": "customer", "entity_id": id, "provider_type": "crm", "provider_entity_id": name });
        self.insist(Method::POST, "/v1/integrations/link", &format!("{name} link"), &link, 200).await;
        story.done.push(step("customer.integration_linked", &again[1]));
        self.insist(Method::DELETE, &path, &format!("{name} delete"), &Value::Null, 204).await;
        story.done.push(step("customer.deleted", &again[1]));
        (id, story)
    }

    /// Creates a tax rate and renames it four times, without keys. A step is sent once; without an answer its outcome
    /// stays open.
    async fn rate(&self, code: &str) -> (String, Story) {
        let mut story = Story::default();
        let mut note = |kind: &str, name: &str, done: bool| {
            let list = if done { &mut story.done } else { &mut story.open };
            list.push(step(&format!("tax_rate.{kind}"), name));
        };
        let made = self.once(Method::POST, "/v1/taxes/rates", None, &tax_rate(code)).await;
        note("created", code, matches!(made, Some((201, _))));
        if let Some((201, made)) = made {
            for number in 0..4 {
                let name = format!("{code} {number}");
                let path = format!("/v1/taxes/rates/{}", made["id"].as_str().expect("an id"));
                let renamed = self.once(Method::PUT, &path, None, &json!({ "name": name })).await;
                note("updated", &name, matches!(renamed, Some((200, _))));
            }
        }
        (code.to_owned(), story)
    }

    /// Repeats a request until its answer is not 503, and requires the expected status.
    async fn insist(&self, method: Method, path: &str, key: &str, body: &Value, expected: u16) -> Value {
        let begin = Instant::now();
        loop {
            match self.once(method.clone(), path, Some(key), body).await {
                None => {}
                Some((status, body)) => {
                    assert_eq!(status, expected, "{key}: {body}");
                    return body;
                }
            }
            assert!(begin.elapsed() < PERSISTENCE, "{key} is not done after {PERSISTENCE:?}");
        }
    }

    /// Sends a request once, then pauses. `None` when there is no answer, or 503.
    async fn once(&self, method: Method, path: &str, key: Option<&str>, body: &Value) -> Option<(u16, Value)> {
        let base = self.base.lock().expect("no panic").clone();
        let mut request = self.client.request(method, format!("{base}{path}")).header("x-api-key", KEY);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        if !body.is_null() {
            request = request.json(body);
        }
        let answer = async {
            let response = request.send().await.ok()?;
            let status = response.status().as_u16();
            let body = response.bytes().await.ok()?;
            Some((status, serde_json::from_slice(&body).unwrap_or_default()))
        };
        let answer = answer.await;
        tokio::time::sleep(REST).await;
        answer.filter(|(status, _)| *status != 503)
    }
}

fn step(kind: &str, name: &str) -> Step {
    (kind.to_owned(), name.to_owned())
}
