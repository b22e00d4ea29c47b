//! A throw-away PostgreSQL server for tests.
//!
//! Every test process has its own: one [`Cluster::shared`] for all tests that only need a database, and one more for
//! each test that stops its server or configures it ([`Cluster::start`]). A server and its directory go away when the
//! test process ends, however it ends: a small shell process supervises them and holds the reading end of a pipe from
//! the test process, which the kernel closes even after `kill -9`.

use std::{
    env, fs,
    hash::{BuildHasher, RandomState},
    io::{BufRead, BufReader, ErrorKind, Read, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use tokio_postgres::{Config, NoTls};

/// What a directory of server binaries has to hold. Debian's client package fills the same directories without these.
const BINARIES: [&str; 3] = ["initdb", "pg_ctl", "postgres"];

/// The superuser of every cluster.
pub(crate) const USER: &str = "patron";

/// How often a server is started on another port because the previous one was taken.
const PORTS_TRIED: usize = 20;

/// The supervisor, which also tells what it is sent and what it answers.
const SUPERVISOR: &str = include_str!("postgres.sh");

/// How a cluster differs from the default: a server without TLS that does not wait for the disk.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Serve TLS with these files.
    pub tls: Option<Tls>,
    /// Wait for the disk as a real server does. Otherwise `fsync`, `full_page_writes` and `synchronous_commit` are off.
    pub durable: bool,
    /// More lines for `postgresql.conf`, which win over ours.
    pub configuration: Vec<String>,
    /// The lines of `pg_hba.conf` for TCP, such as `hostssl all all 127.0.0.1/32 scram-sha-256`. Without any, the user
    /// of the URL may connect with its password, with and without TLS.
    pub host_access: Vec<String>,
}

/// A server's certificate, as PEM files that this process can read; the server gets copies.
#[derive(Debug, Clone)]
pub struct Tls {
    /// The certificate, and those between it and the root.
    pub certificate: PathBuf,
    /// Its private key, without a password.
    pub key: PathBuf,
}

/// A PostgreSQL server with a data directory of its own, on a free port of 127.0.0.1. Both are gone after the drop.
#[derive(Debug)]
pub struct Cluster {
    supervisor: Mutex<Supervisor>,
    directory: String,
    port: u16,
    password: String,
    databases: AtomicU32,
}

impl Cluster {
    /// The cluster of this test process, started on first use.
    ///
    /// # Panics
    /// When it does not start, which fails the test: a test that needs PostgreSQL is never skipped.
    #[track_caller]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Result<Cluster, String>> = OnceLock::new();
        match SHARED.get_or_init(|| Self::start(&Options::default())) {
            Ok(cluster) => cluster,
            Err(error) => panic!("{error}"),
        }
    }

    /// Starts a cluster, and blocks until it takes connections: about a second.
    ///
    /// # Errors
    /// What went wrong and, when something is missing, what to install.
    pub fn start(options: &Options) -> Result<Self, String> {
        let password = format!("{:016x}", random());
        let mut supervisor = Supervisor::spawn(&binaries()?, options, &password)?;
        let made = supervisor.answer().map_err(|error| format!("initdb failed: {error}"))?;
        let directory = made.strip_prefix("made ").unwrap_or_default().to_owned();
        let port = supervisor.start_on_free_port()?;
        Ok(Self { supervisor: Mutex::new(supervisor), directory, port, password, databases: AtomicU32::new(0) })
    }

    /// The TCP port on 127.0.0.1. It stays the same after [`Self::restart`].
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of a database, whether it exists or not: `postgres://user:password@127.0.0.1:port/database`.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}:{}@127.0.0.1:{}/{database}", self.password, self.port)
    }

    /// Creates an empty database with a name of its own, and gives its URL.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn fresh_database(&self) -> String {
        // Unlike template1 it allows no connections, which would make the server refuse.
        self.fresh_database_from("template0").await
    }

    /// Creates a copy of a database, which must have no connections, and returns the copy's URL.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn fresh_database_from(&self, template: &str) -> String {
        let database = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let statement = format!(r#"CREATE DATABASE {database} TEMPLATE "{template}""#);
        match self.execute(&statement).await {
            Ok(()) => self.url(&database),
            Err(error) => panic!("{statement}: {error:?}"),
        }
    }

    /// Runs one statement as superuser, over the server's own socket: there TLS and `pg_hba.conf` lines do not matter.
    async fn execute(&self, statement: &str) -> Result<(), tokio_postgres::Error> {
        let mut config = Config::new();
        config.host_path(&self.directory).port(self.port).user(USER).dbname("postgres");
        let (client, connection) = config.connect(NoTls).await?;
        tokio::spawn(connection);
        client.batch_execute(statement).await
    }

    /// Stops the server, as an administrator would: open connections are cut, what was committed stays.
    ///
    /// # Panics
    /// When it does not stop, or was not running.
    pub fn stop(&self) {
        self.command("stop");
    }

    /// Stops the server as a loss of power does, but for the disk: nothing is finished, and the next start recovers.
    ///
    /// # Panics
    /// When it was not running.
    pub fn crash(&self) {
        self.command("crash");
    }

    /// Kills one process of the server, as the kernel does when memory runs out: the server then ends all the others and
    /// recovers by itself.
    ///
    /// # Panics
    /// When there is no such process.
    pub fn kill(&self, process: i32) {
        if let Err(error) = self.supervisor().command(&format!("kill {process}")) {
            panic!("PostgreSQL's process {process} was not killed: {error}");
        }
    }

    /// Starts the stopped server on the same port, with everything that was committed; stops it first when it runs.
    ///
    /// # Panics
    /// When it does not start.
    pub fn restart(&self) {
        if self.supervisor().running {
            self.stop();
        }
        self.command(&format!("start {}", self.port));
    }

    /// Restarts the server as a standby, as a switchover does with a primary: it accepts no writes.
    ///
    /// # Panics
    /// When it does not stop or start.
    pub fn demote(&self) {
        self.stop();
        self.command("standby");
        self.command(&format!("start {}", self.port));
    }

    /// Promotes a standby. Connections stay open.
    ///
    /// # Panics
    /// When it is not a standby.
    pub async fn promote(&self) {
        if let Err(error) = self.execute("SELECT pg_promote()").await {
            panic!("PostgreSQL was not promoted: {error:?}");
        }
    }

    /// Runs one statement as superuser, in the database `postgres`.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn administer(&self, statement: &str) {
        if let Err(error) = self.execute(statement).await {
            panic!("{statement}: {error:?}");
        }
    }

    /// The server's log.
    ///
    /// # Panics
    /// When the log cannot be read.
    #[must_use]
    pub fn log(&self) -> String {
        let log = fs::read(Path::new(&self.directory).join("server.log")).expect("the server's log");
        String::from_utf8_lossy(&log).into_owned()
    }

    /// The superuser's password.
    pub(crate) fn password(&self) -> &str {
        &self.password
    }

    fn command(&self, command: &str) {
        if let Err(error) = self.supervisor().command(command) {
            panic!("PostgreSQL did not {command}: {error}");
        }
    }

    fn supervisor(&self) -> MutexGuard<'_, Supervisor> {
        // A panic while it was held failed that test alone.
        self.supervisor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The shell process that owns a server.
