//! The measured programs, each in its own process.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use patron_tests::patron::{KEY, Signal, signal};
use serde_json::Value;

use crate::{
    cli::Options,
    client::{Answer, Connection},
    template::{Random, Template},
};

/// A running program. It is killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// The address it listens on.
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts `patron serve` on a database and waits until it is ready.
    pub(crate) fn patron(options: &Options, database_url: &str) -> Self {
        Self::patron_with(options, database_url, &[])
    }

    /// The same with more environment variables.
    pub(crate) fn patron_with(options: &Options, database_url: &str, variables: &[(&str, &str)]) -> Self {
        let server = Self::spawn_patron_with(options, database_url, variables);
        server.wait_for(&Template::new("GET", "/health/ready", &[], None), 200);
        server
    }

    /// Starts it without waiting.
    pub(crate) fn spawn_patron(options: &Options, database_url: &str) -> Self {
        Self::spawn_patron_with(options, database_url, &[])
    }

    fn spawn_patron_with(options: &Options, database_url: &str, variables: &[(&str, &str)]) -> Self {
        let address = free_address();
        let mut command = Command::new(program(options));
        command.args(["serve", "--port", &address.port().to_string()]).env_clear();
        command.env("PATRON_DATABASE_URL", database_url).env("PATRON_BOOTSTRAP_KEY", KEY);
        command.env("PATRON_LOG_FORMAT", "json").env("PATRON_LOG_LEVEL", &options.log_level);
        command.envs(variables.iter().copied());
        Self::spawn(command, address)
    }

    /// Starts a command that will listen on this address.
    pub(crate) fn spawn(mut command: Command, address: SocketAddr) -> Self {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Self { child: child.expect("the program starts"), address }
    }

    /// Repeats a request until the answer has this status; returns the connection.
    pub(crate) fn wait_for(&self, template: &Template, status: u16) -> Connection {
        let mut template = template.clone();
        runtime().block_on(async {
            let give_up = Instant::now() + Duration::from_secs(30);
            while Instant::now() < give_up {
                if let Ok(mut connection) = Connection::open(self.address).await
                    && let Ok(answer) = connection.ask(template.next(&mut Random::new(), &[])).await
                    && answer.status == status
                {
                    return connection;
                }
                tokio::time::sleep(Duration::from_micros(200)).await;
            }
            panic!("the server at {} did not answer {status} within 30 s", self.address)
        })
    }

    /// Sends a request once; returns the answer and its bytes.
    pub(crate) fn ask(&self, request: &[u8]) -> (Answer, Vec<u8>) {
        runtime().block_on(async {
            let mut connection = Connection::open(self.address).await.expect("a connection");
            let answer = connection.ask(request).await.expect("an answer");
            (answer, connection.last().to_vec())
        })
    }

    /// Sends a request once; returns the JSON of the answer, which must have this status. `null` without a body.
    pub(crate) fn json(&self, template: &Template, status: u16) -> Value {
        let mut template = template.clone();
        let request = template.next(&mut Random::new(), &[]);
        let (answer, bytes) = self.ask(request);
        let text = &bytes[answer.lengths.0..];
        let line = request.split(|byte| *byte == b'\r').next().map(String::from_utf8_lossy);
        assert_eq!(answer.status, status, "{line:?}: {}", String::from_utf8_lossy(&text[..text.len().min(500)]));
        if text.is_empty() { Value::Null } else { serde_json::from_slice(text).expect("JSON") }
    }

    /// A figure of its memory in MiB, such as `VmRSS` or `VmHWM`.
    pub(crate) fn memory(&self, name: &str) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
        kilobytes.unwrap_or(f64::NAN) / 1024.0
    }

    /// The number of its open sockets.
    pub(crate) fn open_sockets(&self) -> usize {
        let Ok(files) = fs::read_dir(format!("/proc/{}/fd", self.child.id())) else { return 0 };
        let leads_to = |file: fs::DirEntry| fs::read_link(file.path()).ok();
        files.flatten().filter_map(leads_to).filter(|link| link.to_string_lossy().starts_with("socket:")).count()
    }

    /// Stops it with a signal, like an operator, so that its files are closed properly.
    pub(crate) fn stop(mut self) {
        signal(&self.child, Signal::TERM);
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The measured program: the one named on the command line, or the one built with this program.
pub(crate) fn program(options: &Options) -> PathBuf {
    options.program.clone().unwrap_or_else(|| this_folder().join("patron"))
}

/// The folder of this program.
pub(crate) fn this_folder() -> PathBuf {
    let this = std::env::current_exe().expect("a path");
    this.parent().map(Path::to_owned).expect("a folder")
}

/// An unused address on 127.0.0.1.
pub(crate) fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("an address")
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}
