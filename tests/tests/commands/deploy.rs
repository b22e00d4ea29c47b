//! The files of `docs/deploy`: the statements on a temporary PostgreSQL, the unit in `systemd-analyze`, and both proxies in
//! front of the program. Tests of missing programs are skipped, and `tests/run` says so.

use std::{
    env, fs,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use patron_tests::{
    patron::{Backend, KEY, Place, Server, client, send},
    ports,
    postgres::{self, Cluster, Options},
    requests::minimal,
    wait::{TIMEOUT, until},
};
use rcgen::generate_simple_self_signed;
use reqwest::{Method, StatusCode};
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use tokio_postgres::NoTls;

/// The most concurrent requests of one address in nginx.
const AT_WORK: usize = 64;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/deploy").join(name)
}

/// The path of a program; prints a note if it is not installed.
fn installed(program: &str) -> Option<PathBuf> {
    let mut folders =
        env::split_paths(&env::var_os("PATH")?).chain([PathBuf::from("/usr/sbin")]).collect::<Vec<_>>().into_iter();
    let found = folders.find_map(|folder| Some(folder.join(program)).filter(|path| path.is_file()));
    if found.is_none() {
        eprintln!("left out: {program} is not installed");
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn the_statements_create_a_private_database() {
    let cluster = Cluster::start(&Options::default()).unwrap();
    // The statements create a role with the name of our superuser, which is renamed first.
    run_sql(
        &cluster.url("postgres"),
        "CREATE ROLE admin SUPERUSER LOGIN PASSWORD 'a'; CREATE ROLE other LOGIN PASSWORD 'o'",
    )
    .await
    .unwrap();
    let url = |user: &str, password: &str, database: &str| {
        format!("postgres://{user}:{password}@127.0.0.1:{}/{database}", cluster.port())
    };
    run_sql(&url("admin", "a", "postgres"), "ALTER ROLE patron RENAME TO tester").await.unwrap();

    let psql = postgres::binaries().unwrap().join("psql");
    let mut psql = Command::new(if psql.is_file() { psql } else { PathBuf::from("psql") });
    psql.args(["--no-psqlrc", "-v", "password=it's s3cret", "-d", &url("admin", "a", "postgres")]);
    let output = psql.stdin(fs::File::open(file("postgres.sql")).unwrap()).output().expect("psql starts");
    assert!(output.status.success(), "{output:?}");

    let server = Place::over(url("patron", "it%27s%20s3cret", "patron")).serve();
    server.post("/v1/customers", &minimal("acme")).await.expect(201);
    let refused = run_sql(&url("other", "o", "patron"), "SELECT 1").await.unwrap_err();
    assert!(refused.as_db_error().unwrap().message().contains("permission denied"), "{refused:?}");
}

async fn run_sql(url: &str, sql: &str) -> Result<(), tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let connection = tokio::spawn(connection);
    let outcome = client.batch_execute(sql).await;
    drop(client);
    let _ = connection.await;
    outcome
}

#[tokio::test]
async fn systemd_analyze_accepts_the_unit() {
    let Some(analyze) = installed("systemd-analyze") else { return };
    let place = Place::fresh(Backend::Sqlite).await;
    let unit = fs::read_to_string(file("patron.service")).unwrap();
    let program = place.command(&[]).get_program().to_str().unwrap().to_owned();
    // With the lines for PostgreSQL, which are comments by default.
    let unit = unit
        .replace("/usr/local/bin/patron", &program)
        .replace("\n#LoadCredential", "\nLoadCredential")
        .replace("\n#Environment", "\nEnvironment");
    let copy = place.path().join("patron.service");
    fs::write(&copy, unit).unwrap();
    let output = Command::new(analyze).args(["verify", "--man=no"]).arg(copy).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !told.contains("patron.service"), "{told}");
}

