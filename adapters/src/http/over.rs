//! Wires the routes over a Patron database.

use std::{sync::Arc, time::Duration};

use patron_domain::{
    Clock,
    audit::AuditService,
    custom_field::CustomFieldService,
    customer::{BatchService, CustomerService, DEFAULT_IDEMPOTENCY_TTL, ExportService, find::FindService},
    event::{EventService, PastService},
    ids::{IdGenerator, Randomness},
    import::ImportService,
    onboarding::OnboardingService,
    privacy::{PrivacyService, ReceiptSigner},
    tax::TaxService,
    tenancy::{AccessService, AdministrationService, ApiKeyRepository, KeyUses, NoKeyUses, Quotas, RateLimit},
    webhook::{ReplayPace, SecretVault, WebhookSender, WebhookService},
};

use super::{Api, ApiKeys, Callers, HttpOptions, JsonBody, LongWork, RateLimits};
#[cfg(feature = "key-cache")]
use crate::key_cache::CachedApiKeys;
use crate::{
    persistence::Database,
    system::{OsRandomness, SystemClock, SystemIds},
};

/// The ports and options of an API over a database.
///
/// ```
/// use std::{sync::Arc, time::Duration};
///
/// use patron_adapters::http::Ports;
///
/// // The system's clock, ids and randomness, API keys, no webhooks; responses are kept for an hour.
/// let ports = Ports { idempotency_ttl: Duration::from_secs(3_600), ..Ports::default() };
/// assert!(ports.callers.is_none());
/// ```
#[derive(Clone)]
pub struct Ports {
    /// The clock. Default: the system's.
    pub clock: Arc<dyn Clock>,
    /// Generates ids. Default: with the system's randomness.
    pub ids: Arc<dyn IdGenerator>,
    /// Generates secrets. Default: with the system's randomness.
    pub randomness: Arc<dyn Randomness>,
    /// Identifies callers. Default: by the API keys in the database, with routes for environments and keys.
    pub callers: Option<Arc<dyn Callers>>,
    /// Records when keys are used. Default: no records.
    pub key_uses: Arc<dyn KeyUses>,
    /// Calls other systems. Without it there are no routes for webhooks and onboarding.
    pub calls: Option<Calls>,
    /// Signs receipts of erasures. Without it there are no routes for erasures. The database must recognise erased
    /// customers: see [`Database::recognise_erased`].
    pub receipts: Option<Arc<dyn ReceiptSigner>>,
    /// How long an idempotency key returns the first response. Default: 24 hours.
    pub idempotency_ttl: Duration,
    /// The rate limit of each tenant. Default: none.
    pub rate_limit: RateLimit,
    /// Limits replays of events. Several services of one process should share it.
    pub replays: ReplayPace,
    /// The quotas of every environment. Default: none.
    pub quotas: Quotas,
    /// The longest validity of a key that is created over HTTP. Default: unlimited.
    pub key_max_age: Option<Duration>,
    /// Limits the concurrency of long work. Several APIs of one process should share it. Default: one on every second
    /// processor.
    pub long_work: LongWork,
    /// Limits.
    pub options: HttpOptions,
}

/// The ports of webhooks and onboarding.
#[derive(Clone)]
pub struct Calls {
    /// Sends requests.
    pub sender: Arc<dyn WebhookSender>,
    /// Encrypts the secrets that sign them.
    pub vault: Arc<dyn SecretVault>,
}

impl Default for Ports {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds),
            randomness: Arc::new(OsRandomness),
            callers: None,
            key_uses: Arc::new(NoKeyUses),
            calls: None,
            receipts: None,
            idempotency_ttl: DEFAULT_IDEMPOTENCY_TTL,
            rate_limit: RateLimit::default(),
            replays: ReplayPace::default(),
            quotas: Quotas::default(),
            key_max_age: None,
            long_work: LongWork::default(),
            options: HttpOptions::default(),
        }
    }
}

impl Ports {
    /// The customer service over a database.
    #[must_use]
    pub fn customers(&self, database: &Database) -> CustomerService {
        CustomerService {
            customers: database.customers.clone(),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            idempotency_ttl: self.idempotency_ttl,
            quotas: self.quotas,
        }
    }

    /// The export service over a database.
    #[must_use]
    pub fn exports(&self, database: &Database) -> ExportService {
        let (parts, events) = (database.parts.clone(), database.events.clone());
        ExportService { parts, events, clock: self.clock.clone() }
    }

