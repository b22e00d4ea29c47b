//! A Rocket application of one's own: it greets, attaches a fairing, and mounts Patron's routes beside its own.
//!
//! ```sh
//! cargo run --example rocket_application
//! curl http://127.0.0.1:8000/hello
//! curl http://127.0.0.1:8000/customers-api/v1/customers -H 'x-api-key: sk_example_0123456789abcdefghijklmno'
//! ```

use std::{error::Error, path::PathBuf, sync::Arc};

use patron_adapters::{
    http::{self, Api, Calls, Ports},
    persistence::{Database, DatabaseUrl, OpenOptions},
    system::{OsRandomness, SystemClock, SystemIds},
    webhooks::{HttpSender, KeyVault},
};
use patron_domain::{
    tenancy::{ApiKeySecret, TenancyService},
    webhook::CallPolicy,
};
use rocket::{Build, Config, Rocket, fairing::AdHoc, get, routes};

/// The key that opens the API. A real application keeps its own secret elsewhere.
pub(crate) const KEY: &str = "sk_example_0123456789abcdefghijklmno";

#[rocket::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let rocket = application(PathBuf::from("example.db"), Config::default()).await?;
    rocket.launch().await?;
    Ok(())
}

/// The application over a SQLite file.
pub(crate) async fn application(file: PathBuf, config: Config) -> Result<Rocket<Build>, Box<dyn Error>> {
    let database = Database::open(&DatabaseUrl::Sqlite(file), OpenOptions::default()).await?;
    first_key(&database).await?;
    let api = Arc::new(Api::over(&database, ports()));
    let rocket =
        rocket::custom(config).mount("/", routes![hello]).attach(AdHoc::on_response("who served it", |_, response| {
            Box::pin(async move {
                response.set_raw_header("X-Served-By", "an application");
            })
        }));
    // Nothing of it reaches outside its base: no managed state, no fairing, no catcher for other paths.
    let rocket = http::mount(rocket, "/customers-api/v1", &api);
    Ok(rocket.attach(AdHoc::on_shutdown("close", move |_| Box::pin(async move { database.close().await }))))
}

#[get("/hello")]
fn hello() -> &'static str {
    "Hello from the application itself"
}

/// Makes a tenant, an environment and a key in an empty database.
async fn first_key(database: &Database) -> Result<(), Box<dyn Error>> {
    let tenancy = TenancyService {
        tenancy: database.tenancy.clone(),
        keys: database.keys.clone(),
        clock: Arc::new(SystemClock),
        ids: Arc::new(SystemIds),
        randomness: Arc::new(OsRandomness),
        key_max_age: None,
    };
    tenancy.bootstrap(ApiKeySecret::chosen(KEY)?).await?;
    Ok(())
}

/// Webhooks and onboarding beside the rest; [`Relay`](patron_adapters::webhooks::Relay) would deliver, and
/// [`drive`](patron_adapters::onboarding::drive) take the steps.
fn ports() -> Ports {
    let sender = Arc::new(HttpSender::new(Arc::new(SystemClock), CallPolicy::default()));
    let vault = Arc::new(KeyVault::new(&[], Arc::new(OsRandomness)));
    Ports { calls: Some(Calls { sender, vault }), ..Ports::default() }
}
