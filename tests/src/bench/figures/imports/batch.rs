//! Batches of creates, against single creates.

use std::sync::Arc;

use patron_tests::patron::Backend;
use serde_json::{Value, json};

use crate::{
    cli::Options,
    load::{self, Load, Operation, Until},
    stage::{Stage, load, name},
    table::{Target, heading, sides, verdict},
    template::{FRESH, Template, create, full_body},
    turns::{Side, Turn, take},
};

/// The clients that create one by one, and the changes of a batch.
const CLIENTS: usize = 64;
const BATCH: usize = 1_000;

/// Full creates, in batches and one by one.
pub(super) fn batches(options: &Options, backend: Backend) {
    heading(&format!("{}: batches of {BATCH} full creates", name(backend)));
    let server = Stage::new(options, backend);
    let server = server.serve(options);
    let single = load(&server, create(&full_body()), 201, &Arc::default());
    let items: Vec<_> = (0..BATCH).map(|number| json!({ "op": "create", "body": numbered(number) })).collect();
    let batch = Template::new("POST", "/v1/customers/batch", &[], Some(&json!({ "items": items })));
    let batch = Load { address: server.address, operations: Operation::only(batch, 207), known: Arc::default() };
    let outcomes = take(
        options,
        vec![
            Side::new("single creates, 64 clients", |time| load::run(&single, CLIENTS, Until::Elapsed(time)).into()),
            Side::new("batches, one client", |time| {
                let turn: Turn = load::run(&batch, 1, Until::Elapsed(time)).into();
                Turn { per_second: turn.per_second * BATCH as f64, ..turn }
            }),
        ],
    );
    sides(&outcomes);
    verdict("batch ÷ single creates", outcomes[1].median() / outcomes[0].median(), "", Target::AtLeast(1.5));
    server.stop();
}

/// A full customer that differs from the others of its batch.
fn numbered(number: usize) -> Value {
    let mut body = full_body();
    body["external_id"] = json!(format!("bench-{FRESH}-{number}"));
    body["integration_entity_mapping"][0]["provider_entity_id"] = json!(format!("cus_{FRESH}-{number}"));
    body
}
