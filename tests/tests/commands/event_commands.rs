//! `patron events` and the removal of old events, over both databases.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Stdio},
};

use patron_tests::{
    patron::{Backend, Place, Server, Signal, signal},
    requests::minimal,
};
use rstest::rstest;
use serde_json::Value;

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

async fn create(server: &Server, external_ids: &[&str]) {
    for external_id in external_ids {
        server.post("/v1/customers", &minimal(external_id)).await.expect(201);
    }
}

fn of(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["data"]["external_id"].as_str().expect("a customer")).collect()
}

#[rstest]
#[tokio::test]
async fn the_log_is_exported_as_the_api_shows_it(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    create(&server, &["a", "b", "c"]).await;
    let all = lines(&place.run_ok(&["events", "export"]));
    assert_eq!(of(&all), ["a", "b", "c"]);
    let shown = server.get("/v1/events").await.expect(200);
    for (line, shown) in all.iter().zip(shown["items"].as_array().unwrap()) {
        let mut line = line.clone();
        let members = line.as_object_mut().unwrap();
        members.remove("cursor");
        assert_eq!(line, *shown);
    }
    let behind = all[0]["cursor"].as_str().unwrap();
    assert_eq!(of(&lines(&place.run_ok(&["events", "export", "--after", behind]))), ["b", "c"]);

    server.post("/v1/environments", &serde_json::json!({ "name": "E", "type": "development" })).await.expect(201);
    let unclear = place.run(&["events", "export"]);
    assert_eq!(unclear.status.code(), Some(2), "with several environments one has to be named");
    assert_eq!(lines(&place.run_ok(&["events", "export", "--all"])), all);
}

/// A `patron events tail`, and its lines as they come.
struct Tail {
    process: Child,
    lines: BufReader<std::process::ChildStdout>,
}

impl Tail {
    fn start(place: &Place, arguments: &[&str]) -> Self {
        let mut command = place.command(&[&["events", "tail"], arguments].concat());
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let lines = BufReader::new(process.stdout.take().expect("its standard output"));
        Self { process, lines }
    }

    fn next(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("a line");
        serde_json::from_str(&line).expect("JSON")
    }

    /// Interrupts it, as Ctrl+C does; what it says at the end.
    fn interrupt(mut self) -> String {
        signal(&self.process, Signal::INT);
        let (mut rest, mut said) = (String::new(), String::new());
        self.lines.read_to_string(&mut rest).expect("its end");
        assert_eq!(rest, "");
        self.process.stderr.take().expect("its standard error").read_to_string(&mut said).expect("text");
        assert!(self.process.wait().expect("its end").success(), "{said}");
        said
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_is_followed_and_resumed(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    create(&server, &["a", "b"]).await;
    let mut tail = Tail::start(&place, &["--from-start"]);
    let (first, second) = (tail.next(), tail.next());
    assert_eq!(of(&[first, second.clone()]), ["a", "b"]);
    create(&server, &["c"]).await;
    let third = tail.next();
    assert_eq!(of(std::slice::from_ref(&third)), ["c"]);
    let said = tail.interrupt();
    let cursor = third["cursor"].as_str().unwrap();
    assert!(said.contains(&format!("--after {cursor}")), "{said}");

    create(&server, &["d"]).await;
    let mut tail = Tail::start(&place, &["--after", second["cursor"].as_str().unwrap()]);
    assert_eq!(of(&[tail.next(), tail.next()]), ["c", "d"]);
    tail.interrupt();
}

#[rstest]
#[tokio::test]
async fn a_customer_without_remaining_events_still_exists(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    create(&server, &["a", "b"]).await;
    place.execute("DELETE FROM events WHERE position = (SELECT min(position) FROM events)").await;
    let first = server.get("/v1/customers/external/a").await.expect(200)["id"].as_str().unwrap().to_owned();
    let history = server.get(&format!("/v1/customers/{first}/history")).await.expect(200);
    assert_eq!(history["items"], serde_json::json!([]));
    let nobody = "/v1/customers/cust_01JDG3W9Z5X0M8R2K7T4B6Q1NE/history";
    assert_eq!(server.get(nobody).await.status, 404);
}
