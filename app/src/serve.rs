//! `patron serve`: Rocket over the services, from start to shutdown.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use patron_adapters::{
    http::{self, Api},
    key_uses::NotedKeyUses,
    metrics::Metrics,
    persistence::{Database, DatabaseUrl},
};
use patron_domain::webhook::WebhookService;
use rocket::{
    Build, Config, Orbit, Rocket,
    config::{Ident, LogLevel, Shutdown, Sig},
    error::ErrorKind,
    fairing::AdHoc,
};

use crate::{
    config::Settings,
    deliveries::Deliveries,
    failure::Failure,
    file_modes, first_key, metrics_port,
    wiring::{self, Opening},
};

/// How long a connection may stay open without a request, in seconds.
const KEEP_ALIVE: u32 = 60;
/// How long responses may take after the grace period, in seconds.
const MERCY: u32 = 2;

/// Serves until SIGTERM or SIGINT, then lets requests finish and commits the queued writes.
pub(crate) async fn serve(settings: Settings) -> Result<(), Failure> {
    // Installed first: earlier metrics would be lost.
    let metrics = Metrics::install().map_err(Failure::failed)?;
    tokio::spawn(metrics.clone().keep_up());
    let database = wiring::open(&settings, Opening { exclusive: true, create: true }).await?;
    file_modes::warn(&settings.database_url);
    let uses = Arc::new(NotedKeyUses::default());
    let writing = tokio::spawn(uses.clone().keep_writing(database.keys.clone(), database.audit.clone()));
    let job = tokio::spawn(wiring::retention_job(&settings, &database).run());
    let rate_changes = tokio::spawn(wiring::rate_changes(&database).run());
    // Before the first request: external ids of erased customers must be recognised.
    if let Err(error) = wiring::privacy_keys(&settings, &database).load().await {
        tracing::error!(%error, "add the key with which they were sealed to PATRON_SECRETS_KEY; until then no customer can be created");
    }
    let webhooks = wiring::webhooks(&settings, &database);
    let deliveries = Deliveries::start(&settings, &database, &webhooks);
    let outcome = launch(&settings, &database, &uses, webhooks, metrics).await;
    deliveries.stop().await;
    writing.abort();
    job.abort();
    rate_changes.abort();
    if let Err(error) = uses.write(database.keys.as_ref()).await {
        tracing::warn!(%error, "the last use of some API keys was not saved before shutdown");
    }
    if let Err(error) = uses.write_refused(database.audit.as_ref()).await {
        tracing::warn!(%error, "some uses of revoked or expired keys were not saved before shutdown");
    }
    database.close().await;
    tracing::info!("stopped");
    outcome
}

async fn launch(
    settings: &Settings,
    database: &Database,
    uses: &Arc<NotedKeyUses>,
    webhooks: WebhookService,
    metrics: Metrics,
) -> Result<(), Failure> {
    let api = Arc::new(wiring::api(settings, database, uses.clone(), webhooks));
    let mut rocket = rocket(settings, &api);
    let observed = database.clone();
    let render = move || {
        observed.observe();
        metrics.render()
    };
    let mut metrics_port = None;
    if let Some(address) = settings.metrics_address {
        metrics_port = Some(metrics_port::start(address, render.clone()).await?);
    }
    if settings.metrics_public {
        rocket = http::mount_metrics(rocket, Some(&api), render);
    }
    let start_failure = Arc::new(OnceLock::new());
    let rocket = rocket.attach(liftoff(settings, database, start_failure.clone()));
    let launched = rocket.launch().await;
    if let Some(port) = metrics_port {
        port.notify();
    }
    // Reading the kind marks the error as handled; Rocket panics on an unhandled one.
    if let Err(error) = &launched {
        match error.kind() {
            ErrorKind::Bind(reason) | ErrorKind::Io(reason) => {
                let (address, port) = (settings.address, settings.port);
                return Err(Failure::failed(format!(
                    "cannot listen on {address}:{port}: {reason}; choose another with --address and --port \
                     (PATRON_ADDRESS, PATRON_PORT)"
                )));
            }
            ErrorKind::Shutdown(rocket, _) => drain(rocket, settings.shutdown_grace_seconds).await,
            other => return Err(Failure::failed(format!("the server cannot start: {other}"))),
        }
    }
    match Arc::into_inner(start_failure).and_then(OnceLock::into_inner) {
        Some(failure) => Err(failure),
        None => Ok(()),
    }
}

/// Waits until running requests are done, at most for the grace and the mercy period. Rocket waits itself, except if it
/// sees the signal while it accepts the next connection: then it returns at once.
pub(crate) async fn drain(rocket: &Arc<Rocket<Orbit>>, grace: u32) {
    const STEP: Duration = Duration::from_millis(10);
    let timeout = Duration::from_secs(u64::from(grace) + u64::from(MERCY));
    let drained = tokio::time::timeout(timeout, async {
        // Each connection holds one reference.
        while Arc::strong_count(rocket) > 1 {
            tokio::time::sleep(STEP).await;
        }
    });
    if drained.await.is_err() {
        tracing::warn!("some requests did not finish in time");
    }
}

