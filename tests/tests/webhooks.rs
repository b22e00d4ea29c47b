//! Webhooks, from a change to somebody's server: signed, in order, with retries, and never to where they must not go.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::Duration,
};

use patron_tests::{
    patron::{Backend, Place, Server, send},
    receiver::{Receiver, Reply},
    requests::{minimal, tax_rate},
};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

const ENDPOINTS: &str = "/v1/webhooks/endpoints";

/// To receivers on this machine, with all retries within ten seconds.
const QUICK: [(&str, &str); 3] = [
    ("PATRON_WEBHOOKS_ALLOW_PRIVATE", "true"),
    ("PATRON_WEBHOOKS_RETRY_SECONDS", "10"),
    ("PATRON_WEBHOOKS_LEASE_SECONDS", "2"),
];

async fn endpoint(server: &Server, url: &str) -> (String, String) {
    let made = server.post(ENDPOINTS, &json!({ "url": url })).await.expect(201);
    let text = |name: &str| made[name].as_str().expect(name).to_owned();
    (text("id"), text("secret"))
}

async fn customer(server: &Server, external_id: &str) -> Value {
    server.post("/v1/customers", &minimal(external_id)).await.expect(201)
}

async fn rename(server: &Server, id: &Value, name: &str) -> Value {
    let path = format!("/v1/customers/{}", id.as_str().expect("an id"));
    send(server.request(Method::PUT, &path).json(&json!({ "name": name }))).await.expect(200)
}

async fn deliveries(server: &Server, id: &str, query: &str) -> Vec<Value> {
    let found = server.get(&format!("{ENDPOINTS}/{id}/deliveries?limit=1000&{query}")).await.expect(200);
    found["items"].as_array().expect("a list").clone()
}

