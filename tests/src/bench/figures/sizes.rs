//! Whether requests take longer with more customers: one client, each kind of request measured separately.

use patron_tests::patron::Backend;
use serde_json::Value;

use crate::{
    cli::Options,
    load::{self, Load, Operation, Until},
    server::Server,
    stage::{Stage, name},
    table::{Target, heading, note, sides, verdict},
    template::{Random, Template},
    turns::{Outcome, Side, take},
};

/// The number of customers in a sample.
const SAMPLE: usize = 200;

/// One kind of request.
pub(super) struct Kind {
    /// Its name in the table.
    name: &'static str,
    /// The target: how much longer it may take over many customers.
    ratio: f64,
    /// The target: the median over many customers, in milliseconds.
    most: Option<f64>,
    /// One request for each customer of a sample.
    pub(super) operations: Vec<Operation>,
}

impl Kind {
    /// Requests that may take so much longer over many customers.
    pub(super) fn new(name: &'static str, ratio: f64, templates: impl Iterator<Item = Template>) -> Self {
        let operations = templates.map(|template| Operation { template, expected: 200, weight: 1 }).collect();
        Self { name, ratio, most: None, operations }
    }

    /// The same, with at most so many milliseconds over many customers.
    pub(super) fn within(self, most: f64) -> Self {
        Self { most: Some(most), ..self }
    }
}

/// Each kind of request over few customers, against the same over many. Returns the server with many, and its stage.
pub(super) fn compare(
    options: &Options,
    backend: Backend,
    (what, prefix): (&str, &str),
    sizes: [u64; 2],
    kinds: impl Fn(&Server, u64) -> Vec<Kind>,
) -> (Stage, Server) {
    let [few, many] = sizes;
    heading(&format!("{}: {what} by one client, over {few} customers and over {many}", name(backend)));
    let stages = sizes.map(|customers| {
        let stage = Stage::new(options, backend);
        let took = stage.generate(options, prefix, customers).as_secs_f64();
        note(&format!("generated {customers} customers in {took:.1} s, {:.0}/s", customers as f64 / took));
        stage
    });
    let servers = stages.each_ref().map(|stage| stage.serve(options));
    let [of_few, of_many] = [0, 1].map(|place| kinds(&servers[place], sizes[place]));
    for (few, many) in of_few.into_iter().zip(of_many) {
        let (kind, ratio, most) = (few.name, few.ratio, few.most);
        let both = [side(&servers[0], few, "few"), side(&servers[1], many, "many")];
        let outcomes = take(options, both.into());
        sides(&outcomes);
        let [few, many] = [0, 1].map(|place| median(&outcomes[place]));
        verdict(&format!("p50 of {kind}, many ÷ few"), many / few, "", Target::AtMost(ratio));
        if let Some(most) = most {
            verdict(&format!("p50 of {kind}, many"), many * 1_000.0, " ms", Target::AtMost(most));
        }
    }
    // Servers end before their stages.
    let [_few, stage] = stages;
    let [_of_few, server] = servers;
    (stage, server)
}

/// Generated customers drawn at random, as the server returns them.
pub(super) fn sample(server: &Server, prefix: &str, customers: u64) -> Vec<Value> {
    let mut random = Random::new();
    let mut one = || {
        let path = format!("/v1/customers/external/{prefix}{:09}", 1 + random.next() % customers);
        server.json(&Template::new("GET", &path, &[], None), 200)
    };
    (0..SAMPLE).map(|_| one()).collect()
}

fn side<'a>(server: &Server, kind: Kind, how_many: &str) -> Side<'a> {
    let name = format!("{}, {how_many}", kind.name);
    let load = Load { address: server.address, operations: kind.operations, known: Default::default() };
    Side::new(&name, move |time| load::run(&load, 1, Until::Elapsed(time)).into())
}

/// The median latency, in seconds.
pub(super) fn median(outcome: &Outcome) -> f64 {
    let median = outcome.latency.as_ref().and_then(|latency| latency.quantile(0.5));
    median.map_or(f64::NAN, |time| time.as_secs_f64())
}