#[derive(Debug)]
struct Supervisor {
    process: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    running: bool,
}

impl Supervisor {
    fn spawn(binaries: &Path, options: &Options, password: &str) -> Result<Self, String> {
        let read = |path: &Path| fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()));
        let (certificate, key) = match &options.tls {
            Some(tls) => (read(&tls.certificate)?, read(&tls.key)?),
            None => (String::new(), String::new()),
        };
        let mut command = shell_for_server()?;
        command.args(["-c", SUPERVISOR, "supervisor"]).arg(binaries);
        command.env("LC_ALL", "C").env("OWNER", USER).env("PASSWORD", password);
        command.env("CONFIGURATION", configuration(options)).env("HOST_BASED_ACCESS", host_based_access(options));
        command.env("TLS_CERTIFICATE", certificate).env("TLS_KEY", key);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        std::os::unix::process::CommandExt::process_group(&mut command, 0); // Ctrl-C is for the tests, not for the cleaner.
        let mut process = command.spawn().map_err(|error| format!("/bin/sh did not start: {error}"))?;
        let (Some(commands), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
            return Err("a process was started without the pipes that were asked for".to_owned());
        };
        Ok(Self { process, commands, answers: BufReader::new(answers), running: false })
    }

    fn start_on_free_port(&mut self) -> Result<u16, String> {
        let mut last = String::new();
        for _ in 0..PORTS_TRIED {
            // Below the range of outgoing connections on Linux, so the port stays free while the server is stopped.
            let port = some_port();
            if TcpListener::bind(("127.0.0.1", port)).is_err() {
                continue;
            }
            match self.command(&format!("start {port}")) {
                Ok(()) => return Ok(port),
                // Another process was faster.
                Err(error) if error.contains("could not bind") => last = error,
                Err(error) => return Err(format!("PostgreSQL did not start: {error}")),
            }
        }
        Err(format!("{PORTS_TRIED} ports on 127.0.0.1 were all taken. {last}"))
    }

    fn command(&mut self, command: &str) -> Result<(), String> {
        writeln!(self.commands, "{command}").map_err(|error| format!("its supervisor is gone: {error}"))?;
        self.answer()?;
        self.running = command.starts_with("start") || command.starts_with("kill");
        Ok(())
    }

    /// Reads up to the line that ends an answer; a failure gives the lines before it.
    fn answer(&mut self) -> Result<String, String> {
        let mut reasons = Vec::new();
        for line in self.answers.by_ref().lines() {
            let line = line.map_err(|error| error.to_string())?;
            match line.strip_prefix('=') {
                Some("failed") => break,
                Some(answer) => return Ok(answer.to_owned()),
                None => reasons.push(line),
            }
        }
        Err(reasons.join("\n"))
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        // The shared cluster is never dropped; there the end of the pipe says the same.
        let _ = writeln!(self.commands, "finish");
        let _ = self.process.wait();
    }
}

