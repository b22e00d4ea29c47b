//! A database with the data that every figure needs: a first key, the tax rate `VAT`, and one full customer.

use std::{
    future::Future,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use patron_domain::ids::CustomerId;
use patron_tests::{
    audit,
    patron::{Backend, KEY, Place},
    postgres::{self, Cluster},
    requests,
    rows::{self, bytes, number, text},
};
use rusqlite::types::Value;
use tempfile::TempDir;
use uuid::Uuid;

use crate::{
    cli::Options,
    fill,
    load::Load,
    load::Operation,
    rows::Sample,
    server::{Server, program},
    sqlite_loop::SqliteLoop,
    tables::{Table, dump},
    template::{Known, Random, Template, create, full_body},
};

/// Fills of up to this many customers are checked.
const LOOKED_AT: u64 = 10_000;

/// A Patron database in its own folder, deleted on drop.
pub(crate) struct Stage {
    folder: TempDir,
    backend: Backend,
    /// The database.
    pub(crate) url: String,
}

impl Stage {
    /// A fresh database. PostgreSQL syncs to disk like a real server.
    pub(crate) fn new(options: &Options, backend: Backend) -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let url = match backend {
            Backend::Sqlite => format!("sqlite://{}", folder.path().join("patron.db").display()),
            Backend::Postgres => wait(cluster().fresh_database()),
        };
        let stage = Self { folder, backend, url };
        let server = stage.serve(options);
        let rate = Template::new("POST", "/v1/taxes/rates", &[], Some(&requests::tax_rate("VAT")));
        server.wait_for(&rate, 201);
        server.wait_for(&create(&full_body()), 201);
        server.stop();
        stage
    }

    /// The folder for files.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The SQLite file.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("patron.db")
    }

    /// Patron on this database.
    pub(crate) fn serve(&self, options: &Options) -> Server {
        Server::patron(options, &self.url)
    }

    /// The rows that one create with this body adds.
    pub(crate) fn sample(&self, options: &Options, body: &serde_json::Value) -> Sample {
        let server = self.serve(options);
        let mut random = Random::new();
        let digits = String::from_utf8(random.digits().to_vec()).expect("digits");
        let body = body.to_string().replace(crate::template::FRESH, &digits);
        let request = format!(
            "POST /v1/customers HTTP/1.1\r\nHost: 127.0.0.1\r\nx-api-key: {KEY}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let before = self.dump();
        let (answer, _) = server.ask(request.as_bytes());
        assert_eq!(answer.status, 201, "a create for a sample");
        let after = self.dump();
        server.stop();
        Sample::between(&before, &after, &digits)
    }

    /// Adds this many customers directly to the database, with all the rows of a full create. Checks the result where that
    /// does not take long.
    pub(crate) fn fill(&self, options: &Options, customers: u64) {
        let sample = self.sample(options, &full_body());
        match self.backend {
            Backend::Sqlite => fill::sqlite(&self.file(), &sample, customers),
            Backend::Postgres => wait(fill::postgres(&self.url, &sample, customers)),
        }
        if customers <= LOOKED_AT {
            wait(audit::is_consistent(&Place::over(self.url.clone())));
        }
    }

    /// Adds this many customers as a program could that knows only the database: prepared inserts, 1,000 a commit, or `COPY`.
    /// Returns the customers a second.
    pub(crate) fn bulk_load(&self, sample: &Sample, customers: u64) -> f64 {
        match self.backend {
            Backend::Sqlite => SqliteLoop::durable(&self.file(), sample).load(customers).per_second,
            Backend::Postgres => {
                let started = Instant::now();
                wait(fill::copy_all(&self.url, sample, customers));
                customers as f64 / started.elapsed().as_secs_f64()
            }
        }
    }

    /// Generates this many customers with the command line; returns how long that took.
    pub(crate) fn generate(&self, options: &Options, prefix: &str, customers: u64) -> Duration {
        let mut command = Command::new(program(options));
        command.args(["customers", "generate", "--prefix", prefix, "--count", &customers.to_string()]);
        command.env_clear().env("PATRON_DATABASE_URL", &self.url);
        let started = Instant::now();
        let output = command.output().expect("the program starts");
        let took = started.elapsed();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        took
    }

    /// The extent of the customer list in the environment with the most customers.
    pub(crate) fn span(&self) -> Span {
        let sql = "SELECT environment, min(created_at), max(created_at) FROM customers GROUP BY environment \
                   ORDER BY count(*) DESC LIMIT 1";
        let row = self.rows(sql).swap_remove(0);
        Span { environment: number(&row[0]), created: (number(&row[1]), number(&row[2])) }
    }

    /// Up to this many customers, drawn at random.
    pub(crate) fn known(&self, limit: u64) -> Arc<Vec<Known>> {
        let rows = self.rows(&format!("SELECT id, external_id FROM customers ORDER BY random() LIMIT {limit}"));
        let id = |value: &Value| CustomerId::from_uuid(Uuid::from_slice(bytes(value)).expect("16 bytes"));
        let pair = |row: Vec<Value>| Known::of((id(&row[0]).to_string(), text(&row[1]).to_owned()));
        Arc::new(rows.into_iter().filter_map(pair).collect())
    }

    /// The number of customers.
    pub(crate) fn count(&self) -> u64 {
        number(&self.rows("SELECT count(*) FROM customers")[0][0]) as u64
    }

    /// The number that a query returns.
    pub(crate) fn number(&self, sql: &str) -> f64 {
        number(&self.rows(sql)[0][0]) as f64
    }

    /// Reads the documents of all customers in short reads, each after the id of the last one. Returns their number.
    pub(crate) fn read_all(&self) -> usize {
        const PAGE: usize = 1_000;
        let first = "SELECT id, document FROM customers";
        let rest = format!("ORDER BY environment, id LIMIT {PAGE}");
        let (environment, mut read) = (self.span().environment, 0);
        wait(async {
            let client = match self.backend {
                Backend::Sqlite => None,
                Backend::Postgres => Some(rows::connect(&self.url).await),
            };
            let file = client.is_none().then(|| rows::open(&self.file()));
            let mut after = String::new();
            loop {
                let sql = format!("{first} WHERE environment = {environment}{after} {rest}");
                let page = match (&client, &file) {
                    (Some(client), _) => rows::of_postgres(client, &sql).await,
                    (None, Some(file)) => rows::of_sqlite(file, &sql),
                    (None, None) => Vec::new(),
                };
                read += page.len();
                let Some(last) = page.last().filter(|_| page.len() == PAGE) else { return };
                let id = Uuid::from_slice(bytes(&last[0])).expect("16 bytes");
                after = match self.backend {
                    Backend::Sqlite => format!(" AND id > x'{}'", id.simple()),
                    Backend::Postgres => format!(" AND id > '{id}'::uuid"),
                };
            }
        });
        read
    }

    /// Runs a statement directly on the database, while Patron is not running.
    pub(crate) fn execute(&self, sql: &str) {
        match self.backend {
            Backend::Sqlite => rows::open(&self.file()).execute_batch(sql).expect("SQL"),
            Backend::Postgres => wait(async { rows::connect(&self.url).await.batch_execute(sql).await.expect("SQL") }),
        }
    }

    /// The size of the PostgreSQL database in bytes, including indexes.
    pub(crate) fn size(&self) -> u64 {
        number(&self.rows("SELECT pg_database_size(current_database())")[0][0]) as u64
    }

    fn rows(&self, sql: &str) -> Vec<Vec<Value>> {
        wait(rows::rows(&self.url, sql))
    }

    fn dump(&self) -> Vec<Table> {
        wait(dump(self.backend, &self.url))
    }
}

/// The list of one environment.
#[derive(Debug)]
pub(crate) struct Span {
    /// The environment's number.
    pub(crate) environment: i64,
    /// The creation times of its first and last customer, in microseconds.
    pub(crate) created: (i64, i64),
}

/// Requests of one kind to a server.
pub(crate) fn load(server: &Server, template: Template, expected: u16, known: &Arc<Vec<Known>>) -> Load {
    Load { address: server.address, operations: Operation::only(template, expected), known: known.clone() }
}

/// The name of a database in headings.
pub(crate) fn name(backend: Backend) -> &'static str {
    match backend {
        Backend::Sqlite => "SQLite",
        Backend::Postgres => "PostgreSQL",
    }
}

/// The PostgreSQL server of this run, which syncs to disk.
fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let options = postgres::Options { durable: true, ..postgres::Options::default() };
        Cluster::start(&options).unwrap_or_else(|error| panic!("{error}"))
    })
}

fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}
