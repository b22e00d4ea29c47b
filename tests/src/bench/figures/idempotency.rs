//! The cost of an idempotency key on every create.

use std::sync::Arc;

use patron_tests::patron::Backend;

use crate::{
    cli::Options,
    load::{self, Until},
    server::Server,
    stage::{self, Stage, load},
    table::{Target, heading, note, sides, verdict},
    template::{FRESH, Random, Template, create, full_body},
    turns::{Side, take},
};

/// Creates with a key, against creates without, on one server.
pub(crate) fn idempotency(options: &Options, backend: Backend) {
    let stage = Stage::new(options, backend);
    let patron = stage.serve(options);
    let header = format!("Idempotency-Key: bench-{FRESH}");
    let with = Template::new("POST", "/v1/customers", &[&header], Some(&full_body()));
    heading(&format!("{}: full creates with an idempotency key, 64 clients", stage::name(backend)));
    if !replays(&patron, &with) {
        note("This server does not know Idempotency-Key: it ignores the header, so the ratio says nothing.");
    }
    let side = |name, template: Template| {
        let load = load(&patron, template, 201, &Arc::default());
        Side::new(name, move |time| load::run(&load, 64, Until::Elapsed(time)).into())
    };
    let outcomes = take(options, vec![side("with a key", with), side("without", create(&full_body()))]);
    sides(&outcomes);
    verdict("with ÷ without", outcomes[0].median() / outcomes[1].median(), "", Target::AtLeast(0.85));
}

/// Whether repeating a request returns the first answer.
fn replays(patron: &Server, template: &Template) -> bool {
    let mut template = template.clone();
    let request = template.next(&mut Random::new(), &[]).to_vec();
    patron.ask(&request);
    patron.ask(&request).0.replayed
}
