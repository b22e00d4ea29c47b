//! The command line.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};
use patron_tests::patron::Backend;

use crate::{
    bare,
    figures::{self, neighbours::Attack},
};

/// Patron's benchmarks. Each prints both sides of a ratio, measured in turns in one run, and the target.
#[derive(Debug, Parser)]
#[command(name = "tests/bench")]
struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    figure: Figure,
}

/// How long and on what.
#[derive(Debug, Clone, Args)]
pub(crate) struct Options {
    /// How often each side has its turn.
    #[arg(long, global = true, default_value_t = 5)]
    pub(crate) rounds: usize,
    /// How long one turn takes.
    #[arg(long, global = true, default_value_t = 4.0)]
    seconds: f64,
    /// How much the server logs: `info`, its default, is a line for each request. The lines go to /dev/null.
    #[arg(long, global = true, default_value = "info")]
    pub(crate) log_level: String,
    /// Measure another program than the one just built.
    #[arg(long, global = true)]
    pub(crate) program: Option<PathBuf>,
}

impl Options {
    /// How long one turn takes.
    pub(crate) fn turn(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }
}

/// What a load for a profiler asks.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Request {
    /// Full creates.
    Create,
    /// GET by id, of 100,000 customers.
    Get,
    /// Pages of 50 from a cursor, of 100,000 customers.
    Page,
}

/// What is measured of webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WebhookFigure {
    /// Creates with three endpoints.
    Creates,
    /// Creates past a backlog.
    Backlog,
    /// Deliveries to one endpoint.
    Deliveries,
}

