//! Start-up time, memory, and the size of the program.

use std::{
    fs,
    thread::sleep,
    time::{Duration, Instant},
};

use patron_tests::patron::Backend;

use crate::{
    cli::Options,
    load::{self, Load, Operation, Until},
    server::{Server, program},
    stage::Stage,
    table::{Target, heading, note, verdict},
    template::{Template, create, full_body, get},
    turns::spread,
};

const STARTS: usize = 21;

/// All of these figures, over SQLite.
pub(crate) fn start(options: &Options, customers: u64, load_seconds: u64) {
    let stage = Stage::new(options, Backend::Sqlite);
    heading("Start and size, over SQLite");
    let known = stage.known(1);
    let path = format!("/v1/customers/{}", known[0].id);
    let read = Template::new("GET", &path, &[], None);
    let times = (0..STARTS).map(|_| {
        let started = Instant::now();
        let server = Server::spawn_patron(options, &stage.url);
        let connection = server.wait_for(&read, 200);
        let took = started.elapsed();
        drop(connection);
        server.stop();
        took.as_secs_f64() * 1000.0
    });
    let [least, median, most] = spread(times);
    note(&format!("start to the first 200 to a GET with a key: {STARTS} starts, {least:.1} … {most:.1} ms"));
    verdict("start to first 200, median", median, " ms", Target::AtMost(50.0));

    let server = Server::spawn_patron(options, &stage.url);
    let connection = server.wait_for(&read, 200);
    drop(connection);
    sleep(Duration::from_secs(10));
    verdict("VmRSS 10 s after the start", server.memory("VmRSS"), " MiB", Target::AtMost(24.0));
    server.stop();

    let size = fs::metadata(program(options)).map_or(f64::NAN, |file| file.len() as f64 / 1_048_576.0);
    verdict("size of the program", size, " MiB", Target::AtMost(25.0));
    under_load(options, &stage, customers, load_seconds);
}

fn under_load(options: &Options, stage: &Stage, customers: u64, seconds: u64) {
    stage.fill(options, customers);
    let stored = stage.count();
    let known = stage.known(100_000);
    let server = stage.serve(options);
    let operations = vec![
        Operation { template: get(), expected: 200, weight: 1 },
        Operation { template: create(&full_body()), expected: 201, weight: 1 },
    ];
    let load = Load { address: server.address, operations, known };
    let tally = load::run(&load, 64, Until::Elapsed(Duration::from_secs(seconds)));
    note(&format!(
        "then {seconds} s of gets and full creates, half and half, 64 clients, {stored} customers: {:.0}/s, {} others",
        tally.per_second,
        tally.other.values().sum::<u64>() + tally.broken
    ));
    verdict("VmHWM after the load", server.memory("VmHWM"), " MiB", Target::AtMost(64.0));
}
