//! The program is killed again and again while it imports files of customers, over both databases, and one of two servers
//! that share the work is killed. Every row is written once, and every import ends once.
//!
//! Runs a few kills by default; `tests/crash imports` runs 100.

use std::time::{Duration, Instant};

use patron_tests::{
    audit,
    patron::{Backend, KEY, Place, Server, client, send},
    rounds::rounds,
    wait::{TIMEOUT, until},
};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::server::until_quiet;

/// The rows of a file.
const ROWS: usize = 6_000;
/// The rows of each file that two servers share, and the most rounds of that: each round waits for the end of four imports.
const SHARED_ROWS: usize = 2_000;
const MOST_SHARED: usize = 25;
/// Leases end soon, and the metrics can be read.
const QUICK: [(&str, &str); 2] = [("PATRON_WEBHOOKS_LEASE_SECONDS", "2"), ("PATRON_METRICS_PUBLIC", "true")];

/// A file whose rows no other file has. Some rows are long, so that it has several pieces.
fn file(name: &str, rows: usize) -> Vec<u8> {
    let mut file = "external_id,name,address_line1,metadata.note\n".to_owned();
    for row in 0..rows {
        file.push_str(&format!("{name}-{row},Name {row},\"Street {row}\",{}\n", "n".repeat(row % 400)));
    }
    file.into_bytes()
}

/// Uploads a file; `None` if the server was killed meanwhile.
async fn upload(server: (&str, &str), file: Vec<u8>) -> Option<Value> {
    let (base, key) = server;
    let request = client().post(format!("{base}/v1/imports?format=csv&mode=upsert"));
    let answer = request.header("x-api-key", key).body(file).send().await.ok()?;
    let (status, body) = (answer.status().as_u16(), answer.bytes().await.ok()?);
    let body: Value = serde_json::from_slice(&body).ok()?;
    match status {
        202 => Some(body["id"].clone()),
        409 => Some(body["details"]["file"]["existing_id"].clone()),
        status => panic!("{status}: {body:#}"),
    }
}

async fn state(server: &Server, id: &Value) -> Value {
    server.get(&format!("/v1/imports/{}", id.as_str().expect("an id"))).await.expect(200)
}

/// How far an import is: its phase and the rows that are done.
fn progress(import: &Value) -> (String, u64) {
    (import["state"].to_string(), import["rows_done"].as_u64().expect("a number"))
}

/// Waits until an import is further than before, or has ended.
async fn moves_on(server: &Server, id: &Value, before: &Value) -> Value {
    let begun = Instant::now();
    loop {
        let now = state(server, id).await;
        if progress(&now) != progress(before) || now["ended_at"].is_string() {
            return now;
        }
        assert!(begun.elapsed() < TIMEOUT, "the import makes no progress: {now:#}");
        sleep(Duration::from_millis(10)).await;
    }
}

async fn ends(server: &Server, id: &Value) -> Value {
    let mut import = state(server, id).await;
    while import["ended_at"].is_null() {
        import = moves_on(server, id, &import).await;
    }
    import
}

