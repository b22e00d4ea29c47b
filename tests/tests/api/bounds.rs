//! The cost of a body: any body needs little time and memory, gets a small refusal, and delays no other request.

use std::{
    fs,
    time::{Duration, Instant},
};

use patron_tests::{
    patron::{Backend, Place, Server},
    seed::seed,
};
use serde_json::Value;

/// The longest body.
const LONGEST: usize = 1_048_576;
/// The longest refusal, in bytes.
const REFUSAL: usize = 262_144;
/// The longest time for one body, in a build without optimisation on a busy machine. It was once minutes.
const TIME: Duration = Duration::from_secs(20);
/// The most memory of the server, in kilobytes. It was once gigabytes.
const MEMORY: u64 = 400_000;

/// The peak memory of a server, in kilobytes.
fn peak(server: &mut Server) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.process().id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Sends a body and checks time and size of the answer.
async fn cost(server: &Server, path: &str, body: String) {
    let start: String = body.chars().take(60).collect();
    assert!(body.len() <= LONGEST, "{}: {start}", body.len());
    let started = Instant::now();
    let request = server.request(reqwest::Method::POST, path).header("content-type", "application/json").body(body);
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    let took = started.elapsed();
    assert!(took < TIME, "{path} {start}: {took:?}");
    assert!(status < 500, "{path} {start}: {status}");
    if status >= 400 {
        assert!(text.len() <= REFUSAL + 1, "{path} {start}: {}", text.len());
        let refusal: Value = serde_json::from_str(&text).unwrap();
        let details = refusal["details"].as_object();
        for path in details.into_iter().flat_map(|details| details.keys()) {
            assert!(path.chars().count() <= 256, "{path}");
        }
        assert!(details.is_none_or(|details| details.len() <= 1_000), "{start}");
    }
}

