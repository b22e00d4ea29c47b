//! The real program, started for one test over a fresh database, and asked over real HTTP.

use std::{
    hash::{BuildHasher, RandomState},
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::mpsc,
};

use patron_domain::ids::{Id, Kind};
use reqwest::{Method, RequestBuilder, Response, header::HeaderMap};
use rustix::process::{Pid, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::{citus, postgres::Cluster, rows, wait::TIMEOUT};

pub use rustix::process::Signal;

/// The key that every started program knows from the start, with all rights.
pub const KEY: &str = "sk_test_0123456789abcdefghijklmnopqrstuvwxyz";

/// Which database a test runs over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// The embedded one, in a fresh directory.
    Sqlite,
    /// A fresh database of the throw-away PostgreSQL.
    Postgres,
}

/// A database, and a directory to work in, for one test. Programs come and go over it.
pub struct Place {
    directory: TempDir,
    database_url: String,
}

impl Place {
    /// A fresh one.
    pub async fn fresh(backend: Backend) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let database_url = match backend {
            Backend::Sqlite => format!("sqlite://{}", directory.path().join("patron.db").display()),
            Backend::Postgres => match citus::url() {
                Some(url) => citus::fresh_database(&url).await,
                None => Cluster::shared().fresh_database().await,
            },
        };
        Self { directory, database_url }
    }

    /// One over a database of the test's own.
    #[must_use]
    pub fn over(database_url: String) -> Self {
        Self { directory: tempfile::tempdir().expect("a temporary directory"), database_url }
    }

    /// The URL of the database.
    #[must_use]
    pub fn database_url(&self) -> &str {
        &self.database_url
    }

    /// The working directory of the programs.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The program with arguments, not yet started: with this database, and nothing else from our environment.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(arguments).current_dir(self.path()).env_clear();
        command.env("PATRON_DATABASE_URL", &self.database_url).stdin(Stdio::null());
        // A busy machine may be slow.
        command.env("PATRON_REQUEST_TIMEOUT_SECONDS", TIMEOUT.as_secs().to_string());
        command
    }

    /// Runs the program to its end.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the program starts")
    }

    /// Runs the program to its end and takes what it printed, which has to be a success.
    #[must_use]
    pub fn run_ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?} failed: {complaint}");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// Runs SQL in the database, past the program.
    pub async fn execute(&self, sql: &str) {
        match self.database_url.strip_prefix("sqlite://") {
            Some(path) => rows::open(Path::new(path)).execute_batch(sql).expect("SQL"),
            None => rows::connect(&self.database_url).await.batch_execute(sql).await.expect("SQL"),
        }
    }

    /// Asks the database, past the program, for rows.
    pub async fn rows(&self, query: &str) -> Vec<Vec<rusqlite::types::Value>> {
        rows::rows(&self.database_url, query).await
    }

    /// Asks the database, past the program, for one number.
    pub async fn number(&self, query: &str) -> i64 {
        rows::number(&self.rows(query).await[0][0])
    }

    /// Gives a member of all documents of a table another value, past the program. `columns` is what to set beside it.
    pub async fn set_in_documents(&self, table: &str, member: &str, value: &Value, columns: &str) {
        let document = match self.database_url.starts_with("sqlite://") {
            true => format!("json_set(document, '$.{member}', json('{value}'))"),
            false => format!("(document::jsonb || jsonb_build_object('{member}', '{value}'::jsonb))::json"),
        };
        self.execute(&format!("UPDATE {table} SET document = {document}, {columns}")).await;
    }

    /// An id as the tables have it, for SQL: its 16 bytes, without the prefix.
    #[must_use]
    pub fn key<K: Kind>(&self, id: &str) -> String {
        let uuid = Id::<K>::parse(id).expect("an id").uuid();
        match self.database_url.starts_with("sqlite://") {
            true => format!("x'{}'", uuid.simple()),
            false => format!("'{uuid}'::uuid"),
        }
    }

    /// Starts the server on a free port and waits until it listens.
    #[must_use]
    pub fn serve(&self) -> Server {
        self.serve_with(&[])
    }

    /// The same with more environment variables; an empty value takes one away.
    #[must_use]
    pub fn serve_with(&self, variables: &[(&str, &str)]) -> Server {
        let mut command = self.command(&["serve", "--port", "0"]);
        command.env("PATRON_BOOTSTRAP_KEY", KEY).env("PATRON_LOG_FORMAT", "json");
        for (name, value) in variables {
            // An empty value takes a variable away.
            if value.is_empty() {
                command.env_remove(name)
            } else {
                command.env(name, value)
            };
        }
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let log = BufReader::new(child.stderr.take().expect("a pipe"));
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || log.lines().map_while(Result::ok).for_each(|line| drop(sender.send(line))));

        let mut seen = Vec::new();
        loop {
            match lines.recv_timeout(TIMEOUT) {
                Ok(line) => {
                    let address =
                        line.split_once("http://").map(|(_, rest)| rest.split(['"', ' ']).next().unwrap_or(rest));
                    let base = address.map(|address| format!("http://{address}"));
                    seen.push(line);
                    if let Some(base) = base {
                        return Server { child, base, client: client(), log: lines };
                    }
                }
                Err(_) => {
                    let _ = child.kill();
                    let _ = child.wait();
                    panic!("the server did not start; it said: {seen:#?}");
                }
            }
        }
    }
}

