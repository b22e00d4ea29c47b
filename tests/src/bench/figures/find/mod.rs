//! Whether finding customers, filters and totals take longer with more customers: one client, each kind of search measured
//! separately.

mod searches;

use patron_tests::patron::Backend;

use self::searches::{Searches, searches};
use crate::{
    cli::Options,
    load::{self, Load, Until},
    server::Server,
    stage::{Stage, name},
    table::{Target, heading, note, sides, verdict},
    turns::{Outcome, Side, take},
};

/// The prefix of the external ids of generated customers.
const PREFIX: &str = "found-";

/// Each kind of search over few customers, against the same over many.
pub(crate) fn find(options: &Options, backend: Backend, few: u64, many: u64) {
    heading(&format!("{}: searches by one client, over {few} customers and over {many}", name(backend)));
    let stages = [few, many].map(|customers| {
        let stage = Stage::new(options, backend);
        let took = stage.generate(options, PREFIX, customers).as_secs_f64();
        note(&format!("generated {customers} customers in {took:.1} s, {:.0}/s", customers as f64 / took));
        stage
    });
    let servers = stages.each_ref().map(|stage| stage.serve(options));
    let [of_few, of_many] = [0, 1].map(|place| searches(&servers[place], [few, many][place]));
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
}

fn side<'a>(server: &Server, searches: Searches, how_many: &str) -> Side<'a> {
    let name = format!("{}, {how_many}", searches.name);
    let load = Load { address: server.address, operations: searches.operations, known: Default::default() };
    Side::new(&name, move |time| load::run(&load, 1, Until::Elapsed(time)).into())
}

/// The median latency, in seconds.
fn median(outcome: &Outcome) -> f64 {
    let median = outcome.latency.as_ref().and_then(|latency| latency.quantile(0.5));
    median.map_or(f64::NAN, |time| time.as_secs_f64())
}
