//! A cluster of three PostgreSQL nodes under Patroni, with etcd and HAProxy, all on this machine.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use patron_tests::postgres::{binaries, shell_for_server, some_port};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Runs a program until the pipe from the test process is closed, then ends it with all its child processes.
const SUPERVISOR: &str = r#"
log=$1 data=$2; shift 2
trap '' PIPE
"$@" </dev/null >>"$log" 2>&1 &
child=$!
trap 'kill -CONT $child; kill -9 $child
  if [ -s "$data/postmaster.pid" ]; then
    main=$(head -n 1 "$data/postmaster.pid"); kill -CONT $main; kill -QUIT $main
    for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 $main || break; sleep 0.2; done
  fi' EXIT
read -r _
"#;

/// The time allowed for a cluster to become healthy again.
const HEALING: Duration = Duration::from_secs(240);

/// How clients find the primary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// All hosts in the URL.
    Hosts,
    /// HAProxy, which checks Patroni every 3 s.
    Proxy,
}

/// The cluster, removed on drop.
pub(crate) struct Nodes {
    folder: TempDir,
    nodes: Vec<Node>,
    proxy: u16,
    synchronous: bool,
    _services: Vec<Program>,
    client: reqwest::Client,
}

struct Node {
    name: String,
    port: u16,
    api: u16,
    program: Option<Program>,
}

struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