/// Waits for at most 20 seconds until an endpoint has this many deliveries of a status.
async fn until(server: &Server, id: &str, status: &str, count: usize) -> Vec<Value> {
    for _ in 0..200 {
        let found = deliveries(server, id, &format!("status={status}")).await;
        if found.len() >= count {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("fewer than {count} are {status}: {:#?}", deliveries(server, id, "").await);
}

#[rstest]
#[tokio::test]
async fn each_change_arrives_signed_in_order_and_as_the_api_answers_it(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let (place, receiver) = (Place::fresh(backend).await, Receiver::start().await);
    let server = place.serve_with(&QUICK);
    customer(&server, "before").await;
    let (id, secret) = endpoint(&server, &receiver.url()).await;
    let created = customer(&server, "acme").await;
    let renamed = rename(&server, &created["id"], "Acme").await;
    let rate = server.post("/v1/taxes/rates", &tax_rate("VAT")).await.expect(201);
    let received = receiver.wait_for(3).await;
    for one in &received {
        assert!(one.is_signed_with(&secret), "{one:?}");
        assert_eq!(one.header("content-type"), "application/json");
        assert_eq!(one.header("webhook-id"), one.json()["event_id"].as_str().unwrap());
    }
    let of = |kind: &str| received.iter().map(|one| one.json()).find(|body| body["event_type"] == kind).expect(kind);
    assert_eq!(of("customer.created")["customer"], created);
    assert_eq!(of("customer.updated")["customer"], renamed);
    assert_eq!(
        (&of("customer.updated")["sequence"], &of("customer.updated")["changed"]),
        (&json!(2), &json!(["name"]))
    );
    assert_eq!(of("tax_rate.created")["tax_rate"], rate);
    let places: Vec<_> = received.iter().map(|one| one.json()["event_type"].to_string()).collect();
    let at = |kind: &str| places.iter().position(|one| one.contains(kind));
    assert!(at("customer.created") < at("customer.updated"), "{places:?}");
    // What happened before the endpoint was made is not delivered.
    let listed = until(&server, &id, "delivered", 3).await;
    assert_eq!((listed.len(), receiver.all().len()), (3, 3));
    assert_eq!(listed[0]["last_attempt"]["http_status"], 204);
}

#[rstest]
#[tokio::test]
async fn many_changes_of_many_customers_keep_each_customers_order(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let (place, receiver) = (Place::fresh(backend).await, Receiver::start().await);
    let server = place.serve_with(&QUICK);
    endpoint(&server, &receiver.url()).await;
    let many = (0..40).map(|number| {
        let server = &server;
        async move {
            let made = customer(server, &format!("c{number}")).await;
            for round in 0..9 {
                rename(server, &made["id"], &format!("Name {round}")).await;
            }
        }
    });
    futures::future::join_all(many).await;
    let mut of: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for one in receiver.wait_for(400).await {
        let body = one.json();
        of.entry(body["customer"]["id"].to_string()).or_default().push(body["sequence"].as_u64().unwrap());
    }
    assert_eq!(of.len(), 40);
    assert!(of.values().all(|seen| seen.iter().copied().eq(1..=10)), "{of:?}");
}

#[rstest]
#[tokio::test]
async fn a_failure_is_tried_again_and_holds_up_its_own_customer_alone(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    // The first three attempts of one customer's first event fail.
    let failures = std::sync::atomic::AtomicUsize::new(0);
    let receiver = Receiver::answering(move |_, body| {
        let bad = body["customer"]["external_id"] == "bad" && body["sequence"] == 1;
        let fails = bad && failures.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < 3;
        Reply::status(if fails { 503 } else { 200 })
    })
    .await;
    let server = place.serve_with(&QUICK);
    let (id, _) = endpoint(&server, &receiver.url()).await;
    let bad = customer(&server, "bad").await;
    rename(&server, &bad["id"], "Later").await;
    customer(&server, "good").await;
    until(&server, &id, "delivered", 3).await;
    let seen: Vec<_> = receiver.all().iter().map(|one| (one.json(), one.status)).collect();
    let of_bad: Vec<_> = seen.iter().filter(|(body, _)| body["customer"]["external_id"] == "bad").collect();
    let of_bad: Vec<_> = of_bad.iter().map(|(body, status)| (body["sequence"].as_u64().unwrap(), *status)).collect();
    assert_eq!(of_bad, [(1, 503), (1, 503), (1, 503), (1, 200), (2, 200)]);
    let ids: Vec<_> = receiver.all().iter().map(|one| one.header("webhook-id").to_owned()).collect();
    assert_eq!(ids[0], seen[0].0["event_id"].as_str().unwrap(), "the id is the event's, in every attempt");
}

#[rstest]
#[tokio::test]
async fn what_is_refused_to_the_end_fails_visibly_frees_its_customer_and_can_be_replayed(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let mended = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let works = mended.clone();
    let receiver = Receiver::answering(move |_, body| {
        let bad = body["sequence"] == 1 && body["customer"]["external_id"] == "bad";
        let fails = bad && !works.load(std::sync::atomic::Ordering::Relaxed);
        Reply { body: b"no, thank you".to_vec(), ..Reply::status(if fails { 500 } else { 200 }) }
    })
    .await;
    let server = place.serve_with(&[QUICK[0], ("PATRON_WEBHOOKS_RETRY_SECONDS", "2"), QUICK[2]]);
    let (id, _) = endpoint(&server, &receiver.url()).await;
    customer(&server, "other").await;
    let bad = customer(&server, "bad").await;
    rename(&server, &bad["id"], "Later").await;
    let failed = until(&server, &id, "failed", 1).await;
    assert_eq!((&failed[0]["attempts"], &failed[0]["last_attempt"]["http_status"]), (&json!(13), &json!(500)));
    assert_eq!(failed[0]["last_attempt"]["answer"], "no, thank you");
    until(&server, &id, "delivered", 2).await;

    mended.store(true, std::sync::atomic::Ordering::Relaxed);
    let replay = |body: Value| {
        let (server, path) = (&server, format!("{ENDPOINTS}/{id}/replay"));
        async move { server.post(&path, &body).await }
    };
    assert_eq!(replay(json!({ "failed": true })).await.expect(200)["replayed"], 1);
    until(&server, &id, "delivered", 3).await;
    assert_eq!(replay(json!({ "failed": true })).await.expect(200)["replayed"], 0);
    // One event, and all of a time.
    let before = receiver.all().len();
    let event = failed[0]["event_id"].clone();
    assert_eq!(replay(json!({ "event_id": event })).await.expect(200)["replayed"], 1);
    let again = receiver.wait_for(before + 1).await;
    assert_eq!(again[before].json()["event_id"], event);
    let between = json!({ "from": "2020-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z" });
    assert_eq!(replay(between).await.expect(200)["replayed"], 3);
    receiver.wait_for(before + 4).await;
    let printed = place.run_ok(&["webhooks", "replay", &id, "--event", event.as_str().unwrap()]);
    assert!(printed.starts_with("1 "), "{printed}");
    receiver.wait_for(before + 5).await;
    // What names nothing, or too much, is refused.
    for (body, status) in [
        (json!({}), 400),
        (json!({ "failed": false }), 400),
        (json!({ "failed": true, "event_id": event }), 400),
        (json!({ "from": "2020-01-01T00:00:00Z" }), 400),
        (json!({ "from": "2021-01-01T00:00:00Z", "to": "2020-01-01T00:00:00Z" }), 400),
        (json!({ "event_id": "evt_01JDG3W9Z5X0M8R2K7T4B6Q1NE" }), 404),
    ] {
        assert_eq!(replay(body.clone()).await.status, status, "{body}");
    }
}

#[rstest]
#[tokio::test]
async fn an_endpoint_that_takes_nothing_is_disabled_and_goes_on_where_it_stopped(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let mended = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let works = mended.clone();
    let receiver = Receiver::answering(move |_, _| {
        Reply::status(if works.load(std::sync::atomic::Ordering::Relaxed) { 200 } else { 500 })
    })
    .await;
    let healthy = Receiver::start().await;
    let server = place.serve_with(&[QUICK[0], QUICK[1], QUICK[2], ("PATRON_WEBHOOKS_DISABLE_AFTER_SECONDS", "2")]);
    let (id, _) = endpoint(&server, &receiver.url()).await;
    endpoint(&server, &healthy.url()).await;
    for number in 0..30 {
        customer(&server, &format!("c{number}")).await;
    }
    let path = format!("{ENDPOINTS}/{id}");
    let mut disabled = Value::Null;
    for _ in 0..150 {
        disabled = server.get(&path).await.expect(200);
        if disabled["enabled"] == false {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!((&disabled["enabled"], &disabled["disabled_reason"]), (&json!(false), &json!("failing")));
    assert!(disabled["disabled_at"].is_string() && disabled["failing_since"].is_string());
    healthy.wait_for(30).await;
    mended.store(true, std::sync::atomic::Ordering::Relaxed);
    let enabled = send(server.request(Method::PUT, &path).json(&json!({ "enabled": true }))).await.expect(200);
    assert_eq!((&enabled["enabled"], enabled.get("disabled_reason")), (&json!(true), None));
    until(&server, &id, "delivered", 30).await;
    let gone = Receiver::answering(|_, _| Reply::status(410)).await;
    let (id, _) = endpoint(&server, &gone.url()).await;
    customer(&server, "last").await;
    gone.wait_for(1).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(server.get(&format!("{ENDPOINTS}/{id}")).await.expect(200)["disabled_reason"], "gone");
}

#[tokio::test]
async fn a_slow_endpoint_holds_up_nobody_else() {
    let place = Place::fresh(Backend::Sqlite).await;
    let slow = Receiver::answering(|_, _| Reply { after: Duration::from_secs(30), ..Reply::status(200) }).await;
    let fast = Receiver::start().await;
    let server = place.serve_with(&QUICK);
    let (slow_id, _) = endpoint(&server, &slow.url()).await;
    endpoint(&server, &fast.url()).await;
    let begun = std::time::Instant::now();
    for number in 0..50 {
        customer(&server, &format!("c{number}")).await;
    }
    fast.wait_for(50).await;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    // Ten seconds are the limit.
    let waiting = until(&server, &slow_id, "waiting", 1).await;
    assert_eq!(waiting[0]["last_attempt"]["error"], "timeout");
    assert!((9..12).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

#[rstest]
#[tokio::test]
async fn during_a_rotation_both_secrets_verify(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let (place, receiver) = (Place::fresh(backend).await, Receiver::start().await);
    let key = "0123456789abcdef".repeat(4);
    let server = place.serve_with(&[QUICK[0], ("PATRON_SECRETS_KEY", &key)]);
    let (id, old) = endpoint(&server, &receiver.url()).await;
    let path = format!("{ENDPOINTS}/{id}/rotate-secret");
    let rotated = server.post(&path, &json!({ "overlap_seconds": 3_600 })).await.expect(200);
    let new = rotated["secret"].as_str().unwrap().to_owned();
    assert!(rotated["previous_secret_until"].is_string());
    customer(&server, "a").await;
    let both = &receiver.wait_for(1).await[0];
    assert!(both.is_signed_with(&old) && both.is_signed_with(&new));
    let last = server.post(&path, &json!({ "overlap_seconds": 0 })).await.expect(200)["secret"].clone();
    customer(&server, "b").await;
    let one = &receiver.wait_for(2).await[1];
    assert!(one.is_signed_with(last.as_str().unwrap()) && !one.is_signed_with(&new) && !one.is_signed_with(&old));
    assert_eq!(server.post(&path, &json!({ "overlap_seconds": -1 })).await.error().1, ["overlap_seconds"]);
    // Nobody is shown a secret twice, and the table has none in clear.
    for path in [ENDPOINTS.to_owned(), format!("{ENDPOINTS}/{id}")] {
        let shown = server.get(&path).await.expect(200).to_string();
        assert!(!shown.contains("whsec_") && !shown.contains("\"secret\""), "{shown}");
    }
    let clear = "SELECT count(*) FROM webhook_endpoints WHERE secret NOT LIKE 'v1:%'";
    assert_eq!(place.number(clear).await, 0);
}

#[tokio::test]
async fn deliveries_go_to_public_addresses_alone() {
    let (place, receiver) = (Place::fresh(Backend::Sqlite).await, Receiver::start().await);
    let server = place.serve();
    let port = receiver.url().rsplit(':').next().unwrap().trim_end_matches("/hook").to_owned();
    for url in [
        receiver.url(),
        receiver.named_url(),
        format!("http://[::1]:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://0x7f.1:{port}/"),
        format!("http://0:{port}/"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://10.0.0.1/".to_owned(),
    ] {
        let (id, _) = endpoint(&server, &url).await;
        let tested = server.post(&format!("{ENDPOINTS}/{id}/test"), &json!({})).await.expect(200);
        let outcome = (&tested["status"], &tested["last_attempt"]["error"]);
        assert_eq!(outcome, (&json!("failed"), &json!("address_refused")), "{url}");
    }
    assert!(receiver.all().is_empty());
}

#[tokio::test]
async fn redirects_are_not_followed_and_long_answers_not_kept() {
    let place = Place::fresh(Backend::Sqlite).await;
    let target = Receiver::start().await;
    let location = format!("location: {}\r\n", target.url());
    let redirecting = Receiver::answering(move |_, _| Reply { headers: location.clone(), ..Reply::status(307) }).await;
    let long = Receiver::answering(|_, _| Reply { body: vec![b'x'; 50_000_000], ..Reply::status(200) }).await;
    let server = place.serve_with(&QUICK);
    let test = |url: String| {
        let server = &server;
        async move {
            let (id, secret) = endpoint(server, &url).await;
            (server.post(&format!("{ENDPOINTS}/{id}/test"), &json!({})).await.expect(200), secret)
        }
    };
    let (redirected, _) = test(redirecting.url()).await;
    assert_eq!((&redirected["status"], &redirected["last_attempt"]["http_status"]), (&json!("failed"), &json!(307)));
    assert!(target.all().is_empty());
    let (long, _) = test(long.url()).await;
    assert_eq!(long["status"], "delivered");
    assert_eq!(long["last_attempt"]["answer"].as_str().unwrap().len(), 1_024);
    let (tested, secret) = test(target.url()).await;
    assert_eq!((&tested["kind"], &tested["event_type"]), (&json!("test"), &json!("webhook.test")));
    let received = &target.all()[0];
    assert!(received.is_signed_with(&secret));
    assert_eq!(received.json()["event_type"], "webhook.test");
}

#[rstest]
#[tokio::test]
async fn endpoints_are_made_changed_listed_and_deleted_by_who_may(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let body = json!({ "url": "https://example.com/a", "event_types": ["customer.*", "tax_rate.created"], "description": "Billing" });
    let made = server.post(ENDPOINTS, &body).await.expect(201);
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
    let path = format!("{ENDPOINTS}/{}", made["id"].as_str().unwrap());
    let found = server.get(&path).await.expect(200);
    assert_eq!(
        (&found["url"], &found["enabled"], &found["description"]),
        (&body["url"], &json!(true), &json!("Billing"))
    );
    assert_eq!(found["event_types"], json!(["customer.*", "tax_rate.created"]));
    let change = json!({ "url": "https://example.com/b", "event_types": [], "description": "", "enabled": false });
    let changed = send(server.request(Method::PUT, &path).json(&change)).await.expect(200);
    assert_eq!((&changed["event_types"], &changed["description"]), (&json!(["*"]), &json!("")));
    assert_eq!((&changed["enabled"], &changed["disabled_reason"]), (&json!(false), &json!("request")));
    assert_eq!(server.get(&path).await.expect(200), changed);
    let listed = server.get(ENDPOINTS).await.expect(200);
    assert_eq!((&listed["items"][0], &listed["pagination"]["total"]), (&changed, &json!(1)));

    let bad =
        json!({ "url": "ftp://x", "event_types": ["customer.created", "nonsense"], "description": "x".repeat(256) });
    let refused = server.post(ENDPOINTS, &bad).await;
    assert_eq!((refused.status, refused.error().1), (400, vec!["description", "event_types[1]", "url"]));
    let reader = json!({ "name": "r", "type": "private_key", "roles": ["all_reader"] });
    let reader = server.post("/v1/secrets/api/keys", &reader).await.expect(201)["api_key"].as_str().unwrap().to_owned();
    assert_eq!(send(server.request_as(&reader, Method::GET, &path)).await.status, 200);
    assert_eq!(send(server.request_as(&reader, Method::POST, ENDPOINTS).json(&body)).await.status, 403);
    assert_eq!(send(server.request_as(&reader, Method::DELETE, &path)).await.status, 403);

    assert_eq!(send(server.request(Method::DELETE, &path)).await.status, 204);
    for (method, path) in [
        (Method::DELETE, path.clone()),
        (Method::GET, path.clone()),
        (Method::GET, format!("{path}/deliveries")),
        (Method::POST, format!("{path}/test")),
        (Method::GET, format!("{ENDPOINTS}/nonsense")),
    ] {
        assert_eq!(send(server.request(method, &path)).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn two_servers_share_the_work_and_one_takes_over_from_one_that_was_killed() {
    let (place, receiver) = (Place::fresh(Backend::Postgres).await, Receiver::start().await);
    let (one, other) = (place.serve_with(&QUICK), place.serve_with(&QUICK));
    for _ in 0..2 {
        endpoint(&one, &receiver.url()).await;
    }
    let burst = |server: &Server, prefix: &'static str| {
        let requests: Vec<_> = (0..100)
            .map(|number| server.request(Method::POST, "/v1/customers").json(&minimal(&format!("{prefix}{number}"))))
            .collect();
        async move { futures::future::join_all(requests.into_iter().map(send)).await }
    };
    tokio::join!(burst(&one, "a"), burst(&other, "b"));
    receiver.wait_for(400).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for received in receiver.all() {
        *times.entry(received.header("webhook-id").to_owned()).or_default() += 1;
    }
    assert_eq!((times.len(), receiver.all().len()), (200, 400), "each event twice: once at each endpoint");

    // One is killed while it delivers; the other goes on within a lease.
    let (_, ()) = tokio::join!(burst(&other, "c"), async {
        tokio::time::sleep(Duration::from_millis(40)).await;
        one.kill();
    });
    customer(&other, "last").await;
    for _ in 0..200 {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        receiver.all().iter().for_each(|one| *seen.entry(one.header("webhook-id").to_owned()).or_default() += 1);
        if seen.len() == 301 && seen.values().all(|times| *times >= 2) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("not all events arrived at both endpoints: {}", receiver.all().len());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_listener_verifies_and_prints_and_the_guides_python_verifies_too() {
    let place = Place::fresh(Backend::Sqlite).await;
    let server = place.serve_with(&QUICK);
    let receiver = Receiver::start().await;
    let (id, secret) = endpoint(&server, &receiver.url()).await;
    let mut listener = place.command(&["webhooks", "listen", "--port", "0", "--secret", &secret]);
    let mut listener = listener.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let first_line = BufReader::new(listener.stderr.take().unwrap()).lines().next().unwrap().unwrap();
    let url = first_line.rsplit(' ').next().unwrap().to_owned();
    let mut printed = BufReader::new(listener.stdout.take().unwrap()).lines();
    let mut line = move || serde_json::from_str::<Value>(&printed.next().unwrap().unwrap()).unwrap();
    let path = format!("{ENDPOINTS}/{id}");
    send(server.request(Method::PUT, &path).json(&json!({ "url": url }))).await.expect(200);
    customer(&server, "acme").await;
    let seen = line();
    assert_eq!((&seen["verified"], &seen["body"]["customer"]["external_id"]), (&json!(true), &json!("acme")));
    until(&server, &id, "delivered", 1).await;
    server.post(&format!("{path}/rotate-secret"), &json!({ "overlap_seconds": 0 })).await.expect(200);
    let tested = server.post(&format!("{path}/test"), &json!({})).await.expect(200);
    assert_eq!(tested["last_attempt"]["http_status"], 401);
    assert_eq!(line()["verified"], false);
    let _ = listener.kill();
    let _ = listener.wait();

    let secret = server.post(&format!("{path}/rotate-secret"), &json!({})).await.expect(200)["secret"].clone();
    send(server.request(Method::PUT, &path).json(&json!({ "url": receiver.url() }))).await.expect(200);
    server.post(&format!("{path}/test"), &json!({})).await.expect(200);
    let received = &receiver.all()[0];
    let guide = include_str!("../../docs/webhooks.md");
    let snippet = guide.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
    let arguments = json!([secret, received.headers, String::from_utf8(received.body.clone()).unwrap()]);
    let script = format!("{snippet}\nimport json, sys\ns, h, b = json.loads(sys.argv[1])\nverify(s, h, b.encode())\n");
    let verified = Command::new("python3").args(["-c", &script, &arguments.to_string()]).status().unwrap();
    assert!(verified.success());
    let altered = script.replace("b.encode()", "b.encode() + b' '");
    let output = Command::new("python3").args(["-c", &altered, &arguments.to_string()]).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("not ours"));
}

#[tokio::test]
async fn a_stop_loses_nothing_and_a_start_goes_on() {
    let (place, receiver) = (Place::fresh(Backend::Sqlite).await, Receiver::start().await);
    let server = place.serve_with(&[QUICK[0], ("PATRON_WEBHOOKS_DELIVER", "false")]);
    let (id, _) = endpoint(&server, &receiver.url()).await;
    for number in 0..20 {
        customer(&server, &format!("c{number}")).await;
    }
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert!(receiver.all().is_empty(), "this one does not deliver");
    server.kill();
    let server = place.serve_with(&QUICK[..1]);
    receiver.wait_for(20).await;
    until(&server, &id, "delivered", 20).await;
    assert_eq!(receiver.all().len(), 20);
}