fn rocket(settings: &Settings, api: &Arc<Api>) -> Rocket<Build> {
    let rocket = rocket::custom(config(settings));
    let rocket = http::mount(rocket, "/v1", api);
    let rocket = http::mount_health(rocket, "/health", api);
    let rocket = http::mount_docs(rocket, "/", "/v1", api);
    rocket.register("/", vec![http::catcher(api)])
}

/// Rocket's configuration, from our settings only: `Rocket.toml` and `ROCKET_*` have no effect.
fn config(settings: &Settings) -> Config {
    Config {
        profile: Config::RELEASE_PROFILE,
        address: settings.address,
        port: settings.port,
        workers: settings.workers,
        ident: Ident::none(),
        // A client could claim any address; nothing here uses it.
        ip_header: None,
        keep_alive: KEEP_ALIVE,
        log_level: LogLevel::Off,
        cli_colors: false,
        shutdown: Shutdown {
            ctrlc: true,
            signals: [Sig::Term].into(),
            grace: settings.shutdown_grace_seconds,
            mercy: MERCY,
            ..Shutdown::default()
        },
        ..Config::release_default()
    }
}

/// Runs when the port is bound and before the first request: provides the first key, and logs the address. A start that
/// fails to bind creates no key.
fn liftoff(settings: &Settings, database: &Database, failure: Arc<OnceLock<Failure>>) -> AdHoc {
    let (settings, tenancy) = (settings.clone(), wiring::tenancy(settings, database));
    AdHoc::on_liftoff("patron", move |rocket| {
        Box::pin(async move {
            let config = rocket.config();
            let address = match config.address {
                std::net::IpAddr::V4(ip) => format!("http://{ip}:{}", config.port),
                std::net::IpAddr::V6(ip) => format!("http://[{ip}]:{}", config.port),
            };
            if let Err(error) = first_key::provide(&settings, &tenancy, &address).await {
                // The only place that sets it.
                let _ = failure.set(error);
                rocket.shutdown().notify();
                return;
            }
            let database = database_kind(&settings.database_url);
            tracing::info!(database, version = env!("CARGO_PKG_VERSION"), "Patron listens on {address}");
        })
    })
}

fn database_kind(url: &DatabaseUrl) -> &'static str {
    match url {
        DatabaseUrl::Sqlite(_) => "sqlite",
        DatabaseUrl::Postgres(_) => "postgres",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::Parser;
    use figment::Jail;
    use rocket::Route;

    use super::*;
    use crate::{cli::Cli, config};

    /// Ranks after every endpoint: the routes that answer 405.
    const FALLBACK_RANK: isize = 1_000;

    const WHAT_TO_DO: &str = "Each endpoint is described in `documented()`, in the file of its handler. The \
                              `documents()` of its folder lists it, and `groups()` in adapters/src/http/document.rs \
                              lists the folders.";

    /// A path with nameless parameters, for comparing Rocket's routes with the document.
    fn nameless(path: &str) -> String {
        let segments = path.split('/').map(|segment| if segment.starts_with(['<', '{']) { "{}" } else { segment });
        segments.collect::<Vec<_>>().join("/")
    }

    fn mounted<'a>(routes: impl Iterator<Item = &'a Route>) -> BTreeSet<String> {
        let endpoints = routes.filter(|route| route.rank < FALLBACK_RANK);
        endpoints.map(|route| format!("{} {}", route.method, nameless(route.uri.path()))).collect()
    }

    fn documented(api: &Api) -> BTreeSet<String> {
        let document = serde_json::to_value(api.document("/v1")).unwrap();
        let paths = document["paths"].as_object().unwrap().iter();
        let of_path = |(path, item): (&String, &serde_json::Value)| {
            let methods = item.as_object().unwrap().keys().map(|method| method.to_uppercase());
            methods.map(|method| format!("{method} {}", nameless(path))).collect::<Vec<_>>()
        };
        paths.flat_map(of_path).collect()
    }

    #[test]
    #[expect(clippy::result_large_err, reason = "figment's own test harness")]
    fn every_route_is_in_the_document_and_nothing_else() {
        Jail::expect_with(|_| {
            let settings = config::load(&Cli::parse_from(["patron", "serve"])).unwrap();
            let runtime = tokio::runtime::Runtime::new().unwrap();
            let (mounted, documented) = runtime.block_on(async {
                let opening = Opening { exclusive: true, create: true };
                let database = wiring::open(&settings, opening).await.unwrap();
                let webhooks = wiring::webhooks(&settings, &database);
                let api = Arc::new(wiring::api(&settings, &database, Arc::default(), webhooks));
                let rocket = http::mount_metrics(rocket(&settings, &api), Some(&api), String::new);
                let both = (mounted(rocket.routes()), documented(&api));
                database.close().await;
                both
            });

            let (missing, stale): (Vec<_>, Vec<_>) =
                (mounted.difference(&documented).collect(), documented.difference(&mounted).collect());
            assert!(missing.is_empty(), "routes that /openapi.json lacks: {missing:#?}\n{WHAT_TO_DO}");
            assert!(stale.is_empty(), "in /openapi.json, but no route: {stale:#?}\n{WHAT_TO_DO}");
            Ok(())
        });
    }
}
