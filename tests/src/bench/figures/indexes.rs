//! The cost to a create of the indexes that only make lists and searches fast, and of the index of `find`.

use std::sync::Arc;

use patron_tests::patron::Backend;

use crate::{
    cli::Options,
    load::{self, Until},
    server::Server,
    stage::{self, Stage, load},
    table::{Target, heading, note, sides, verdict},
    template::{create, full_body},
    turns::{Side, take},
};

/// The indexes that enforce no rule: those for lists and for searches by name and e-mail.
const INDEXES: [&str; 3] = ["customers_created", "customers_email", "customers_name"];
/// Entry kinds of `customer_index` that enforce no rule: metadata pairs, entities of other systems, association lists.
const KINDS: &str = "1, 2, 5";

/// Full creates with the usual tables, against the same without the indexes for lists and searches, and without the index of
/// `find`.
pub(crate) fn indexes(options: &Options, backend: Backend) {
    let mut without: Vec<String> = INDEXES.iter().map(|index| format!("DROP INDEX {index}")).collect();
    without.push(match backend {
        Backend::Sqlite => format!(
            "CREATE TRIGGER no_entries BEFORE INSERT ON customer_index WHEN new.kind IN ({KINDS}) \
             BEGIN SELECT RAISE(IGNORE); END"
        ),
        Backend::Postgres => ignoring("customer_index", &format!("WHEN (new.kind IN ({KINDS}))")),
    });
    let title = "full creates with and without the indexes for lists and searches, 64 clients";
    heading(&format!("{}: {title}", stage::name(backend)));
    note(&format!("without: {}, and customer_index entries of kinds {KINDS}", INDEXES.join(", ")));
    let ratio = with_and_without(options, backend, &without);
    note(&format!("with ÷ without: {ratio:.2}"));

    let without = match backend {
        Backend::Sqlite => vec![
            "DROP TABLE customer_tokens".to_owned(),
            "CREATE VIEW customer_tokens AS SELECT NULL AS tokens, NULL AS rowid".to_owned(),
            "CREATE TRIGGER no_tokens INSTEAD OF INSERT ON customer_tokens BEGIN SELECT NULL; END".to_owned(),
        ],
        Backend::Postgres => vec![ignoring("customer_tokens", "")],
    };
    heading(&format!("{}: full creates with and without the index of find, 64 clients", stage::name(backend)));
    verdict("with ÷ without", with_and_without(options, backend, &without), "", Target::AtLeast(0.8));
}

/// The statements that make PostgreSQL ignore new rows of a table.
fn ignoring(table: &str, condition: &str) -> String {
    format!(
        "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; \
         CREATE TRIGGER nothing BEFORE INSERT ON {table} FOR EACH ROW {condition} EXECUTE FUNCTION nothing()"
    )
}

/// The rate of full creates with the usual tables, divided by the rate after some statements.
fn with_and_without(options: &Options, backend: Backend, statements: &[String]) -> f64 {
    let (whole, bare) = (Stage::new(options, backend), Stage::new(options, backend));
    statements.iter().for_each(|statement| bare.execute(statement));
    let (with, without) = (whole.serve(options), bare.serve(options));
    let side = |name, server: &Server| {
        let load = load(server, create(&full_body()), 201, &Arc::default());
        Side::new(name, move |time| load::run(&load, 64, Until::Elapsed(time)).into())
    };
    let outcomes = take(options, vec![side("with", &with), side("without", &without)]);
    sides(&outcomes);
    outcomes[0].median() / outcomes[1].median()
}
