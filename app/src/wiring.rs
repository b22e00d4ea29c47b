//! The adapters behind each port.

use std::sync::Arc;

use patron_adapters::{
    http::{Api, Calls, Ports},
    imports::ImportEngine,
    key_uses::NotedKeyUses,
    persistence::{Database, DatabaseUrl, OpenError, OpenOptions},
    privacy::{ErasureJob, PrivacyKeys, RetentionTurns},
    rate_changes::RateChanges,
    retention::RetentionJob,
    system::{OsRandomness, SystemClock, SystemIds},
    webhooks::{Budget, EndpointReaders, HttpSender, KeyVault, Relay},
};
use patron_domain::{
    Clock,
    ids::{IdGenerator, WebhookDeliveryId},
    onboarding::{Breakers, OnboardingEngine, OnboardingService},
    privacy::{PrivacyService, ReceiptSigner},
    tenancy::TenancyService,
    webhook::{DeliveryEngine, DeliveryOptions, WebhookService},
};

use crate::{config::Settings, failure::Failure};

/// Options for opening a database.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opening {
    /// Whether to reject a second server on the same SQLite file.
    pub(crate) exclusive: bool,
    /// Whether to create a missing SQLite file.
    pub(crate) create: bool,
}

/// Opens the configured database.
pub(crate) async fn open(settings: &Settings, opening: Opening) -> Result<Database, Failure> {
    let Opening { exclusive, create } = opening;
    let options = OpenOptions {
        exclusive,
        create,
        connections: settings.database_connections,
        write_queue: settings.write_queue,
        commits_by_environment: settings.commits_by_environment,
        timeout: settings.http.request_timeout,
    };
    let opened = Database::open(&settings.database_url, options).await;
    opened.map_err(|error| not_opened(&error, settings.database_set_by.as_deref()))
}

/// The failure for a database that could not be opened. It names the setting if the setting may be wrong.
fn not_opened(error: &OpenError, set_by: Option<&str>) -> Failure {
    let set_by = set_by.map(|name| format!("{name}: ")).unwrap_or_default();
    match error {
        OpenError::Url { reason } => Failure::configuration(format!("{set_by}{reason}")),
        OpenError::Missing { .. } => Failure::failed(format!(
            "{set_by}{error}; `patron serve` creates one there, as does `patron tenants create --create-database`. \
             To use another, name it with --database-url sqlite:///path/to/patron.db or PATRON_DATABASE_URL, or \
             change to its folder"
        )),
        // On PostgreSQL 15 and later a role can create tables only where that was granted, or in a database that it
        // owns.
        OpenError::Migrate { reason } if reason.contains("permission denied") => Failure::failed(format!(
            "{set_by}{error}; make the role of the URL the owner of the database: ALTER DATABASE name OWNER TO role"
        )),
        OpenError::File { .. } | OpenError::Connect { .. } => Failure::failed(format!("{set_by}{error}")),
        other => Failure::failed(other),
    }
}

/// The ports of all services, without calls to other systems.
pub(crate) fn ports(settings: &Settings) -> Ports {
    Ports {
        idempotency_ttl: settings.idempotency_ttl,
        rate_limit: settings.rate_limit,
        quotas: settings.quotas,
        key_max_age: settings.key_max_age,
        options: settings.http.clone(),
        ..Ports::default()
    }
}

/// The services behind the HTTP API.
pub(crate) fn api(settings: &Settings, database: &Database, uses: Arc<NotedKeyUses>, webhooks: WebhookService) -> Api {
    let calls = Calls { sender: webhooks.sender, vault: webhooks.vault };
    let receipts = Some(Arc::new(privacy_keys(settings, database)) as Arc<dyn ReceiptSigner>);
    Api::over(database, Ports { key_uses: uses, calls: Some(calls), receipts, ..ports(settings) })
}

/// The keys for erasures and receipts.
pub(crate) fn privacy_keys(settings: &Settings, database: &Database) -> PrivacyKeys {
    PrivacyKeys {
        database: database.clone(),
        vault: Arc::new(KeyVault::new(&settings.webhooks.secrets_keys, Arc::new(OsRandomness))),
        clock: Arc::new(SystemClock),
        ids: Arc::new(SystemIds),
        randomness: Arc::new(OsRandomness),
    }
}

/// The service for erasures.
pub(crate) fn privacy(settings: &Settings, database: &Database, keys: &PrivacyKeys) -> PrivacyService {
    let signer: Arc<dyn ReceiptSigner> = Arc::new(keys.clone());
    ports(settings).privacy(&signer, database)
}

