//! The cost of onboarding to creates: with a run for each create, and with many waiting runs.

use std::{sync::Arc, thread::sleep, time::Duration};

use patron_tests::patron::Backend;
use serde_json::{Value, json};

use crate::{
    cli::Options,
    load::{self, Until},
    server::Server,
    sink::Sink,
    stage::{self, Stage, load},
    table::{Target, count, heading, note, sides, verdict},
    template::{Random, Template, create, full_body},
    turns::{Side, Turn, take},
};

const CLIENTS: usize = 64;
/// Allows calls to this machine.
const PRIVATE: (&str, &str) = ("PATRON_WEBHOOKS_ALLOW_PRIVATE", "true");
/// The server takes no steps.
const PAUSED: (&str, &str) = ("PATRON_ONBOARDING_CONCURRENCY", "0");

/// All onboarding figures over one database.
pub(crate) fn onboarding(options: &Options, backend: Backend, pending: u64) {
    creates(options, backend);
    past_pending_runs(options, backend, pending);
}

/// Full creates with a two-step workflow, paused and running, against creates without a workflow.
fn creates(options: &Options, backend: Backend) {
    heading(&format!("{}: full creates with a two-step onboarding workflow, {CLIENTS} clients", stage::name(backend)));
    let (sink, stages) = (Sink::start(), [Stage::new(options, backend), Stage::new(options, backend)]);
    let plain = Server::patron_with(options, &stages[0].url, &[PRIVATE]);
    let paused = Server::patron_with(options, &stages[1].url, &[PRIVATE, PAUSED]);
    put_workflow(&paused, &sink.url());
    let outcomes = take(
        options,
        vec![
            Side::new("without a workflow", |time| creating(&plain, time)),
            Side::new("with a workflow, paused", |time| creating(&paused, time)),
        ],
    );
    sides(&outcomes);
    verdict("paused ÷ without", outcomes[1].median() / outcomes[0].median(), "", Target::AtLeast(0.7));
    // The runs left over from the paused side come first, so there is enough work.
    paused.stop();
    let running = Server::patron_with(options, &stages[1].url, &[PRIVATE]);
    let before = sink.count();
    let turn = creating(&running, options.turn());
    let calls = (sink.count() - before) as f64 / options.turn().as_secs_f64();
    note(&format!("while steps are taken: {} creates/s along with {} calls/s", count(turn.per_second), count(calls)));
}

/// Creates with many waiting runs, against creates without; both start runs and have the same number of customers.
fn past_pending_runs(options: &Options, backend: Backend, pending: u64) {
    let name = stage::name(backend);
    heading(&format!("{name}: full creates with {} waiting runs, {CLIENTS} clients", count(pending as f64)));
    let stages = [Stage::new(options, backend), Stage::new(options, backend)];
    let [few, many] = stages.each_ref().map(|stage| Server::patron_with(options, &stage.url, &[PRIVATE, PAUSED]));
    let fill = |server: &Server| {
        let each = Until::Answers(pending.div_ceil(CLIENTS as u64));
        load::run(&load(server, create(&body()), 201, &Arc::default()), CLIENTS, each);
    };
    // Nothing listens on this port.
    let nowhere = "http://127.0.0.1:9/";
    fill(&few);
    put_workflow(&few, nowhere);
    put_workflow(&many, nowhere);
    fill(&many);
    let outcomes = take(
        options,
        vec![
            Side::new("without waiting runs", |time| creating(&few, time)),
            Side::new("with them", |time| creating(&many, time)),
        ],
    );
    sides(&outcomes);
    verdict("with ÷ without", outcomes[1].median() / outcomes[0].median(), "", Target::AtLeast(0.9));
    many.stop();
    let trying = Server::patron_with(options, &stages[1].url, &[PRIVATE]);
    let turn = creating(&trying, options.turn());
    sleep(Duration::from_secs(1));
    note(&format!("while all waiting runs are tried and fail: {} creates/s", count(turn.per_second)));
    let [least, most] = [&few, &trying].map(|server| server.memory("VmHWM"));
    note(&format!("VmHWM: {least:.1} MiB without, {most:.1} MiB while waiting runs are tried"));
    verdict("VmHWM, tried − without", most - least, " MiB", Target::AtMost(8.0));
}

/// A full customer, which is onboarded if a workflow is set.
fn body() -> Value {
    let mut body = full_body();
    body["skip_onboarding_workflow"] = json!(false);
    body["onboarding_workflow_name"] = Value::Null;
    body
}

fn creating(server: &Server, time: Duration) -> Turn {
    load::run(&load(server, create(&body()), 201, &Arc::default()), CLIENTS, Until::Elapsed(time)).into()
}

fn put_workflow(server: &Server, url: &str) {
    let call = json!({ "type": "http_call", "url": url });
    let body = json!({ "value": { "steps": [call, call] } });
    let mut request = Template::new("PUT", "/v1/settings/customer_onboarding", &[], Some(&body));
    let (answer, _) = server.ask(request.next(&mut Random::new(), &[]));
    assert_eq!(answer.status, 200, "setting the workflow");
}
