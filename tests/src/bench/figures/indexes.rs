//! What a create pays for what is there only so that lists and searches are fast.

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

/// The indexes that no rule needs: of lists, and of searches by e-mail.
const INDEXES: [&str; 2] = ["customers_created", "customers_email"];
/// Kinds of entries of `customer_index` that no rule needs: pairs of metadata, entities of other systems, lists of associations.
const KINDS: &str = "1, 2, 5";

/// Full creates over the tables as they are, against the same without what serves lists and searches.
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
        "{}: full creates with and without the indexes of lists and searches, 64 clients",
        stage::name(backend)
    ));
    note(&format!("without: {}, and entries of customer_index of the kinds {KINDS}", INDEXES.join(", ")));
    let side = |name, server: &Server| {
        let load = load(server, create(&full_body()), 201, &Arc::default());
        Side::new(name, move |time| load::run(&load, 64, Until::Elapsed(time)).into())
    };
    let outcomes = take(options, vec![side("with", &with), side("without", &without)]);
    sides(&outcomes);
    note(&format!("with ÷ without: {:.2}", outcomes[0].median() / outcomes[1].median()));
}