/// The job that erases customers.
pub(crate) fn erasure_job(settings: &Settings, database: &Database) -> ErasureJob {
    let retention = database.customer_retention.clone();
    ErasureJob {
        privacy: database.privacy.clone(),
        retention: RetentionTurns::new(retention, Arc::new(SystemClock), Arc::new(SystemIds)),
        commits: database.commits.clone(),
        keys: privacy_keys(settings, database),
        clock: Arc::new(SystemClock),
        ids: Arc::new(SystemIds),
        holder: holder(settings),
        lease: settings.webhooks.lease,
    }
}

/// The name of this process in leases.
fn holder(settings: &Settings) -> String {
    match settings.database_url {
        // One server works on a file; after a restart it takes up its own leases at once.
        DatabaseUrl::Sqlite(_) => "server".to_owned(),
        DatabaseUrl::Postgres(_) => {
            let id: WebhookDeliveryId = SystemIds.start(SystemClock.now()).next_id();
            id.to_string()
        }
    }
}

/// The retention job.
pub(crate) fn retention_job(settings: &Settings, database: &Database) -> RetentionJob {
    RetentionJob {
        store: database.retention.clone(),
        owners: database.owners.clone(),
        readers: vec![Arc::new(EndpointReaders(database.webhooks.clone()))],
        webhooks: database.webhooks.clone(),
        audit: database.audit.clone(),
        clock: Arc::new(SystemClock),
        idempotency_ttl: settings.idempotency_ttl,
        events_ttl: settings.events_ttl,
        audit_addresses_ttl: settings.audit_addresses_ttl,
        deliveries_ttl: settings.webhooks.retention,
    }
}

/// Reports changes of tax rates that begin.
pub(crate) fn rate_changes(database: &Database) -> RateChanges {
    RateChanges { taxes: database.taxes.clone(), clock: Arc::new(SystemClock), ids: Arc::new(SystemIds) }
}

/// The service behind startup and the command line.
pub(crate) fn tenancy(settings: &Settings, database: &Database) -> TenancyService {
    TenancyService {
        tenancy: database.tenancy.clone(),
        keys: database.keys.clone(),
        clock: Arc::new(SystemClock),
        ids: Arc::new(SystemIds),
        randomness: Arc::new(OsRandomness),
        key_max_age: settings.key_max_age,
    }
}

/// The service behind webhooks, over HTTP, in the relay and on the command line. One per process, because its sender
/// keeps connections and TLS roots.
pub(crate) fn webhooks(settings: &Settings, database: &Database) -> WebhookService {
    let sender = HttpSender::new(Arc::new(SystemClock), settings.webhooks.calls.clone());
    let sender = sender.asking(settings.webhooks.name_servers.clone());
    let vault = KeyVault::new(&settings.webhooks.secrets_keys, Arc::new(OsRandomness));
    ports(settings).webhooks(&Calls { sender: Arc::new(sender), vault: Arc::new(vault) }, database)
}

/// The service behind onboarding, over HTTP and on the command line.
pub(crate) fn onboarding(settings: &Settings, database: &Database, webhooks: &WebhookService) -> OnboardingService {
    let calls = Calls { sender: webhooks.sender.clone(), vault: webhooks.vault.clone() };
    ports(settings).onboarding(&calls, database)
}

/// The engine that runs the steps of onboarding.
pub(crate) fn engine(settings: &Settings, database: &Database, webhooks: &WebhookService) -> OnboardingEngine {
    let WebhookService { vault, body, clock, ids, randomness, .. } = webhooks.clone();
    let caller = HttpSender::new(clock.clone(), settings.webhooks.calls.clone());
    let caller = caller.asking(settings.webhooks.name_servers.clone());
    OnboardingEngine {
        onboarding: database.onboarding.clone(),
        customers: database.customers.clone(),
        caller: Arc::new(caller),
        vault,
        body,
        clock,
        ids,
        randomness,
        breakers: Breakers::default(),
        lease: settings.webhooks.lease,
    }
}

/// The engine that works on imports.
pub(crate) fn import_engine(settings: &Settings, database: &Database) -> ImportEngine {
    ImportEngine {
        imports: database.imports.clone(),
        fields: database.custom_fields.clone(),
        commits: database.commits.clone(),
        clock: Arc::new(SystemClock),
        ids: Arc::new(SystemIds),
        quotas: settings.quotas,
        lease: settings.webhooks.lease,
    }
}

/// The relay that delivers webhooks.
pub(crate) fn relay(settings: &Settings, database: &Database, service: WebhookService) -> Relay {
    let holder = holder(settings);
    let settings = &settings.webhooks;
    let budget = Budget::new(settings.memory);
    let options = DeliveryOptions {
        holder,
        lease: settings.lease,
        retries: settings.retries,
        disable_after: settings.disable_after,
        page: budget.page(),
    };
    Relay { engine: DeliveryEngine { service, options }, commits: database.commits.clone(), budget }
}
