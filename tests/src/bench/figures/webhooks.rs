//! The cost of webhooks to creates, the speed of delivery, and the effect of a backlog.

use std::{
    sync::Arc,
    thread::sleep,
    time::{Duration, Instant},
};

use patron_tests::patron::Backend;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::{
    cli::{Options, WebhookFigure},
    load::{self, Until},
    server::Server,
    sink::{Arrived, Sink},
    stage::{self, Stage, load},
    table::{Target, count, heading, note, sides, verdict},
    template::{Template, create, full_body},
    turns::{Side, Turn, take},
};

const CLIENTS: usize = 64;
/// The number of concurrent requests that the relay makes to one endpoint.
const CONCURRENCY: usize = 16;
const ENDPOINTS: &str = "/v1/webhooks/endpoints";
/// Allows deliveries to this machine.
const PRIVATE: (&str, &str) = ("PATRON_WEBHOOKS_ALLOW_PRIVATE", "true");

/// All webhook figures over one database, or one of them.
pub(crate) fn webhooks(options: &Options, backend: Backend, backlog: u64, only: Option<WebhookFigure>) {
    let wanted = |figure| only.is_none_or(|only| only == figure);
    if wanted(WebhookFigure::Creates) {
        creates(options, backend);
    }
    if !wanted(WebhookFigure::Backlog) && !wanted(WebhookFigure::Deliveries) {
        return;
    }
    let stage = Stage::new(options, backend);
    let endpoints = prepare(&serve(options, &stage), &["http://127.0.0.1:9/", "http://127.0.0.1:9/"]);
    stage.fill(options, backlog);
    if wanted(WebhookFigure::Backlog) {
        past_a_backlog(options, backend, &stage, &endpoints, backlog);
    }
    if wanted(WebhookFigure::Deliveries) {
        deliveries(options, backend, &stage, &endpoints[0]);
    }
}

/// Full creates with three endpoints, disabled and receiving, against creates without endpoints.
fn creates(options: &Options, backend: Backend) {
    heading(&format!("{}: full creates with three webhook endpoints, {CLIENTS} clients", stage::name(backend)));
    let (sink, stages) = (Sink::start(), [Stage::new(options, backend), Stage::new(options, backend)]);
    let [plain, configured] = stages.each_ref().map(|stage| serve(options, stage));
    let endpoints = prepare(&configured, &[&sink.url(), &sink.url(), &sink.url()]);
    let mut delivered = (0, Duration::ZERO);
    let outcomes = take(
        options,
        vec![
            Side::new("without endpoints", |time| creating(&plain, time)),
            Side::new("with three, disabled", |time| creating(&configured, time)),
            Side::new("with three, while delivering", |time| {
                let before = sink.count();
                endpoints.iter().for_each(|id| enable(&configured, id, true));
                let turn = creating(&configured, time);
                delivered = (delivered.0 + sink.count() - before, delivered.1 + time);
                endpoints.iter().for_each(|id| enable(&configured, id, false));
                until_quiet(&sink);
                turn
            }),
        ],
    );
    sides(&outcomes);
    let rate = delivered.0 as f64 / delivered.1.as_secs_f64();
    note(&format!("{} deliveries/s arrived meanwhile", count(rate)));
    let [plain, paused, running] = [0, 1, 2].map(|side| outcomes[side].median());
    verdict("paused ÷ without", paused / plain, "", Target::AtLeast(0.8));
    verdict("delivering ÷ without", running / plain, "", Target::AtLeast(0.6));
}

/// Creates with two endpoints that are far behind, one dead and one disabled, against creates without endpoints. Both
/// have the same number of customers.
fn past_a_backlog(options: &Options, backend: Backend, behind: &Stage, endpoints: &[String], backlog: u64) {
    let name = stage::name(backend);
    heading(&format!("{name}: full creates with a backlog of {} events, {CLIENTS} clients", count(backlog as f64)));
    let stage = Stage::new(options, backend);
    stage.fill(options, backlog);
    let (plain, behind) = (serve(options, &stage), serve(options, behind));
    // Nothing listens on this port: the endpoint is tried, paused, and tried again.
    enable(&behind, &endpoints[1], true);
    let outcomes = take(
        options,
        vec![
            Side::new("without endpoints", |time| creating(&plain, time)),
            Side::new("with two endpoints behind", |time| creating(&behind, time)),
        ],
    );
    sides(&outcomes);
    verdict("behind ÷ without", outcomes[1].median() / outcomes[0].median(), "", Target::AtLeast(0.9));
    let [least, most] = [&plain, &behind].map(|server| server.memory("VmHWM"));
    note(&format!("VmHWM: {least:.1} MiB without, {most:.1} MiB behind"));
    verdict("VmHWM, behind − without", most - least, " MiB", Target::AtMost(8.0));
    enable(&behind, &endpoints[1], false);
}