/// Bodies of a megabyte that once cost gigabytes and minutes, and similar ones.
fn attacks() -> Vec<String> {
    let key = "k".repeat(500_000);
    let odd_key = r"\u001f".repeat(80_000);
    let nul = r#""\u0000","#;
    let list = |of: &str, bytes: usize| of.repeat(bytes / of.len());
    vec![
        format!(r#"{{"external_id":"a","{key}":[{}0]}}"#, list(nul, 500_000)),
        format!(r#"{{"external_id":"a","{key}":[{}1],"x":"\u0000"}}"#, list("1,", 540_000)),
        format!(r#"{{"external_id":"a","{odd_key}":[{}0]}}"#, list(nul, 500_000)),
        format!(r#"{{"external_id":"a","metadata":{{"{key}":"\u0000","{key}2":1}}}}"#),
        format!(r#"{{"external_id":"a","metadata":{{{}"k":1}}}}"#, wide(1_000_000, "1")),
        format!(r#"{{"external_id":"a","metadata":{{{}"k":"v"}}}}"#, wide(1_000_000, "\"\"")),
        format!(r#"{{"external_id":"a","metadata":{{{}"k":null}}}}"#, wide(1_000_000, "null")),
        format!(r#"{{"external_id":"a",{}"k":null}}"#, wide(1_000_000, "null")),
        format!(r#"{{"external_id":"a","tax_rate_overrides":[{}{{}}]}}"#, list("{},", 1_000_000)),
        format!(r#"{{"external_id":"a","integration_entity_mapping":[{}1]}}"#, list("1,", 1_000_000)),
        format!(
            r#"{{"external_id":"a","integration_entity_mapping":[{{"provider_type":"p","provider_entity_id":"e","metadata":{{"a":[{}0]}}}}]}}"#,
            list(r#"{"":0},"#, 1_000_000)
        ),
        format!(
            r#"{{"external_id":"a","integration_entity_mapping":[{{"provider_type":"p","provider_entity_id":"e","metadata":{{{}"k":0}}}}]}}"#,
            wide(1_000_000, "[]")
        ),
        format!(r#"{{"external_id":"a","x":{}{}}}"#, list("[", 500_000), list("]", 500_000)),
        format!(r#"{{"external_id":"{}"}}"#, list(r"\u0000", 1_000_000)),
    ]
}

/// As many members with different names as fit.
fn wide(bytes: usize, value: &str) -> String {
    let mut members = String::with_capacity(bytes + 40);
    for number in 0.. {
        if members.len() >= bytes {
            break;
        }
        members.push_str(&format!("\"{number:x}\":{value},"));
    }
    members
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_body_is_cheap_and_delays_no_other_request() {
    let place = Place::fresh(Backend::Sqlite).await;
    let mut server = place.serve_with(&[("PATRON_WORKERS", "2")]);
    for body in attacks() {
        for path in ["/v1/customers", "/v1/customers/search"] {
            cost(&server, path, body.clone()).await;
        }
    }
    // Sixteen at once, and another client that requests one customer.
    let bodies = attacks();
    let attack = futures::future::join_all((0..16).map(|number| {
        let body = bodies[number % bodies.len()].clone();
        cost(&server, "/v1/customers", body)
    }));
    let neighbour = async {
        let mut slowest = Duration::ZERO;
        for _ in 0..20 {
            let started = Instant::now();
            assert_eq!(server.get("/v1/customers/external/nobody").await.status, 404);
            slowest = slowest.max(started.elapsed());
        }
        slowest
    };
    let (_, slowest) = tokio::join!(attack, neighbour);
    assert!(slowest < Duration::from_secs(10), "another client waited for {slowest:?}");
    let held = peak(&mut server);
    assert!(held < MEMORY, "{held} KB");
}

/// Pseudo-random numbers from a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33).unwrap() % most
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    /// A value, often an invalid one, of at most this many parts.
    fn value(&mut self, depth: usize, parts: &mut usize) -> String {
        *parts = parts.saturating_sub(1);
        let scalars = [
            "1",
            "-1",
            "1e400",
            "null",
            "true",
            "\"a\"",
            "\"\\u0000\"",
            "\"\\ud800\"",
            "\"\u{202e}\"",
            "\"EUR\"",
            "[]",
            "{}",
            "18446744073709551616",
            "\"2026-01-31\"",
            "\"\u{1f980}\"",
            "tru",
            "'a'",
            "\"\\q\"",
        ];
        if depth == 0 || *parts == 0 {
            return self.one(&scalars).to_owned();
        }
        let count = self.below(6);
        match self.below(4) {
            0 => {
                let items: Vec<_> = (0..count).map(|_| self.value(depth - 1, parts)).collect();
                format!("[{}]", items.join(","))
            }
            1 | 2 => self.object(depth - 1, parts, count),
            // The same value many times.
            _ => {
                let one = self.value(depth - 1, parts);
                let times = 1 + self.below((200_000 / one.len().max(1)).clamp(1, 20_000));
                format!("[{}{one}]", format!("{one},").repeat(times))
            }
        }
    }

    fn object(&mut self, depth: usize, parts: &mut usize, count: usize) -> String {
        let names = [
            "external_id",
            "name",
            "email",
            "metadata",
            "tax_rate_overrides",
            "tax_rate_code",
            "currency",
            "priority",
            "filters",
            "integration_entity_mapping",
            "provider_type",
            "provider_entity_id",
            "entity_id",
            "value",
            "array",
            "field",
            "sort",
            "x",
            "\\u0000",
            "a b",
            "\u{fc}",
        ];
        let member = |dice: &mut Self, parts: &mut usize| {
            let name = dice.one(&names);
            let name = if dice.below(20) == 0 { name.repeat(1 + dice.below(20_000)) } else { name.to_owned() };
            format!("\"{name}\":{}", dice.value(depth, parts))
        };
        let members: Vec<_> = (0..count).map(|_| member(self, parts)).collect();
        format!("{{{}}}", members.join(","))
    }
}

#[tokio::test]
async fn no_body_costs_more_than_its_budget() {
    let mut dice = Dice(u64::from(seed()) | 1 << 40);
    let place = Place::fresh(Backend::Sqlite).await;
    let mut server = place.serve();
    let paths =
        ["/v1/customers", "/v1/customers/search", "/v1/taxes/rates", "/v1/taxes/associations", "/v1/integrations/link"];
    for _ in 0..150 {
        let mut parts = 60;
        let mut body = dice.object(5, &mut parts, 5);
        if dice.below(10) == 0 {
            body.insert(0, '\u{feff}');
        }
        if body.len() > LONGEST {
            continue;
        }
        let path = dice.one(&paths);
        cost(&server, path, body).await;
    }
    let held = peak(&mut server);
    assert!(held < MEMORY, "{held} KB");
    assert_eq!(server.get("/v1/customers").await.status, 200);
}