/// A running proxy with its children, killed on drop.
struct Proxy(Child);

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = kill_process_group(Pid::from_child(&self.0), Signal::KILL);
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nginx_accepts_the_configuration_and_enforces_its_limits() {
    let Some(nginx) = installed("nginx") else { return };
    let place = Place::fresh(Backend::Sqlite).await;
    let server = place.serve();
    let folder = place.path();
    let path = |name: &str| folder.join(name).display().to_string();
    let certificate = generate_simple_self_signed(["patron.example.com".to_owned()]).unwrap();
    fs::write(path("fullchain.pem"), certificate.cert.pem()).unwrap();
    fs::write(path("privkey.pem"), certificate.signing_key.serialize_pem()).unwrap();
    let (tls, plain) = (ports::free(), ports::free());
    let site = fs::read_to_string(file("nginx.conf")).unwrap();
    let site = site.replace("listen 443 ssl;", &format!("listen 127.0.0.1:{tls} ssl;\n  listen 127.0.0.1:{plain};"));
    let site = site.replace("127.0.0.1:8080", server.base().trim_start_matches("http://"));
    let site = site.replace("/etc/ssl/patron.example.com/", &path(""));
    fs::write(path("site.conf"), site).unwrap();
    let temporary =
        ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|kind| format!("{kind}_temp_path {};", path(kind)));
    let user = if rustix::process::geteuid().is_root() { "user root;" } else { "" };
    let main = format!(
        "{user} pid {}; events {{}} http {{ access_log off; {} include {}; }}",
        path("pid"),
        temporary.concat(),
        path("site.conf")
    );
    fs::write(path("main.conf"), main).unwrap();
    let arguments = ["-p".to_owned(), path(""), "-e".to_owned(), path("error.log"), "-c".to_owned(), path("main.conf")];
    let checked = Command::new(&nginx).args(&arguments).arg("-t").output().unwrap();
    assert!(checked.status.success(), "{checked:?}");
    let mut command = Command::new(nginx);
    command.args(arguments).args(["-g", "daemon off;"]).stdin(Stdio::null());
    let _proxy = started(command);

    let over_tls = format!("https://patron.example.com:{tls}/health/ready");
    until(async || {
        let mut curl = Command::new("curl");
        curl.args([
            "-sSf",
            "--cacert",
            &path("fullchain.pem"),
            "--resolve",
            &format!("patron.example.com:{tls}:127.0.0.1"),
        ]);
        let output = curl.arg(&over_tls).output().unwrap();
        if output.status.success() { Ok(()) } else { Err(output) }
    })
    .await;
    let base = format!("http://127.0.0.1:{plain}");
    passes_everything_on(&base).await;
    ends_slow_heads(plain);
    // Requests that never send their body, until one more is refused.
    let mut stalled = Vec::new();
    let busy = until(async || {
        for _ in 0..AT_WORK {
            let mut stream = TcpStream::connect(("127.0.0.1", plain)).unwrap();
            stream.write_all(b"POST /v1/customers HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n").unwrap();
            stalled.push(stream);
        }
        let answer = send(client().get(format!("{base}/health/live"))).await;
        if answer.status == 429 { Ok(answer) } else { Err(answer.status) }
    })
    .await;
    assert_eq!((&busy.body["code"], busy.header("retry-after")), (&json!("too_many_requests"), Some("1")));
    drop(stalled);
    says_when_patron_is_away(&base, server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn caddy_accepts_the_configuration_and_enforces_its_limits() {
    let Some(caddy) = installed("caddy") else { return };
    let place = Place::fresh(Backend::Sqlite).await;
    let server = place.serve();
    let caddy = |command: &str| {
        let mut caddy = Command::new(&caddy);
        caddy.args([command, "--adapter", "caddyfile", "--config"]).arg(file("Caddyfile")).env("HOME", place.path());
        caddy.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        caddy
    };
    assert!(caddy("validate").status().unwrap().success());
    let port = ports::free();
    let base = format!("http://127.0.0.1:{port}");
    let mut command = caddy("run");
    command.env("SITE_ADDRESS", &base).env("UPSTREAM", server.base().trim_start_matches("http://"));
    command.env("CADDY_ADMIN", format!("127.0.0.1:{}", ports::free()));
    let _proxy = started(command);
    until(async || client().get(format!("{base}/health/ready")).send().await).await;
    passes_everything_on(&base).await;
    ends_slow_heads(port);
    says_when_patron_is_away(&base, server).await;
}

fn started(mut command: Command) -> Proxy {
    Proxy(std::os::unix::process::CommandExt::process_group(&mut command, 0).spawn().expect("the proxy starts"))
}

/// Checks that paths, bodies, entity tags and errors pass unchanged, and that metrics do not.
async fn passes_everything_on(base: &str) {
    let request = |method: Method, path: &str| {
        client().request(method, format!("{base}{path}")).header("x-api-key", KEY).header("accept-encoding", "gzip")
    };
    let id = "gid://app//Customer/1";
    send(request(Method::POST, "/v1/customers").json(&minimal(id))).await.expect(201);
    for path in ["gid%3A%2F%2Fapp%2F%2FCustomer%2F1", id] {
        let found = send(request(Method::GET, &format!("/v1/customers/external/{path}"))).await;
        assert_eq!((found.header("etag"), &found.body["external_id"]), (Some("\"1\""), &json!(id)), "{path}");
    }
    let large = json!({ "external_id": "large", "name": "x".repeat(1_500_000) });
    let refused = send(request(Method::POST, "/v1/customers").json(&large)).await;
    assert_eq!((refused.status, refused.error().0), (413, "payload_too_large"));
    let figures = request(Method::GET, "/metrics").send().await.unwrap();
    assert_eq!(figures.status(), StatusCode::NOT_FOUND);
}

/// Checks that a connection is closed if a client stops in the middle of the headers.
fn ends_slow_heads(port: u16) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    stream.write_all(b"GET /health/live HTTP/1.1\r\nhost: x\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the connection ends");
    assert!(!answer.contains(" 200 "), "{answer}");
}

async fn says_when_patron_is_away(base: &str, server: Server) {
    server.kill();
    let answer = send(client().get(format!("{base}/v1/customers"))).await;
    assert_eq!(
        (answer.status, answer.error().0, answer.header("retry-after")),
        (503, "service_unavailable", Some("1"))
    );
    assert_eq!(answer.body["http_status_code"], Value::from(503));
}