/// Sends a signal to a process that was started here and is not yet waited for.
///
/// # Panics
/// When the system refuses.
pub fn signal(process: &Child, signal: Signal) {
    kill_process(Pid::from_child(process), signal).expect("the signal is sent");
}

/// Where the program under test lies: beside this test's own executable.
fn program() -> PathBuf {
    let test = std::env::current_exe().expect("a path");
    let folder = test.ancestors().find(|folder| folder.join("patron-under-test").is_file());
    folder.expect("cargo builds patron-under-test with the tests").join("patron-under-test")
}

/// A running server. It is killed when the test ends.
pub struct Server {
    child: Child,
    base: String,
    // One for each server: a client's connections belong to the runtime of the test that made them.
    client: reqwest::Client,
    log: mpsc::Receiver<String>,
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as JSON; `Null` when it is empty.
    pub body: Value,
}

impl Answer {
    /// Reads an answer. A body that is not JSON fails the test: nothing here answers anything else.
    pub async fn read(response: Response) -> Self {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let text = response.text().await.expect("a body");
        let body = if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON in an answer {status}: {text}"))
        };
        Self { status, headers, body }
    }

    /// A header as text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The status, as in `assert_eq!(answer.expect(201)["id"], …)`.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{:#}", self.body);
        self.body
    }

    /// The code of an error, and the paths of its details.
    #[must_use]
    pub fn error(&self) -> (&str, Vec<&str>) {
        let details = self.body["details"].as_object();
        let paths = details.map(|map| map.keys().map(String::as_str).collect()).unwrap_or_default();
        (self.body["code"].as_str().unwrap_or_default(), paths)
    }
}

impl Server {
    /// `http://127.0.0.1:…`.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The process.
    pub fn process(&mut self) -> &mut Child {
        &mut self.child
    }

    /// The log lines since the last call, among them those of every request that was answered.
    ///
    /// # Panics
    /// When the server does not log its requests.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        // Lines come in order: when that of one more request is there, all before it are.
        let mark = format!("mark-{:016x}", RandomState::new().hash_one(()));
        let mut stream = TcpStream::connect(self.base.trim_start_matches("http://")).expect("a connection");
        let request =
            format!("GET /health/live HTTP/1.1\r\nhost: x\r\nx-request-id: {mark}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("it is sent");
        stream.read_to_end(&mut Vec::new()).expect("an answer");
        let mut lines = Vec::new();
        loop {
            let line = self.log.recv_timeout(TIMEOUT).expect("a line for each request");
            if line.contains(&mark) {
                return lines;
            }
            lines.push(line);
        }
    }

    /// A request with the first key, not yet sent.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.request_as(KEY, method, path)
    }

    /// A request with a key.
    pub fn request_as(&self, key: &str, method: Method, path: &str) -> RequestBuilder {
        self.anonymous(method, path).header("x-api-key", key)
    }

    /// A request without a key.
    pub fn anonymous(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    /// GETs a path.
    pub async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    /// POSTs JSON to a path.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        send(self.request(Method::POST, path).json(body)).await
    }

    /// POSTs bytes, called JSON, to a path.
    pub async fn post_raw(&self, path: &str, body: impl Into<Vec<u8>>) -> Answer {
        let request = self.request(Method::POST, path).header("content-type", "application/json");
        send(request.body(body.into())).await
    }

    /// Kills the process at once, as `kill -9` does.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a request and reads its answer.
pub async fn send(request: RequestBuilder) -> Answer {
    Answer::read(request.send().await.expect("an answer")).await
}

/// A client with the common timeout of the tests.
///
/// # Panics
/// When it cannot be created.
#[must_use]
pub fn client() -> reqwest::Client {
    provide_cryptography();
    reqwest::Client::builder().timeout(TIMEOUT).build().expect("a client")
}

/// Installs the cryptography that clients need, although no test here uses TLS.
pub fn provide_cryptography() {
    // Another test of this process has done it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