/// Deliveries of a backlog to one endpoint, against a plain loop of `reqwest` that posts the same bodies.
fn deliveries(options: &Options, backend: Backend, stage: &Stage, endpoint: &str) {
    heading(&format!("{}: deliveries to one endpoint, {CONCURRENCY} at a time", stage::name(backend)));
    let (sink, server) = (Sink::start(), serve(options, stage));
    change(&server, endpoint, &json!({ "url": sink.url() }));
    let outcomes = take(
        options,
        vec![
            Side::new("patron, the relay", |time| {
                enable(&server, endpoint, true);
                let turn = arriving(&sink, time);
                enable(&server, endpoint, false);
                until_quiet(&sink);
                turn
            }),
            Side::new("plain reqwest loop", |time| plain_loop(&sink, time)),
        ],
    );
    sides(&outcomes);
    verdict("relay ÷ plain loop", outcomes[0].median() / outcomes[1].median(), "", Target::AtLeast(0.5));
    note(&format!("VmHWM after the deliveries: {:.1} MiB", server.memory("VmHWM")));
}

fn serve(options: &Options, stage: &Stage) -> Server {
    Server::patron_with(options, &stage.url, &[PRIVATE])
}

fn creating(server: &Server, time: Duration) -> Turn {
    load::run(&load(server, create(&full_body()), 201, &Arc::default()), CLIENTS, Until::Elapsed(time)).into()
}

/// Creates disabled endpoints and returns their ids.
fn prepare(server: &Server, urls: &[&str]) -> Vec<String> {
    let make = |url: &&str| {
        let made = ask(server, "POST", ENDPOINTS, &json!({ "url": url }), 201);
        let id = made["id"].as_str().expect("an id").to_owned();
        enable(server, &id, false);
        id
    };
    urls.iter().map(make).collect()
}

fn enable(server: &Server, id: &str, enabled: bool) {
    change(server, id, &json!({ "enabled": enabled }));
}

fn change(server: &Server, id: &str, body: &Value) {
    ask(server, "PUT", &format!("{ENDPOINTS}/{id}"), body, 200);
}

fn ask(server: &Server, method: &str, path: &str, body: &Value, expected: u16) -> Value {
    server.json(&Template::new(method, path, &[], Some(body)), expected)
}

/// Counts deliveries for some time, starting with the first.
fn arriving(sink: &Sink, time: Duration) -> Turn {
    let (before, asked) = (sink.count(), Instant::now());
    while sink.count() == before && asked.elapsed() < Duration::from_secs(5) {
        sleep(Duration::from_millis(1));
    }
    let (before, begun) = (sink.count(), Instant::now());
    sleep(time);
    let per_second = (sink.count() - before) as f64 / begun.elapsed().as_secs_f64();
    Turn { per_second, latency: None, faults: String::new() }
}

/// Waits until deliveries in progress have ended.
fn until_quiet(sink: &Sink) {
    loop {
        let before = sink.count();
        sleep(Duration::from_millis(300));
        if sink.count() == before {
            return;
        }
    }
}

/// Posts the same signed bytes with the same concurrency as the relay, on as many threads as the other loads use.
fn plain_loop(sink: &Sink, time: Duration) -> Turn {
    patron_tests::patron::provide_cryptography();
    let Arrived { headers, body } = sink.sample();
    let kept = |(name, _): &(String, String)| name == CONTENT_TYPE.as_str() || name.starts_with("webhook-");
    let headers: HeaderMap = headers
        .into_iter()
        .filter(kept)
        .map(|(name, value)| {
            (name.parse::<HeaderName>().expect("a name"), value.parse::<HeaderValue>().expect("a value"))
        })
        .collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let client = reqwest::Client::builder().no_proxy().http1_only().timeout(Duration::from_secs(10)).build();
        let (client, begun) = (client.expect("a client"), Instant::now());
        let one = |_| {
            let (client, url, headers, body) = (client.clone(), sink.url(), headers.clone(), body.clone());
            tokio::spawn(async move {
                let mut done = 0_u64;
                while begun.elapsed() < time {
                    let sent = client.post(&url).headers(headers.clone()).body(body.clone()).send().await;
                    let answer = sent.expect("an answer");
                    done += u64::from(answer.status().is_success());
                    let _ = answer.bytes().await;
                }
                done
            })
        };
        let tasks: Vec<_> = (0..CONCURRENCY).map(one).collect();
        let done: u64 = futures::future::join_all(tasks).await.into_iter().map(|done| done.expect("a task")).sum();
        let per_second = done as f64 / begun.elapsed().as_secs_f64();
        Turn { per_second, latency: None, faults: String::new() }
    })
}
