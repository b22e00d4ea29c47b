//! A real cache in front of the server, with its default rules.

use std::{
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
};

use patron_tests::{
    patron::{Answer, Backend, KEY, Place, Server},
    requests::minimal,
    wait::until,
};
use reqwest::{Client, Method};
use serde_json::Value;
use tempfile::TempDir;

/// Debian's Varnish over a server. It is stopped when the test ends.
struct Varnish {
    process: Child,
    base: String,
    client: Client,
    _folder: TempDir,
}

/// Debian's path, which is only in the PATH of root.
fn program() -> &'static str {
    if Path::new("/usr/sbin/varnishd").exists() { "/usr/sbin/varnishd" } else { "varnishd" }
}

impl Varnish {
    async fn over(server: &Server) -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
        let backend = server.base().trim_start_matches("http://");
        let process = Command::new(program())
            .args(["-F", "-j", "none", "-T", "none", "-s", "malloc,16m", "-b", backend])
            .args(["-a", &format!("127.0.0.1:{port}"), "-n", &folder.path().join("varnish").display().to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("varnishd, which tests/run installs");
        let base = format!("http://127.0.0.1:{port}");
        let varnish = Self { process, base, client: Client::new(), _folder: folder };
        until(async || match varnish.client.get(format!("{}/health/live", varnish.base)).send().await {
            Ok(answer) if answer.status() == 200 => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
        varnish
    }

    async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
        let request = self.client.request(method, format!("{}{path}", self.base));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        Answer::read(request.send().await.expect("an answer")).await
    }
}

impl Drop for Varnish {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Whether an answer came from the cache. Then it also names the request that filled the cache.
fn is_hit(answer: &Answer) -> bool {
    answer.header("x-varnish").is_some_and(|ids| ids.split(' ').count() == 2)
}

#[tokio::test]
async fn a_cache_shares_no_answers_between_tenants_or_with_anonymous_clients() {
    let place = Place::fresh(Backend::Sqlite).await;
    let server = place.serve();
    let tenant = place.run_ok(&["tenants", "create", "--name", "Other"]).trim().to_owned();
    let arguments = ["environments", "create", "--tenant", &tenant, "--name", "E", "--type", "production", "--json"];
    let environment: Value = serde_json::from_str(&place.run_ok(&arguments)).unwrap();
    let environment = environment["id"].as_str().expect("an id");
    let arguments = ["keys", "create", "--environment", environment, "--name", "k", "--role", "super_admin"];
    let other = place.run_ok(&arguments).trim().to_owned();
    let bearer = |key: &str| format!("Bearer {key}");
    let own = server.post("/v1/customers", &minimal("acme")).await.expect(201);
    let theirs = server.request_as(&other, Method::POST, "/v1/customers").json(&minimal("acme"));
    let theirs = patron_tests::patron::send(theirs).await.expect(201);
    assert_ne!(own["id"], theirs["id"]);

    let varnish = Varnish::over(&server).await;
    // The cache works: it caches public answers without cache headers.
    varnish.ask(Method::GET, "/nowhere", &[]).await;
    until(async || {
        let answer = varnish.ask(Method::GET, "/nowhere", &[]).await;
        if is_hit(&answer) { Ok(()) } else { Err(answer.headers) }
    })
    .await;
    let (path, list) = ("/v1/customers/external/acme", "/v1/customers");
    let (own_bearer, other_bearer, none) = (bearer(KEY), bearer(&other), "sk_nobody_has_this_one_at_all_here");
    for round in 0..3 {
        for (headers, status, id) in [
            (&[("x-api-key", KEY)][..], 200, Some(&own["id"])),
            (&[("x-api-key", other.as_str())], 200, Some(&theirs["id"])),
            (&[("authorization", own_bearer.as_str())], 200, Some(&own["id"])),
            (&[("authorization", other_bearer.as_str())], 200, Some(&theirs["id"])),
            (&[("x-api-key", none)], 401, None),
            (&[], 401, None),
        ] {
            let answer = varnish.ask(Method::GET, path, headers).await;
            assert_eq!((answer.status, answer.body.get("id")), (status, id), "{round} {headers:?}");
            assert!(!is_hit(&answer), "{round} {headers:?}");
            let listed = varnish.ask(Method::GET, list, headers).await;
            assert_eq!((listed.status, listed.body["items"][0].get("id")), (status, id), "{round} {headers:?}");
            assert!(!is_hit(&listed), "{round} {headers:?}");
            // Refusals are private too: another client may have the permission.
            let missing = varnish.ask(Method::GET, "/v1/customers/external/unknown", headers).await;
            assert_eq!(missing.status, if id.is_some() { 404 } else { 401 });
            assert!(!is_hit(&missing), "{round} {headers:?}");
        }
    }
}
