//! A temporary PgBouncer in front of a [`Cluster`]: the program in `PATRON_TEST_PGBOUNCER`, or Debian's.

use std::{
    env, fs,
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    postgres::{Cluster, USER, shell_for_server, some_port},
    wait::TIMEOUT,
};

/// Owns the pooler and ends it when the pipe from the test process closes, at the latest when that process dies.
const SUPERVISOR: &str = r#""$1" -q "$2" </dev/null & trap 'kill $!' EXIT; read -r _"#;

/// A pooler, stopped on drop.
#[derive(Debug)]
pub struct Pooler {
    supervisor: Child,
    port: u16,
    _folder: TempDir,
}

impl Pooler {
    /// Starts a pooler with additional lines of configuration.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn before(cluster: &Cluster, configuration: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let file = |name: &str, text: String| {
            let path = folder.path().join(name);
            fs::write(&path, text).expect("a file");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("permissions");
            path
        };
        // The pooler runs as another user.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("permissions");
        let users = file("users.txt", format!("\"{USER}\" \"{}\"\n", cluster.password()));
        let port = some_port();
        let lines = [
            "[databases]".to_owned(),
            format!("* = host=127.0.0.1 port={}", cluster.port()),
            "[pgbouncer]".to_owned(),
            format!("listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir ="),
            format!("auth_type = trust\nauth_file = {}", users.display()),
            // Retries a failed server within a second.
            "server_login_retry = 1".to_owned(),
        ];
        let lines = lines.into_iter().chain(configuration.iter().map(|line| (*line).to_owned()));
        let file = file("pgbouncer.ini", lines.collect::<Vec<_>>().join("\n"));
        let mut command = shell_for_server().unwrap_or_else(|error| panic!("{error}"));
        command.args(["-c", SUPERVISOR, "supervisor"]).arg(program()).arg(file);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut supervisor = command.spawn().expect("a shell");
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = supervisor.try_wait().expect("a process");
            assert!(ended.is_none() && begun.elapsed() < TIMEOUT, "pgbouncer does not listen on port {port}");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { supervisor, port, _folder: folder }
    }

    /// The URL of a database through the pooler.
    #[must_use]
    pub fn url(&self, direct: &str) -> String {
        let (front, behind) = direct.split_once("@127.0.0.1:").expect("a URL of a cluster");
        let (_, path) = behind.split_once('/').expect("a database");
        format!("{front}@127.0.0.1:{}/{path}", self.port)
    }

    /// Whether this version supports prepared statements in transaction pooling (1.21 or later).
    ///
    /// # Panics
    /// When its version cannot be read.
    #[must_use]
    pub fn can_keep_statements() -> bool {
        let output = Command::new(program()).arg("--version").output().expect("pgbouncer starts");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let version = text.lines().next().and_then(|line| line.strip_prefix("PgBouncer "));
        let mut numbers = version.expect("a version").split('.').map(|number| number.parse::<u32>().unwrap_or(0));
        (numbers.next(), numbers.next()) >= (Some(1), Some(21))
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        let _ = self.supervisor.wait();
    }
}

/// The program.
fn program() -> PathBuf {
    // Debian installs it in a folder that only root has in its PATH.
    env::var_os("PATRON_TEST_PGBOUNCER").map_or_else(|| PathBuf::from("/usr/sbin/pgbouncer"), PathBuf::from)
}