impl Nodes {
    /// Starts a cluster and waits until it is healthy.
    pub(crate) async fn start(synchronous: bool) -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory");
        // The programs run as another user and create their own folders.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).expect("permissions");
        let ports: Vec<u16> = BTreeSet::from_iter((0..64).map(|_| some_port())).into_iter().collect();
        let [etcd, peer, proxy, ref rest @ ..] = ports[..] else { panic!("ports") };
        let path = |name: &str| folder.path().join(name).display().to_string();
        let [client_url, peer_url] = [etcd, peer].map(|port| format!("http://127.0.0.1:{port}"));
        let mut services = vec![run(
            &path("etcd.log"),
            "",
            &[
                "etcd",
                "--name",
                "e",
                "--data-dir",
                &path("etcd"),
                "--log-level",
                "error",
                "--listen-client-urls",
                &client_url,
                "--advertise-client-urls",
                &client_url,
                "--listen-peer-urls",
                &peer_url,
                "--initial-advertise-peer-urls",
                &peer_url,
                "--initial-cluster",
                &format!("e={peer_url}"),
            ],
        )];
        let nodes = rest.chunks(2).take(3).enumerate().map(|(number, ports)| {
            let (name, [port, api]) = (format!("n{}", number + 1), [ports[0], ports[1]]);
            let text = configuration(&name, port, api, etcd, folder.path(), synchronous);
            fs::write(path(&format!("{name}.yml")), text).expect("a file");
            Node { name, port, api, program: None }
        });
        let nodes: Vec<_> = nodes.collect();
        fs::write(path("haproxy.cfg"), haproxy(proxy, &nodes)).expect("a file");
        services.push(run(&path("haproxy.log"), "", &["haproxy", "-db", "-f", &path("haproxy.cfg")]));
        let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).build().expect("a client");
        let mut cluster = Self { folder, nodes, proxy, synchronous, _services: services, client };
        for number in 0..cluster.nodes.len() {
            cluster.start_node(number);
            // The first initialises; the others copy it.
            cluster.until_primary().await;
        }
        cluster.until_healthy().await;
        cluster
    }

    /// The URL of the database `postgres`.
    pub(crate) fn url(&self, way: Way) -> String {
        database(&self.hosts(way).join(","))
    }

    /// The URL for each host by itself.
    pub(crate) fn urls(&self, way: Way) -> Vec<String> {
        self.hosts(way).iter().map(|host| database(host)).collect()
    }

    fn hosts(&self, way: Way) -> Vec<String> {
        let ports = match way {
            Way::Hosts => self.nodes.iter().map(|node| node.port).collect(),
            Way::Proxy => vec![self.proxy],
        };
        ports.iter().map(|port| format!("127.0.0.1:{port}")).collect()
    }

    /// The URL of the current primary alone.
    pub(crate) async fn primary_url(&self) -> String {
        let primary = self.until_primary().await;
        database(&format!("127.0.0.1:{}", self.nodes[primary].port))
    }

    /// Waits until there is a primary, and returns its number.
    pub(crate) async fn until_primary(&self) -> usize {
        self.until_primary_but(None).await
    }

    async fn until_primary_but(&self, old: Option<usize>) -> usize {
        let begun = Instant::now();
        loop {
            for (number, node) in self.nodes.iter().enumerate().filter(|(number, _)| Some(*number) != old) {
                let answer = self.client.get(format!("http://127.0.0.1:{}/primary", node.api)).send().await;
                if answer.is_ok_and(|answer| answer.status().is_success()) {
                    return number;
                }
            }
            assert!(begun.elapsed() < HEALING, "no primary; see {}: {}", self.keep_logs(), self.logs());
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Waits until all nodes run and follow the primary.
    pub(crate) async fn until_healthy(&self) {
        let begun = Instant::now();
        loop {
            let members = self.members().await;
            let is = |role: &str| {
                members.iter().filter(|member| member["role"].as_str().is_some_and(|is| is.contains(role))).count()
            };
            let run = members.iter().all(|member| matches!(member["state"].as_str(), Some("running" | "streaming")));
            let lag = members.iter().all(|member| member["lag"].as_u64().unwrap_or_default() < 1_000_000);
            // A switchover needs a synchronous standby that Patroni has registered.
            let ready = !self.synchronous || is("sync_standby") == 1;
            if members.len() == self.nodes.len() && run && lag && is("leader") == 1 && ready {
                return;
            }
            assert!(begun.elapsed() < HEALING, "not healthy: {members:?}; see {}: {}", self.keep_logs(), self.logs());
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    async fn members(&self) -> Vec<Value> {
        for node in &self.nodes {
            let Ok(answer) = self.client.get(format!("http://127.0.0.1:{}/cluster", node.api)).send().await else {
                continue;
            };
            let Ok(answer) = answer.json::<Value>().await else { continue };
            return answer["members"].as_array().cloned().unwrap_or_default();
        }
        Vec::new()
    }

    /// Hands the primary's role to another node in a planned switchover.
    pub(crate) async fn switch_over(&self) {
        let primary = self.until_primary().await;
        let node = &self.nodes[primary];
        let asked = self.client.post(format!("http://127.0.0.1:{}/switchover", node.api));
        let asked = asked.timeout(Duration::from_secs(60)).json(&json!({ "leader": node.name })).send().await;
        let answer = asked.expect("an answer from Patroni");
        let status = answer.status();
        assert!(status.is_success(), "{status}: {}", answer.text().await.unwrap_or_default());
        self.until_primary_but(Some(primary)).await;
    }

    /// Kills the main process of the primary's PostgreSQL.
    pub(crate) async fn kill_postmaster(&self) {
        let primary = self.until_primary().await;
        send(self.postmaster(primary), Signal::KILL);
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.until_primary().await;
    }

    /// Kills the primary's whole node, and restarts it when there is another primary.
    pub(crate) async fn lose_node(&mut self) {
        let primary = self.until_primary().await;
        for process in self.processes(primary) {
            send(Some(process), Signal::KILL);
        }
        self.nodes[primary].program = None;
        self.until_primary_but(Some(primary)).await;
        tokio::time::sleep(Duration::from_secs(5)).await;
        self.start_node(primary);
    }

    /// Pauses the primary's whole node, like a frozen virtual machine, until there is another primary.
    pub(crate) async fn pause_primary(&self) {
        let primary = self.until_primary().await;
        let processes = self.processes(primary);
        processes.iter().for_each(|process| send(Some(*process), Signal::STOP));
        self.until_primary_but(Some(primary)).await;
        tokio::time::sleep(Duration::from_secs(5)).await;
        processes.iter().for_each(|process| send(Some(*process), Signal::CONT));
    }

    /// Pauses a standby's whole node for a while.
    pub(crate) async fn pause_standby(&self) {
        let primary = self.until_primary().await;
        let standby = (primary + 1) % self.nodes.len();
        let processes = self.processes(standby);
        processes.iter().for_each(|process| send(Some(*process), Signal::STOP));
        tokio::time::sleep(Duration::from_secs(30)).await;
        processes.iter().for_each(|process| send(Some(*process), Signal::CONT));
    }

    fn start_node(&mut self, number: usize) {
        let node = &self.nodes[number];
        let path = |name: String| self.folder.path().join(name).display().to_string();
        let (log, data) = (path(format!("{}.log", node.name)), path(node.name.clone()));
        let program = run(&log, &data, &["patroni", &path(format!("{}.yml", node.name))]);
        self.nodes[number].program = Some(program);
    }

    fn postmaster(&self, number: usize) -> Option<Pid> {
        let file = self.folder.path().join(&self.nodes[number].name).join("postmaster.pid");
        let text = fs::read_to_string(file).ok()?;
        Pid::from_raw(text.lines().next()?.trim().parse().ok()?)
    }

    /// All processes of a node except its supervisor: Patroni first, then PostgreSQL's.
    fn processes(&self, number: usize) -> Vec<Pid> {
        let supervisor = self.nodes[number].program.as_ref().map(|program| program.0.id()).unwrap_or_default();
        let mut known: Vec<u32> = vec![supervisor];
        known.extend(self.postmaster(number).map(|process| process.as_raw_nonzero().get().unsigned_abs()));
        let parents: Vec<(u32, u32)> =
            fs::read_dir("/proc").expect("/proc").filter_map(|entry| parent(&entry.ok()?.path())).collect();
        let mut before = 0;
        while before < known.len() {
            before = known.len();
            for (process, parent) in &parents {
                if known.contains(parent) && !known.contains(process) {
                    known.push(*process);
                }
            }
        }
        let raw = |process: &u32| i32::try_from(*process).ok().and_then(Pid::from_raw);
        known.iter().filter(|process| **process != supervisor).filter_map(raw).collect()
    }

    /// The last lines of the nodes' logs.
    fn logs(&self) -> String {
        let last = |node: &Node| {
            let text = fs::read_to_string(self.folder.path().join(format!("{}.log", node.name))).unwrap_or_default();
            let lines: Vec<_> = text.lines().rev().take(8).collect();
            format!("{}:\n{}", node.name, lines.into_iter().rev().collect::<Vec<_>>().join("\n"))
        };
        self.nodes.iter().map(last).collect::<Vec<_>>().join("\n")
    }

    fn keep_logs(&self) -> String {
        self.folder.path().display().to_string()
    }
}

fn database(hosts: &str) -> String {
    format!("postgres://postgres:secret@{hosts}/postgres")
}

/// A process and its parent.
fn parent(folder: &Path) -> Option<(u32, u32)> {
    let process = folder.file_name()?.to_str()?.parse().ok()?;
    let stat = fs::read_to_string(folder.join("stat")).ok()?;
    let (_, behind) = stat.rsplit_once(')')?;
    Some((process, behind.split_whitespace().nth(1)?.parse().ok()?))
}

fn send(process: Option<Pid>, signal: Signal) {
    // The process may have ended by itself.
    let _ = process.map(|process| kill_process(process, signal));
}

/// Starts a program as a user that PostgreSQL accepts.
fn run(log: &str, data: &str, program: &[&str]) -> Program {
    let mut command: Command = shell_for_server().unwrap_or_else(|error| panic!("{error}"));
    command.args(["-c", SUPERVISOR, "supervisor", log, data]).args(program);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin").env("LC_ALL", "C.UTF-8");
    command.env("HOME", "/tmp").current_dir("/");
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    Program(command.spawn().expect("a shell"))
}

fn configuration(name: &str, port: u16, api: u16, etcd: u16, folder: &Path, synchronous: bool) -> String {
    let binaries: PathBuf = binaries().unwrap_or_else(|error| panic!("{error}"));
    let (binaries, folder) = (binaries.display(), folder.display());
    format!(
        "scope: patron
name: {name}
restapi: {{listen: '127.0.0.1:{api}', connect_address: '127.0.0.1:{api}'}}
etcd3: {{host: '127.0.0.1:{etcd}'}}
log: {{level: WARNING}}
bootstrap:
  dcs:
    ttl: 20
    loop_wait: 5
    retry_timeout: 5
    maximum_lag_on_failover: 100000000
    synchronous_mode: {synchronous}
    postgresql:
      use_pg_rewind: true
      use_slots: true
      parameters: {{wal_log_hints: 'on', max_connections: 100, wal_keep_size: 256MB}}
  initdb: [{{encoding: UTF8}}, {{locale: C}}, data-checksums]
postgresql:
  listen: '127.0.0.1:{port}'
  connect_address: '127.0.0.1:{port}'
  data_dir: '{folder}/{name}'
  bin_dir: '{binaries}'
  pgpass: '{folder}/{name}.pgpass'
  authentication:
    superuser: {{username: postgres, password: secret}}
    replication: {{username: replicator, password: secret}}
    rewind: {{username: rewinder, password: secret}}
  parameters: {{unix_socket_directories: '{folder}'}}
  pg_hba:
    - local all all trust
    - host all all 127.0.0.1/32 trust
    - host replication all 127.0.0.1/32 trust
"
    )
}

/// HAProxy's configuration, as in Patroni's documentation.
fn haproxy(port: u16, nodes: &[Node]) -> String {
    let servers = nodes
        .iter()
        .map(|node| format!("  server {} 127.0.0.1:{} maxconn 100 check port {}\n", node.name, node.port, node.api));
    format!(
        "global
  maxconn 500
defaults
  mode tcp
  retries 2
  timeout client 30m
  timeout connect 4s
  timeout server 30m
  timeout check 5s
listen primary
  bind 127.0.0.1:{port}
  option httpchk OPTIONS /primary
  http-check expect status 200
  default-server inter 3s fall 3 rise 2 on-marked-down shutdown-sessions
{}",
        servers.collect::<String>()
    )
}
