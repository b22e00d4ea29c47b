//! How fast files are imported and exported and batches are made, the memory of an import, and what others notice of it.

mod batch;
mod export;
mod file;

use std::{sync::Arc, thread::sleep, time::Duration};

use patron_tests::patron::{Backend, KEY};

use self::file::{File, body};
use super::neighbours::key_of_another_environment;
use crate::{
    cli::Options,
    load::{self, Load, Operation, Tally, Until},
    server::Server,
    stage::{Stage, name},
    table::{Target, count, heading, millis, note, verdict},
    template::{Template, minimal_body},
};

/// The clients of the other environment.
const CLIENTS: usize = 8;
/// The time from the upload to the measurement beside it.
const LEAD: Duration = Duration::from_secs(1);

/// Measures with files of this many rows.
pub(crate) fn imports(options: &Options, backend: Backend, customers: u64) {
    heading(&format!("{}: an import of {} full customers", name(backend), count(customers as f64)));
    let sample = Stage::new(options, backend).sample(options, &body());
    let bulk = Stage::new(options, backend).bulk_load(&sample, customers);
    note(&format!("bulk load of the rows that result: {}/s", count(bulk)));

    let stage = Stage::new(options, backend);
    let server = stage.serve(options);
    let before = server.memory("VmHWM");
    let file = File::of(customers, 0);
    let took = file.import(&server);
    let rate = customers as f64 / took.as_secs_f64();
    note(&format!("import of {} MB: {}/s", count(file.bytes() as f64 / 1e6), count(rate)));
    verdict("import ÷ bulk load", rate / bulk, "", Target::AtLeast(0.5));
    note(&format!("VmHWM before the import {before:.1} MiB"));
    verdict("VmHWM after the import", server.memory("VmHWM"), " MiB", Target::AtMost(64.0));

    export::export(&stage, &server);
    server.stop();
    beside(options, backend, customers);
    batch::batches(options, backend);
}

/// The creates of another environment, alone and during an import.
fn beside(options: &Options, backend: Backend, customers: u64) {
    heading(&format!("{}: creates of another environment beside an import", name(backend)));
    let stage = Stage::new(options, backend);
    let server = stage.serve(options);
    let key = key_of_another_environment(&server);
    creates(&server, &key, options.turn() / 2);
    let alone = creates(&server, &key, options.turn());
    let file = File::of(customers, customers);
    let (beside, ended_early) = std::thread::scope(|scope| {
        let import = scope.spawn(|| file.import(&server));
        sleep(LEAD);
        let beside = creates(&server, &key, options.turn());
        let ended_early = import.is_finished();
        import.join().expect("the import");
        (beside, ended_early)
    });
    if ended_early {
        note("the import ended before the measurement; a larger --customers makes it longer");
    }
    let p99 = |tally: &Tally| tally.latency.quantile(0.99);
    note(&format!("alone {}/s, beside {}/s", count(alone.per_second), count(beside.per_second)));
    verdict("creates/s beside ÷ alone", beside.per_second / alone.per_second, "", Target::AtLeast(0.5));
    note(&format!("p99 alone {} ms, beside {} ms", millis(p99(&alone)), millis(p99(&beside))));
    let seconds = |tally| p99(tally).map_or(f64::NAN, |time| time.as_secs_f64());
    verdict("p99 beside ÷ alone", seconds(&beside) / seconds(&alone), "", Target::AtMost(3.0));
    server.stop();
}

fn creates(server: &Server, key: &str, time: Duration) -> Tally {
    let template = Template::by(key, "POST", "/v1/customers", &[], Some(&minimal_body()));
    let load = Load { address: server.address, operations: Operation::only(template, 201), known: Arc::default() };
    load::run(&load, CLIENTS, Until::Elapsed(time))
}

/// The answer to a request with the first key.
fn get(server: &Server, path: &str) -> serde_json::Value {
    server.json(&Template::by(KEY, "GET", path, &[], None), 200)
}