/// Checks that each row of the files was written once, and each import ended once.
async fn everything_is_there_once(place: &Place, imports: usize, rows: usize) {
    let (imports, rows) = (i64::try_from(imports).unwrap(), i64::try_from(rows).unwrap());
    let ended = "SELECT count(*) FROM imports WHERE state = 4";
    assert_eq!(place.number(ended).await, imports, "imports must be completed");
    assert_eq!(place.number("SELECT count(*) FROM customers").await, rows);
    assert_eq!(place.number("SELECT count(*) FROM events WHERE kind = 1").await, rows);
    assert_eq!(place.number("SELECT count(*) FROM events WHERE kind = 30").await, imports);
    assert_eq!(place.number("SELECT count(*) FROM import_pieces").await, 0);
    audit::is_whole(place).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_write_no_row_twice(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let mut server = place.serve_with(&QUICK);
    let (kills, begun) = (rounds(3), Instant::now());
    let (mut at_work, mut uploading, mut files) = (0, 0, 0);
    let mut current: Option<Value> = None;
    for kill in 0..kills {
        let pause = Duration::from_millis(u64::try_from(kill * 37 % 300).unwrap());
        match &current {
            None => {
                // Every kill that follows an end comes around an upload.
                let (base, sent) = (server.base().to_owned(), file(&format!("f{files}"), ROWS));
                let upload = tokio::spawn(async move { upload((&base, KEY), sent).await });
                sleep(pause).await;
                server.kill();
                until_quiet(&place, backend).await;
                server = place.serve_with(&QUICK);
                uploading += usize::from(upload.await.unwrap().is_none());
            }
            Some(id) => {
                let before = state(&server, id).await;
                moves_on(&server, id, &before).await;
                sleep(pause).await;
                let now = state(&server, id).await;
                server.kill();
                until_quiet(&place, backend).await;
                server = place.serve_with(&QUICK);
                at_work += usize::from(now["ended_at"].is_null());
            }
        }
        let id = match current.take() {
            Some(id) => id,
            // Whatever became of the first upload, a repetition finds it or begins again.
            None => upload((server.base(), KEY), file(&format!("f{files}"), ROWS)).await.expect("an answer"),
        };
        let ended = state(&server, &id).await["ended_at"].is_string();
        files += usize::from(ended);
        current = Some(id).filter(|_| !ended);
    }
    if let Some(id) = &current {
        assert_eq!(ends(&server, id).await["counts"]["created"], ROWS);
        files += 1;
    }
    // Uploads that were interrupted end after a day.
    place.execute("UPDATE imports SET due_at = 1 WHERE state = 0").await;
    until(async || match place.number("SELECT count(*) FROM imports WHERE state = 0").await {
        0 => Ok(()),
        left => Err(format!("{left} uploads are left")),
    })
    .await;
    let failed = place.number("SELECT count(*) FROM imports WHERE state = 6").await;
    let told = place.number("SELECT count(*) FROM events WHERE kind NOT IN (1, 30)").await;
    assert_eq!(told, failed, "each interrupted upload has one event, and nothing else has");
    println!(
        "{backend:?}: {kills} kills in {} s, {at_work} of them at work, {uploading} during an upload; {files} files of {ROWS} \
         rows, {failed} interrupted uploads",
        begun.elapsed().as_secs()
    );
    everything_is_there_once(&place, files, files * ROWS).await;
    assert!(at_work > 0, "no kill came during an import");
}

/// The rows that a server has written, of any outcome.
async fn written(server: &Server) -> f64 {
    let page = server.anonymous(Method::GET, "/metrics").send().await.unwrap().text().await.unwrap();
    let rows = page.lines().filter(|line| line.starts_with("patron_import_rows_total{"));
    rows.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

/// A key of another environment.
async fn key_elsewhere(server: &Server) -> String {
    let environment = json!({ "name": "Elsewhere", "type": "development" });
    let made = server.post("/v1/environments", &environment).await.expect(201);
    let key = json!({ "name": "k", "type": "private_key", "environment_id": made["id"] });
    let made = server.post("/v1/secrets/api/keys", &key).await.expect(201);
    made["api_key"].as_str().expect("a key").to_owned()
}

/// Waits until no import has work, as long as rows are written.
async fn no_import_has_work(place: &Place) {
    let (mut rows, mut moved) = (-1, Instant::now());
    while place.number("SELECT count(*) FROM imports WHERE state IN (1, 3)").await > 0 {
        let now = place.number("SELECT count(*) FROM customers").await;
        if now > rows {
            (rows, moved) = (now, Instant::now());
        }
        assert!(moved.elapsed() < TIMEOUT, "{now} rows are written, and there is no progress");
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_share_the_imports_and_one_of_them_is_killed() {
    let place = Place::fresh(Backend::Postgres).await;
    let mut servers = vec![place.serve_with(&QUICK), place.serve_with(&QUICK)];
    let keys = [KEY.to_owned(), key_elsewhere(&servers[0]).await];
    let (mut files, mut shared) = (0, 0);
    for round in 0..rounds(3).min(MOST_SHARED) {
        let mut imports = Vec::new();
        for (key, name) in keys.iter().flat_map(|key| [(key, "a"), (key, "b")]) {
            let sent = file(&format!("r{round}{name}"), SHARED_ROWS);
            imports.push((key, upload((servers[0].base(), key), sent).await.expect("an answer")));
            files += 1;
        }
        let before = [written(&servers[0]).await, written(&servers[1]).await];
        // Both work, unless one of them is fast.
        let both = async || written(&servers[0]).await > before[0] && written(&servers[1]).await > before[1];
        let begun = Instant::now();
        while !both().await && place.number("SELECT count(*) FROM imports WHERE state IN (1, 3)").await > 0 {
            assert!(begun.elapsed() < TIMEOUT, "no server makes progress");
            sleep(Duration::from_millis(20)).await;
        }
        shared += usize::from(both().await);
        servers.remove(round % 2).kill();
        no_import_has_work(&place).await;
        for (key, id) in imports {
            let path = format!("/v1/imports/{}", id.as_str().expect("an id"));
            let import = send(servers[0].request_as(key, Method::GET, &path)).await.expect(200);
            assert_eq!(import["counts"]["created"], SHARED_ROWS);
        }
        servers.push(place.serve_with(&QUICK));
    }
    println!(
        "{files} files of {SHARED_ROWS} rows, {shared} rounds in which both servers had written rows before the kill"
    );
    everything_is_there_once(&place, files, files * SHARED_ROWS).await;
    assert!(shared > 0, "the servers never shared the work");
}