#[derive(Debug, Subcommand)]
enum Figure {
    /// Full creates over SQLite, against a bare Rocket handler and a plain SQLite loop.
    SqliteCreate,
    /// Creates over PostgreSQL, full and minimal, against pgbench.
    PostgresCreate,
    /// Reads by id over SQLite, against a bare Rocket handler.
    SqliteGet,
    /// Reads by id over PostgreSQL, against pgbench.
    PostgresGet,
    /// Parsing and validating a full create, against parsing it as a JSON value.
    Parse,
    /// Start to first answer, memory, and the size of the program.
    Start {
        /// The customers in the file for the memory under load.
        #[arg(long, default_value_t = 1_000_000)]
        customers: u64,
        /// How long the load for the memory lasts.
        #[arg(long, default_value_t = 60)]
        load_seconds: u64,
    },
    /// Creates with an idempotency key, against creates without.
    Idempotency,
    /// Dry runs of creates against creates; `?at=` of a customer with many versions against one with few.
    Past {
        /// The versions of the customer with many.
        #[arg(long, default_value_t = 1_000)]
        versions: u64,
    },
    /// Creates, against the same without the indexes that only lists and searches need.
    Indexes,
    /// Bytes on disk for a full customer.
    Disk {
        /// The number of customers to create.
        #[arg(long, default_value_t = 20_000)]
        customers: u64,
    },
    /// Creates by two and four servers over one PostgreSQL, against one server.
    Servers,
    /// Creates and reads by id, against an earlier build.
    Versions {
        /// The earlier build's program.
        #[arg(long)]
        before: PathBuf,
    },
    /// A mix of gets, creates, searches and updates over few customers, against the same over many.
    Mix {
        /// The fewer customers.
        #[arg(long, default_value_t = 10_000)]
        few: u64,
        /// The more.
        #[arg(long, default_value_t = 150_000)]
        many: u64,
    },
    /// Customers that `patron customers generate` creates, against a plain SQLite loop.
    Generate,
    /// Reads by one client over few customers, against the same over many; over PostgreSQL also pages against pgbench.
    Growth {
        /// Over PostgreSQL rather than SQLite.
        #[arg(long)]
        postgres: bool,
        /// The fewer customers.
        #[arg(long, default_value_t = 10_000)]
        few: u64,
        /// The more.
        #[arg(long, default_value_t = 1_000_000)]
        many: u64,
    },
    /// Finding, filters and totals by one client over few customers, against the same over many.
    Find {
        /// Over PostgreSQL rather than SQLite.
        #[arg(long)]
        postgres: bool,
        /// The fewer customers.
        #[arg(long, default_value_t = 10_000)]
        few: u64,
        /// The more.
        #[arg(long, default_value_t = 1_000_000)]
        many: u64,
    },
    /// Creates with webhooks against creates without; deliveries against a plain loop; creates past a backlog.
    Webhooks {
        /// Over PostgreSQL rather than SQLite.
        #[arg(long)]
        postgres: bool,
        /// The events of the backlog.
        #[arg(long, default_value_t = 1_000_000)]
        backlog: u64,
        /// One of its figures alone.
        #[arg(long, value_enum)]
        only: Option<WebhookFigure>,
    },
    /// Creates with onboarding against creates without, and past many runs that wait.
    Onboarding {
        /// Over PostgreSQL rather than SQLite.
        #[arg(long)]
        postgres: bool,
        /// The runs that wait.
        #[arg(long, default_value_t = 100_000)]
        pending: u64,
    },
    /// The taxes that apply to a customer with many, over both databases.
    Effective,
    /// Erasing a customer with 1,000 events, from the request to its completion.
    Erasure,
    /// Imports against the database's own bulk load, with their memory and what another environment notices; exports against
    /// a bare loop; batches against single creates.
    Imports {
        /// Over PostgreSQL rather than SQLite.
        #[arg(long)]
        postgres: bool,
        /// The rows of a file.
        #[arg(long, default_value_t = 1_000_000)]
        customers: u64,
    },
    /// 2,000 connections that create at once, and 16 well-behaved clients beside them.
    Overload {
        /// Over PostgreSQL rather than SQLite.
        #[arg(long)]
        postgres: bool,
        /// The connections.
        #[arg(long, default_value_t = 2_000)]
        connections: usize,
        /// How long they create.
        #[arg(long, default_value_t = 15)]
        overload_seconds: u64,
    },
    /// A quiet tenant beside a loud one: refusals, large pages, searches, slow receivers, slow names.
    Neighbours {
        /// Over PostgreSQL rather than SQLite.
        #[arg(long)]
        postgres: bool,
        /// The number of customers of the loud tenant.
        #[arg(long, default_value_t = 100_000)]
        customers: u64,
        /// Runs only this attack.
        #[arg(long, value_enum)]
        only: Option<Attack>,
    },
    /// One kind of request, for the length of one turn: for a profiler.
    Load {
        /// The kind of request.
        #[arg(long, value_enum, default_value_t = Request::Create)]
        request: Request,
        /// Over PostgreSQL rather than SQLite.
        #[arg(long)]
        postgres: bool,
        /// How many clients ask.
        #[arg(long, default_value_t = 64)]
        clients: usize,
    },
    /// All of the above, one after the other, except the load for a profiler and the comparison with an earlier build.
    All,
    /// The bare Rocket handler: what the others start for themselves.
    #[command(hide = true)]
    Bare(bare::Arguments),
}

