//! `/metrics` on its own address and port, for an internal network.

use std::net::SocketAddr;

use patron_adapters::http;
use rocket::{
    Config, Shutdown,
    config::{Ident, LogLevel},
    fairing::AdHoc,
};
use tokio::sync::mpsc;

use crate::failure::Failure;

/// Serves the page until the returned handle is notified. Returns when the address is bound.
pub(crate) async fn start(
    address: SocketAddr,
    render: impl Fn() -> String + Send + Sync + 'static,
) -> Result<Shutdown, Failure> {
    let config = Config {
        address: address.ip(),
        port: address.port(),
        ident: Ident::none(),
        ip_header: None,
        log_level: LogLevel::Off,
        cli_colors: false,
        // The main port handles the signals and stops this one.
        shutdown: rocket::config::Shutdown {
            ctrlc: false,
            signals: [].into(),
            grace: 0,
            mercy: 0,
            ..Default::default()
        },
        ..Config::release_default()
    };
    let (bound, mut is_bound) = mpsc::channel(1);
    let told = AdHoc::on_liftoff("metrics", move |rocket| {
        let (address, port) = (rocket.config().address, rocket.config().port);
        Box::pin(async move {
            // If the receiver is gone, the start failed for another reason.
            let _ = bound.send(SocketAddr::new(address, port)).await;
        })
    });
    let rocket = http::mount_metrics(rocket::custom(config), None, render).attach(told);
    let rocket = rocket.ignite().await.map_err(|error| Failure::failed(complaint(address, &error)))?;
    let shutdown = rocket.shutdown();
    let serving =
        tokio::spawn(async move { rocket.launch().await.map(drop).map_err(|error| complaint(address, &error)) });
    match is_bound.recv().await {
        Some(bound) => {
            tracing::info!("metrics are served on {bound}");
            Ok(shutdown)
        }
        // The sender was dropped because the launch failed.
        None => match serving.await {
            Ok(Err(complaint)) => Err(Failure::failed(complaint)),
            _ => Err(Failure::failed(format!("cannot serve metrics on {address}"))),
        },
    }
}

/// Describes the error. Reading its kind marks it as handled; Rocket panics on an unhandled one.
fn complaint(address: SocketAddr, error: &rocket::Error) -> String {
    format!("cannot serve metrics on {address}: {}; choose another with PATRON_METRICS_ADDRESS", error.kind())
}
