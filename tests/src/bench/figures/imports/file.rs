//! A file of full customers as JSON lines, made while it is sent.

use std::{
    convert::Infallible,
    thread::sleep,
    time::{Duration, Instant},
};

use futures::stream;
use patron_tests::patron::{KEY, provide_cryptography};
use reqwest::{Body, Client};
use serde_json::Value;

use super::get;
use crate::{
    server::Server,
    template::{FRESH, full_body},
};

/// About the bytes of one part that is sent.
const PART: usize = 65_536;
/// The pause between two looks at an import.
const PAUSE: Duration = Duration::from_millis(50);

/// A full customer without tax overrides, as other products have none.
pub(super) fn body() -> Value {
    let mut body = full_body();
    if let Some(members) = body.as_object_mut() {
        members.remove("tax_rate_overrides");
    }
    body
}

/// Customers whose digits are numbers.
#[derive(Debug, Clone)]
pub(super) struct File {
    /// The line of a customer, in pieces between its digits.
    pieces: Vec<String>,
    first: u64,
    rows: u64,
}

impl File {
    /// A file with this many rows, whose numbers begin after `first`.
    pub(super) fn of(rows: u64, first: u64) -> Self {
        let line = format!("{}\n", body());
        Self { pieces: line.split(FRESH).map(str::to_owned).collect(), first, rows }
    }

    /// The size of the file.
    pub(super) fn bytes(&self) -> u64 {
        self.line(0).len() as u64 * self.rows
    }

    fn line(&self, number: u64) -> String {
        self.pieces.join(&format!("{:016}", self.first + number))
    }

    /// Uploads the file, and waits for the end of its import. Returns how long that took.
    pub(super) fn import(&self, server: &Server) -> Duration {
        let started = Instant::now();
        let id = self.upload(server);
        loop {
            let import = get(server, &format!("/v1/imports/{id}"));
            match import["state"].as_str() {
                Some("checking" | "running") => sleep(PAUSE),
                Some("completed") => break,
                _ => panic!("{import:#}"),
            }
        }
        started.elapsed()
    }

    /// Returns the id of the import.
    fn upload(&self, server: &Server) -> String {
        provide_cryptography();
        let file = self.clone();
        let parts = stream::unfold(1, move |mut number| {
            let mut part = String::with_capacity(2 * PART);
            while number <= file.rows && part.len() < PART {
                part.push_str(&file.line(number));
                number += 1;
            }
            async move { (!part.is_empty()).then_some((Ok::<_, Infallible>(part), number)) }
        });
        let url = format!("http://{}/v1/imports?format=ndjson", server.address);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let request = Client::new().post(url).header("x-api-key", KEY).body(Body::wrap_stream(parts));
            let answer = request.send().await.expect("an answer");
            let (status, text) = (answer.status().as_u16(), answer.text().await.expect("a body"));
            assert_eq!(status, 202, "{text}");
            let import: Value = serde_json::from_str(&text).expect("JSON");
            import["id"].as_str().expect("an id").to_owned()
        })
    }
}