    /// The import service over a database.
    #[must_use]
    pub fn imports(&self, database: &Database) -> ImportService {
        let (clock, ids) = (self.clock.clone(), self.ids.clone());
        ImportService { imports: database.imports.clone(), clock, ids, quotas: self.quotas }
    }

    /// The tax service over a database.
    #[must_use]
    pub fn taxes(&self, database: &Database) -> TaxService {
        TaxService {
            taxes: database.taxes.clone(),
            customers: database.customers.clone(),
            records: database.records.clone(),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            idempotency_ttl: self.idempotency_ttl,
        }
    }

    fn custom_fields(&self, database: &Database) -> CustomFieldService {
        CustomFieldService {
            fields: database.custom_fields.clone(),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            idempotency_ttl: self.idempotency_ttl,
            quotas: self.quotas,
        }
    }

    fn administration(&self, database: &Database, keys: Arc<dyn ApiKeyRepository>) -> AdministrationService {
        AdministrationService {
            tenancy: database.tenancy.clone(),
            keys,
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            randomness: self.randomness.clone(),
            records: database.records.clone(),
            idempotency_ttl: self.idempotency_ttl,
            key_max_age: self.key_max_age,
        }
    }

    /// The webhook service over a database.
    #[must_use]
    pub fn webhooks(&self, calls: &Calls, database: &Database) -> WebhookService {
        WebhookService {
            webhooks: database.webhooks.clone(),
            events: database.events.clone(),
            sender: calls.sender.clone(),
            vault: calls.vault.clone(),
            body: Arc::new(JsonBody),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            randomness: self.randomness.clone(),
            records: database.records.clone(),
            idempotency_ttl: self.idempotency_ttl,
            quotas: self.quotas,
            replays: self.replays.clone(),
        }
    }

    /// The onboarding service over a database.
    #[must_use]
    pub fn onboarding(&self, calls: &Calls, database: &Database) -> OnboardingService {
        OnboardingService {
            onboarding: database.onboarding.clone(),
            vault: calls.vault.clone(),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            randomness: self.randomness.clone(),
            idempotency_ttl: self.idempotency_ttl,
            quotas: self.quotas,
        }
    }

    /// The service for earlier states over a database.
    #[must_use]
    pub fn past(&self, database: &Database) -> PastService {
        PastService { events: database.events.clone(), clock: self.clock.clone() }
    }

    /// The service for erasures over a database, signing receipts.
    #[must_use]
    pub fn privacy(&self, signer: &Arc<dyn ReceiptSigner>, database: &Database) -> PrivacyService {
        PrivacyService {
            privacy: database.privacy.clone(),
            retention: database.customer_retention.clone(),
            events: database.events.clone(),
            signer: signer.clone(),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
        }
    }
}

impl Api {
    /// The API over a database. With the feature `key-cache`, API keys are cached.
    #[must_use]
    pub fn over(database: &Database, ports: Ports) -> Self {
        // Both services share one cache: a key revoked through one stops at once in the other.
        #[cfg(feature = "key-cache")]
        let keys: Arc<dyn ApiKeyRepository> = Arc::new(CachedApiKeys::new(database.keys.clone()));
        #[cfg(not(feature = "key-cache"))]
        let keys = database.keys.clone();
        let (callers, administration) = match ports.callers.clone() {
            Some(callers) => (callers, None),
            None => {
                let administration = ports.administration(database, keys.clone());
                let access = AccessService::new(keys, ports.clock.clone(), ports.key_uses.clone());
                (Arc::new(ApiKeys(access)) as Arc<dyn Callers>, Some(administration))
            }
        };
        let calls = ports.calls.as_ref();
        let customers = ports.customers(database);
        Self {
            batches: Some(BatchService { customers: customers.clone(), batches: database.batches.clone() }),
            exports: Some(ports.exports(database)),
            imports: Some(ports.imports(database)),
            find: Some(FindService { finder: database.finder.clone() }),
            taxes: Some(ports.taxes(database)),
            custom_fields: Some(ports.custom_fields(database)),
            audit: Some(AuditService { log: database.audit.clone() }),
            events: Some(EventService { events: database.events.clone() }),
            past: Some(ports.past(database)),
            administration,
            webhooks: calls.map(|calls| ports.webhooks(calls, database)),
            onboarding: calls.map(|calls| ports.onboarding(calls, database)),
            privacy: ports.receipts.as_ref().map(|signer| ports.privacy(signer, database)),
            limits: RateLimits::new(ports.rate_limit),
            long_work: ports.long_work.clone(),
            readiness: Some(Arc::new(database.clone())),
            options: ports.options.clone(),
            ..Self::new(customers, callers)
        }
    }
}