/// Runs what the command line says.
pub(crate) fn run() {
    let Cli { options, figure } = Cli::parse();
    match figure {
        Figure::SqliteCreate => figures::create::sqlite(&options),
        Figure::PostgresCreate => figures::create::postgres(&options),
        Figure::SqliteGet => figures::get::sqlite(&options),
        Figure::PostgresGet => figures::get::postgres(&options),
        Figure::Parse => figures::parse::parse(&options),
        Figure::Start { customers, load_seconds } => figures::start::start(&options, customers, load_seconds),
        Figure::Idempotency => {
            figures::idempotency::idempotency(&options, Backend::Sqlite);
            figures::idempotency::idempotency(&options, Backend::Postgres);
        }
        Figure::Past { versions } => {
            for backend in [Backend::Sqlite, Backend::Postgres] {
                figures::past::dry_run(&options, backend);
                figures::past::past(&options, backend, versions);
            }
        }
        Figure::Indexes => {
            figures::indexes::indexes(&options, Backend::Sqlite);
            figures::indexes::indexes(&options, Backend::Postgres);
        }
        Figure::Disk { customers } => {
            figures::disk::disk(&options, Backend::Sqlite, customers);
            figures::disk::disk(&options, Backend::Postgres, customers);
        }
        Figure::Servers => figures::servers::servers(&options),
        Figure::Versions { before } => {
            let before = Options { program: Some(before), ..options.clone() };
            figures::versions::versions(&options, &before, Backend::Sqlite);
            figures::versions::versions(&options, &before, Backend::Postgres);
        }
        Figure::Mix { few, many } => {
            figures::mix::mix(&options, Backend::Sqlite, few, many);
            figures::mix::mix(&options, Backend::Postgres, few, many);
        }
        Figure::Generate => figures::generate::generate(&options),
        Figure::Growth { postgres, few, many } => {
            let backend = over(postgres);
            figures::growth::growth(&options, backend, few, many);
        }
        Figure::Find { postgres, few, many } => {
            let backend = over(postgres);
            figures::find::find(&options, backend, few, many);
        }
        Figure::Webhooks { postgres, backlog, only } => {
            let backend = over(postgres);
            figures::webhooks::webhooks(&options, backend, backlog, only);
        }
        Figure::Onboarding { postgres, pending } => {
            let backend = over(postgres);
            figures::onboarding::onboarding(&options, backend, pending);
        }
        Figure::Effective => {
            figures::effective::effective(&options, Backend::Sqlite);
            figures::effective::effective(&options, Backend::Postgres);
        }
        Figure::Erasure => {
            figures::erasure::erasure(&options, Backend::Sqlite);
            figures::erasure::erasure(&options, Backend::Postgres);
        }
        Figure::Imports { postgres, customers } => {
            let backend = over(postgres);
            figures::imports::imports(&options, backend, customers);
        }
        Figure::Overload { postgres, connections, overload_seconds } => {
            let backend = over(postgres);
            figures::overload::overload(&options, backend, connections, overload_seconds);
        }
        Figure::Neighbours { postgres, customers, only } => {
            let backend = over(postgres);
            figures::neighbours::neighbours(&options, backend, customers, only);
        }
        Figure::Load { request, postgres, clients } => {
            let backend = over(postgres);
            match request {
                Request::Create => figures::create::profile(&options, backend, clients),
                Request::Get => figures::get::profile(&options, backend, clients),
                Request::Page => figures::growth::profile(&options, backend, clients),
            }
        }
        Figure::All => all(&options),
        Figure::Bare(arguments) => bare::serve(&arguments),
    }
}

fn over(postgres: bool) -> Backend {
    if postgres { Backend::Postgres } else { Backend::Sqlite }
}

fn all(options: &Options) {
    figures::create::sqlite(options);
    figures::create::postgres(options);
    figures::get::sqlite(options);
    figures::get::postgres(options);
    figures::parse::parse(options);
    figures::start::start(options, 1_000_000, 60);
    figures::generate::generate(options);
    figures::servers::servers(options);
    for backend in [Backend::Sqlite, Backend::Postgres] {
        figures::disk::disk(options, backend, 20_000);
        figures::idempotency::idempotency(options, backend);
        figures::past::dry_run(options, backend);
        figures::past::past(options, backend, 1_000);
        figures::indexes::indexes(options, backend);
        figures::mix::mix(options, backend, 10_000, 150_000);
        figures::growth::growth(options, backend, 10_000, 1_000_000);
        figures::find::find(options, backend, 10_000, 1_000_000);
        figures::webhooks::webhooks(options, backend, 1_000_000, None);
        figures::onboarding::onboarding(options, backend, 100_000);
        figures::erasure::erasure(options, backend);
        figures::imports::imports(options, backend, 1_000_000);
        figures::overload::overload(options, backend, 2_000, 15);
        figures::neighbours::neighbours(options, backend, 100_000, None);
    }
}
