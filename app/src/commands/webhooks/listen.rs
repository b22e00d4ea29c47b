//! `patron webhooks listen`: a receiver on this machine.

use std::{
    env::{self, VarError},
    io::{IsTerminal, stdin},
    net::{IpAddr, Ipv4Addr},
};

use patron_adapters::system::SystemClock;
use patron_domain::{
    Clock,
    webhook::{Arrival, WebhookSecret, verify},
};
use rocket::{
    Config, Data, Request, Response, Route,
    config::{Ident, LogLevel},
    data::ToByteUnit,
    error::ErrorKind,
    fairing::AdHoc,
    http::{Method, Status},
    route::{Handler, Outcome},
};
use serde_json::{Value, json};

use crate::{cli::Listen, commands::output, config::LISTEN_SECRET, failure::Failure, serve::drain};

/// Receives webhooks until it is stopped.
pub(crate) async fn listen(listen: Listen) -> Result<(), Failure> {
    let port = listen.port;
    let secret = secret(listen.secret.is_some())?;
    let config = Config {
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        port,
        ident: Ident::none(),
        ip_header: None,
        log_level: LogLevel::Off,
        cli_colors: false,
        ..Config::release_default()
    };
    let ready = AdHoc::on_liftoff("listen", |rocket| {
        let port = rocket.config().port;
        Box::pin(async move { output::note(format_args!("receiving on http://127.0.0.1:{port}/")) })
    });
    let route = Route::new(Method::Post, "/<path..>", Receiver { secret });
    let grace = config.shutdown.grace;
    let launched = rocket::custom(config).mount("/", vec![route]).attach(ready).launch().await;
    // Reading the kind marks the error as handled; Rocket panics on an unhandled one.
    let Err(error) = &launched else { return Ok(()) };
    match error.kind() {
        ErrorKind::Shutdown(rocket, _) => {
            drain(rocket, grace).await;
            Ok(())
        }
        kind => {
            let advice = "choose another port with --port";
            Err(Failure::failed(format!("cannot listen on 127.0.0.1:{port}: {kind}; {advice}")))
        }
    }
}

/// Reads the endpoint's secret from its variable, or from the first line of standard input.
fn secret(by_flag: bool) -> Result<WebhookSecret, Failure> {
    if by_flag {
        return Err(Failure::configuration(format!(
            "--secret is not accepted, because other users of this machine could read it: put the secret into \
             {LISTEN_SECRET}, or write it to standard input"
        )));
    }
    let (source, text) = match env::var(LISTEN_SECRET) {
        Ok(text) => (LISTEN_SECRET, text),
        Err(VarError::NotUnicode(_)) => (LISTEN_SECRET, String::new()),
        Err(VarError::NotPresent) => ("standard input", first_line()?),
    };
    WebhookSecret::parse(text.trim()).map_err(|error| {
        Failure::configuration(format!(
            "{source}: {error}; use the secret that was shown when the endpoint was created. It is read from \
             {LISTEN_SECRET}, or else from standard input"
        ))
    })
}

fn first_line() -> Result<String, Failure> {
    if stdin().is_terminal() {
        output::note("The secret of the endpoint (whsec_…):");
    }
    let mut line = String::new();
    let read = stdin().read_line(&mut line);
    read.map_err(|error| Failure::failed(format!("cannot read the secret from standard input: {error}")))?;
    Ok(line)
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
        let arrival = Arrival { id: &id, timestamp: &timestamp, signature: &signature, body: &body };
        let problem = verify(&self.secret, &arrival, SystemClock.now()).err().map(|problem| problem.to_string());
        let parsed: Value = serde_json::from_slice(&body).unwrap_or_else(|_| String::from_utf8_lossy(&body).into());
        let status = if problem.is_none() { Status::NoContent } else { Status::Unauthorized };
        let line = json!({ "webhook_id": id, "verified": problem.is_none(), "problem": problem, "body": parsed });
        // Stops when the output is closed.
        if !matches!(output::lines([line]), Ok(true)) {
            request.rocket().shutdown().notify();
        }
        Outcome::Success(Response::build().status(status).finalize())
    }
}
