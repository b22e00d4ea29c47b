//! Dry runs against the real writes, and earlier states of a customer with many versions against one with few.

use std::sync::Arc;

use patron_tests::patron::Backend;
use serde_json::json;

use crate::{
    cli::Options,
    load::{self, Until},
    server::Server,
    stage::{self, Stage, load},
    table::{Target, heading, sides, verdict},
    template::{FRESH, Template, create, full_body},
    turns::{Side, take},
};

/// Full creates as dry runs, against full creates.
pub(crate) fn dry_run(options: &Options, backend: Backend) {
    let stage = Stage::new(options, backend);
    let patron = stage.serve(options);
    for clients in [1, 64] {
        heading(&format!("{}: dry runs of full creates, clients: {clients}", stage::name(backend)));
        let side = |name, template: Template, status| {
            let load = load(&patron, template, status, &Arc::default());
            Side::new(name, move |time| load::run(&load, clients, Until::Elapsed(time)).into())
        };
        let dry = Template::new("POST", "/v1/customers?dry_run=true", &[], Some(&full_body()));
        let both = vec![side("dry run", dry, 200), side("real", create(&full_body()), 201)];
        let outcomes = take(options, both);
        sides(&outcomes);
        verdict("p50, dry run ÷ real", outcomes[0].p50() / outcomes[1].p50(), "", Target::AtMost(1.2));
    }
}

/// `?at=` of a customer with many versions, against one with few.
pub(crate) fn past(options: &Options, backend: Backend, many: u64) {
    const FEW: u64 = 10;
    let stage = Stage::new(options, backend);
    let patron = stage.serve(options);
    heading(&format!("{}: ?at= of customers with {FEW} and with {many} versions, one client", stage::name(backend)));
    let side = |versions: u64| {
        let path = changed(&patron, versions);
        // A state in the middle.
        let middle = patron.json(&Template::new("GET", &format!("{path}/versions/{}", versions / 2), &[], None), 200);
        let at = middle["updated_at"].as_str().expect("a time").to_owned();
        let template = Template::new("GET", &format!("{path}?at={at}"), &[], None);
        let load = load(&patron, template, 200, &Arc::default());
        Side::new(&format!("{versions} versions"), move |time| load::run(&load, 1, Until::Elapsed(time)).into())
    };
    let outcomes = take(options, vec![side(many), side(FEW)]);
    sides(&outcomes);
    verdict("p50, many ÷ few", outcomes[0].p50() / outcomes[1].p50(), "", Target::AtMost(1.3));
}

/// Creates a customer and changes it until it has so many versions. Returns its path.
fn changed(patron: &Server, versions: u64) -> String {
    let created = patron.json(&create(&full_body()), 201);
    let path = format!("/v1/customers/{}", created["id"].as_str().expect("an id"));
    let change = json!({ "name": format!("Grace {FRESH}") });
    let load = load(patron, Template::new("PATCH", &path, &[], Some(&change)), 200, &Arc::default());
    load::run(&load, 1, Until::Answers(versions - 1));
    path
}
