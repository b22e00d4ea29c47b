//! A Rocket application of one's own: it greets, attaches a fairing, and mounts Patron's routes beside its own.
//!
//! ```sh
//! cargo run --example rocket_application
//! curl http://127.0.0.1:8000/hello
//! curl http://127.0.0.1:8000/customers-api/v1/customers -H 'x-api-key: sk_example_0123456789abcdefghijklmno'
//! ```

use std::{error::Error, path::PathBuf, sync::Arc};

use patron_adapters::{
    http::{self, Api, HttpOptions, JsonBody},
    persistence::{Database, DatabaseUrl, OpenOptions},
    system::{OsRandomness, SystemClock, SystemIds},
    webhooks::{HttpSender, KeyVault},
};
use patron_domain::{
    customer::{CustomerService, DEFAULT_IDEMPOTENCY_TTL},
    event::EventService,
    onboarding::OnboardingService,
    tax::TaxService,
    tenancy::{AccessService, AdministrationService, ApiKeySecret, NoKeyUses, TenancyService},
    webhook::{CallPolicy, WebhookService},
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
    let api = Arc::new(api(&database));
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
    };
    tenancy.bootstrap(ApiKeySecret::chosen(KEY)?).await?;
    Ok(())
}

/// The services behind the routes.
fn api(database: &Database) -> Api {
    let (clock, ids) = (Arc::new(SystemClock), Arc::new(SystemIds));
    Api {
        customers: CustomerService {
            customers: database.customers.clone(),
            clock: clock.clone(),
            ids: ids.clone(),
            idempotency_ttl: DEFAULT_IDEMPOTENCY_TTL,
        },
        taxes: TaxService {
            taxes: database.taxes.clone(),
            customers: database.customers.clone(),
            records: database.records.clone(),
            clock: clock.clone(),
            ids: ids.clone(),
            idempotency_ttl: DEFAULT_IDEMPOTENCY_TTL,
        },
        events: EventService { events: database.events.clone() },
        administration: AdministrationService {
            tenancy: database.tenancy.clone(),
            keys: database.keys.clone(),
            clock: clock.clone(),
            ids,
            randomness: Arc::new(OsRandomness),
            records: database.records.clone(),
            idempotency_ttl: DEFAULT_IDEMPOTENCY_TTL,
        },
        webhooks: webhooks(database),
        onboarding: onboarding(database),
        access: AccessService::new(database.keys.clone(), clock, Arc::new(NoKeyUses)),
        readiness: Arc::new(database.clone()),
        options: HttpOptions::default(),
    }
}

/// Onboarding workflows and runs, kept in the database; a task of [`drive`](patron_adapters::onboarding::drive) would take
/// their steps.
fn onboarding(database: &Database) -> OnboardingService {
    let WebhookService { vault, clock, ids, randomness, .. } = webhooks(database);
    let (onboarding, idempotency_ttl) = (database.onboarding.clone(), DEFAULT_IDEMPOTENCY_TTL);
    OnboardingService { onboarding, vault, clock, ids, randomness, idempotency_ttl }
}

/// Webhook endpoints, kept in the database; a task of [`Relay`](patron_adapters::webhooks::Relay) would deliver to them.
fn webhooks(database: &Database) -> WebhookService {
    let (clock, randomness) = (Arc::new(SystemClock), Arc::new(OsRandomness));
    WebhookService {
        webhooks: database.webhooks.clone(),
        events: database.events.clone(),
        sender: Arc::new(HttpSender::new(clock.clone(), CallPolicy::default())),
        vault: Arc::new(KeyVault::new(&[], randomness.clone())),
        body: Arc::new(JsonBody),
        clock,
        ids: Arc::new(SystemIds),
        randomness,
        records: database.records.clone(),
        idempotency_ttl: DEFAULT_IDEMPOTENCY_TTL,
    }
}
