//! The cost to a create of the indexes that only make lists and searches fast.

use std::sync::Arc;

use patron_tests::patron::Backend;

use crate::{
    cli::Options,
    load::{self, Until},
    server::Server,
    stage::{self, Stage, load},
    table::{heading, note, sides},
    template::{create, full_body},
    turns::{Side, take},
};

/// The indexes that enforce no rule: those for lists and for searches by name and e-mail.
const INDEXES: [&str; 3] = ["customers_created", "customers_email", "customers_name"];
/// Entry kinds of `customer_index` that enforce no rule: metadata pairs, entities of other systems, association lists.
const KINDS: &str = "1, 2, 5";

/// Full creates with the usual tables, against the same without the indexes for lists and searches.
pub(crate) fn indexes(options: &Options, backend: Backend) {
    let (whole, bare) = (Stage::new(options, backend), Stage::new(options, backend));
    for index in INDEXES {
        bare.execute(&format!("DROP INDEX {index}"));
    }
    bare.execute(&match backend {
        Backend::Sqlite => format!(
            "CREATE TRIGGER no_entries BEFORE INSERT ON customer_index WHEN new.kind IN ({KINDS}) \
             BEGIN SELECT RAISE(IGNORE); END"
        ),
        Backend::Postgres => format!(
            "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; \
             CREATE TRIGGER no_entries BEFORE INSERT ON customer_index FOR EACH ROW WHEN (new.kind IN ({KINDS})) \
             EXECUTE FUNCTION nothing()"
        ),
    });
    let (with, without) = (whole.serve(options), bare.serve(options));
    heading(&format!(
        "{}: full creates with and without the indexes for lists and searches, 64 clients",
        stage::name(backend)
    ));
    note(&format!("without: {}, and customer_index entries of kinds {KINDS}", INDEXES.join(", ")));
    let side = |name, server: &Server| {
        let load = load(server, create(&full_body()), 201, &Arc::default());
        Side::new(name, move |time| load::run(&load, 64, Until::Elapsed(time)).into())
    };
    let outcomes = take(options, vec![side("with", &with), side("without", &without)]);
    sides(&outcomes);
    note(&format!("with ÷ without: {:.2}", outcomes[0].median() / outcomes[1].median()));
}
