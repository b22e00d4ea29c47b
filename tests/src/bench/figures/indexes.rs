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

/// The indexes that no rule needs: of lists, of searches by e-mail, and of mappings by provider.
const INDEXES: [&str; 3] = ["customers_created", "customers_email", "integration_mappings_reverse"];

/// Full creates over the tables as they are, against the same without what serves lists and searches.
pub(crate) fn indexes(options: &Options, backend: Backend) {
    let (whole, bare) = (Stage::new(options, backend), Stage::new(options, backend));
    for index in INDEXES {
        bare.execute(&format!("DROP INDEX {index}"));
    }
    // The rows of metadata are an index by themselves: they are thrown away.
    bare.execute(match backend {
        Backend::Sqlite => "CREATE TRIGGER no_pairs BEFORE INSERT ON customer_metadata BEGIN SELECT RAISE(IGNORE); END",
        Backend::Postgres => "CREATE RULE no_pairs AS ON INSERT TO customer_metadata DO INSTEAD NOTHING",
    });
    let (with, without) = (whole.serve(options), bare.serve(options));
    heading(&format!(
        "{}: full creates with and without the indexes of lists and searches, 64 clients",
        stage::name(backend)
    ));
    note(&format!("without: {}, and the rows of customer_metadata", INDEXES.join(", ")));
    let side = |name, server: &Server| {
        let load = load(server, create(&full_body()), 201, &Arc::default());
        Side::new(name, move |time| load::run(&load, 64, Until::Elapsed(time)).into())
    };
    let outcomes = take(options, vec![side("with", &with), side("without", &without)]);
    sides(&outcomes);
    note(&format!("with ÷ without: {:.2}", outcomes[0].median() / outcomes[1].median()));
}