/// A shell as a user that PostgreSQL accepts: it refuses root.
pub fn shell_for_server() -> Result<Command, String> {
    let id = |arguments: &[&str]| {
        let output = Command::new("id").args(arguments).stderr(Stdio::null()).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
        output.status.success().then_some(text)
    };
    if id(&["-u"]).as_deref() != Some("0") {
        return Ok(Command::new("/bin/sh"));
    }
    let ids = ["postgres", "nobody"].iter().find_map(|user| Some((id(&["-u", user])?, id(&["-g", user])?)));
    let (user, group) = ids.ok_or("PostgreSQL does not run as root, and there is no user `postgres` or `nobody`")?;
    if let Err(error) = Command::new("setpriv").arg("--version").stdout(Stdio::null()).status() {
        let hint = "PostgreSQL does not run as root, and `setpriv`, which changes the user, does not start";
        return Err(format!("{hint}: {error}. Install it: apt-get install util-linux"));
    }
    let mut command = Command::new("setpriv");
    command.args([
        format!("--reuid={user}"),
        format!("--regid={group}"),
        "--clear-groups".to_owned(),
        "/bin/sh".to_owned(),
    ]);
    Ok(command)
}

fn configuration(options: &Options) -> String {
    // A time zone that differs clearly from UTC, in a form that needs no time zone table.
    let mut lines = vec!["listen_addresses = '127.0.0.1'", "max_connections = 200", "timezone = '<+0545>-05:45'"];
    if !options.durable {
        lines.extend(["fsync = off", "full_page_writes = off", "synchronous_commit = off"]);
    }
    if options.tls.is_some() {
        lines.push("ssl = on");
    }
    lines.extend(options.configuration.iter().map(String::as_str));
    lines.join("\n")
}

fn host_based_access(options: &Options) -> String {
    // The socket lies in a directory that only the server's user can enter.
    let mut lines = vec!["local all all trust"];
    lines.extend(options.host_access.iter().map(String::as_str));
    if options.host_access.is_empty() {
        lines.push("host all all 127.0.0.1/32 scram-sha-256");
    }
    lines.join("\n")
}

/// The directory of the server binaries: the one named by `PATRON_TEST_POSTGRES_BIN`, or Debian's newest, or one of `PATH`.
///
/// # Errors
/// What to install.
pub fn binaries() -> Result<PathBuf, String> {
    let complete = |directory: &PathBuf| BINARIES.iter().all(|binary| directory.join(binary).is_file());
    let names = BINARIES.join(", ");
    if let Some(named) = env::var_os("PATRON_TEST_POSTGRES_BIN").map(PathBuf::from) {
        let error = format!("PATRON_TEST_POSTGRES_BIN is {}, which does not hold all of {names}", named.display());
        return complete(&named).then_some(named).ok_or(error);
    }
    let debian = match fs::read_dir("/usr/lib/postgresql") {
        Ok(entries) => entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok()).collect(),
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(format!("/usr/lib/postgresql: {error}")),
    };
    let mut debian: Vec<_> =
        debian.into_iter().map(|version| (version, format!("/usr/lib/postgresql/{version}/bin"))).collect();
    debian.sort_unstable();
    let path = env::var_os("PATH").unwrap_or_default();
    let mut candidates = debian.into_iter().rev().map(|(_, bin)| PathBuf::from(bin)).chain(env::split_paths(&path));
    candidates.find(complete).ok_or_else(|| {
        format!(
            "these tests need the PostgreSQL server binaries ({names}), which are neither in /usr/lib/postgresql/*/bin nor in \
             PATH. Install them: apt-get install postgresql. Or set PATRON_TEST_POSTGRES_BIN to the directory that holds them."
        )
    })
}

/// A port below the range of outgoing connections on Linux.
pub fn some_port() -> u16 {
    20_000 + u16::try_from(random() % 12_000).unwrap_or_default()
}

/// Random enough that parallel test processes choose different ports, and that passwords cannot be guessed.
fn random() -> u64 {
    // The standard library seeds it from the operating system.
    RandomState::new().hash_one(())
}
