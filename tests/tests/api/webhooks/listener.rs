//! The receiving side: `patron webhooks listen`, and the Python code of the guide.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use patron_tests::{
    patron::{Backend, Place, send},
    receiver::Receiver,
};
use reqwest::Method;
use serde_json::{Value, json};

use super::{ENDPOINTS, QUICK, customer, endpoint, until};

#[tokio::test(flavor = "multi_thread")]
async fn the_listener_and_the_python_of_the_guide_verify_deliveries() {
    let place = Place::fresh(Backend::Sqlite).await;
    let server = place.serve_with(&QUICK);
    let receiver = Receiver::start().await;
    let (id, secret) = endpoint(&server, &receiver.url()).await;
    let mut listener = place.command(&["webhooks", "listen", "--port", "0"]);
    let mut listener =
        listener.env("PATRON_LISTEN_SECRET", &secret).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
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
    let guide = include_str!("../../../../docs/webhooks.md");
    let snippet = guide.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
    let arguments = json!([secret, received.headers, String::from_utf8(received.body.clone()).unwrap()]);
    let script = format!("{snippet}\nimport json, sys\ns, h, b = json.loads(sys.argv[1])\nverify(s, h, b.encode())\n");
    let verified = Command::new("python3").args(["-c", &script, &arguments.to_string()]).status().unwrap();
    assert!(verified.success());
    let altered = script.replace("b.encode()", "b.encode() + b' '");
    let output = Command::new("python3").args(["-c", &altered, &arguments.to_string()]).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("not ours"));
}
