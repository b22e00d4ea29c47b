//! `patron webhooks listen`: a receiver on this machine.

use std::net::{IpAddr, Ipv4Addr};

use patron_adapters::system::SystemClock;
use patron_domain::{
    Clock,
    time::Timestamp,
    webhook::{Message, WebhookSecret, seconds},
};
use rocket::{
    Config, Data, Request, Response, Route,
    config::{Ident, LogLevel},
    data::ToByteUnit,
    fairing::AdHoc,
    http::{Method, Status},
    route::{Handler, Outcome},
};
use serde_json::{Value, json};

use crate::{commands::output, failure::Failure};

/// How far a delivery's time may be from now, as Standard Webhooks recommends.
const TOLERANCE_SECONDS: i64 = 5 * 60;

/// The port, unless another is asked for: not the server's own.
const PORT: u16 = 4_000;

/// Receives until it is stopped.
pub(crate) async fn listen(port: Option<u16>, secret: &str) -> Result<(), Failure> {
    let port = port.unwrap_or(PORT);
    let secret = WebhookSecret::parse(secret).map_err(Failure::configuration)?;
    let config = Config {
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        port,
        ident: Ident::none(),
        ip_header: None,
        log_level: LogLevel::Off,
        cli_colors: false,
        ..Config::release_default()
    };
    let told = AdHoc::on_liftoff("listen", |rocket| {
        let port = rocket.config().port;
        Box::pin(async move { output::note(format_args!("receiving on http://127.0.0.1:{port}/")) })
    });
    let route = Route::new(Method::Post, "/<path..>", Receiver { secret });
    let launched = rocket::custom(config).mount("/", vec![route]).attach(told).launch().await;
    // Asking for the kind tells Rocket that the error is handled; it would panic otherwise.
    launched.map(drop).map_err(|error| {
        let (kind, advice) = (error.kind(), "choose another port with --port");
        Failure::failed(format!("cannot listen on 127.0.0.1:{port}: {kind}; {advice}"))
    })
}

#[derive(Clone)]
struct Receiver {
    secret: WebhookSecret,
}

#[rocket::async_trait]
impl Handler for Receiver {
    async fn handle<'r>(&self, request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r> {
        let Ok(body) = data.open(16.mebibytes()).into_bytes().await else {
            return Outcome::Error(Status::BadRequest);
        };
        let header = |name: &str| request.headers().get_one(name).unwrap_or_default().to_owned();
        let (id, timestamp, signature) =
            (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"));
        let verdict = verify(&self.secret, &id, &timestamp, &signature, &body, SystemClock.now());
        let parsed: Value = serde_json::from_slice(&body).unwrap_or_else(|_| String::from_utf8_lossy(&body).into());
        let line = json!({ "webhook_id": id, "verified": verdict.is_ok(), "problem": verdict.err(), "body": parsed });
        // When nobody reads any more, there is nobody to receive for.
        if !matches!(output::lines([line]), Ok(true)) {
            request.rocket().shutdown().notify();
        }
        let status = if verdict.is_ok() { Status::NoContent } else { Status::Unauthorized };
        Outcome::Success(Response::build().status(status).finalize())
    }
}

/// Whether a delivery is the endpoint's, and of now.
fn verify(
    secret: &WebhookSecret,
    id: &str,
    timestamp: &str,
    signature: &str,
    body: &[u8],
    now: Timestamp,
) -> Result<(), &'static str> {
    let sent: i64 = timestamp.parse().map_err(|_| "webhook-timestamp is no number")?;
    if sent.abs_diff(seconds(now)) > TOLERANCE_SECONDS.unsigned_abs() {
        return Err("webhook-timestamp is more than five minutes from now");
    }
    let at = Timestamp::from_micros(sent.saturating_mul(1_000_000)).map_err(|_| "webhook-timestamp is no time")?;
    let message = Message { id, at, body };
    if secret.verifies(&message, signature) { Ok(()) } else { Err("webhook-signature is not of this secret") }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use patron_domain::{
        time::Timestamp,
        webhook::{Message, WebhookSecret, seconds, signature},
    };

    use super::verify;

    #[test]
    fn only_what_was_signed_with_the_secret_and_lately_is_verified() {
        let secret = WebhookSecret::from_random([1; 32]);
        let now = Timestamp::parse("2026-01-31T08:00:00Z").unwrap();
        let signed = signature(std::slice::from_ref(&secret), &Message { id: "evt_1", at: now, body: b"{}" });
        let check = |body: &[u8], now| verify(&secret, "evt_1", &seconds(now).to_string(), &signed, body, now);
        assert_eq!(check(b"{}", now), Ok(()));
        assert!(check(b"[]", now).is_err());
        let late = now.later(Duration::from_secs(301));
        assert!(verify(&secret, "evt_1", &seconds(now).to_string(), &signed, b"{}", late).is_err());
        assert!(verify(&secret, "evt_1", "soon", &signed, b"{}", now).is_err());
    }
}
