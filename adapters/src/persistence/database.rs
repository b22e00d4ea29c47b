//! An open database of either kind, with all ports.

use std::sync::Arc;

use patron_domain::{
    audit::AuditLog,
    custom_field::CustomFieldRepository,
    customer::{CustomerBatches, CustomerParts, CustomerRepository, find::CustomerFinder},
    event::{EventLog, chain::EventChain},
    idempotency::IdempotencyRecords,
    import::ImportRepository,
    onboarding::OnboardingRepository,
    privacy::{CustomerRetention, InstallationKeys, PrivacyRepository, SubjectKey},
    retention::RetentionStore,
    store::StoreError,
    tax::TaxRepository,
    tenancy::{ApiKeyRepository, Owners, TenancyRepository},
    webhook::{Resealing, WebhookRepository},
};

use crate::commits::Commits;

use super::{
    engine::Engine,
    open::{OpenError, OpenOptions},
    store::Store,
    url::DatabaseUrl,
};

/// An open database with tables that are up to date, as implementations of the ports.
#[derive(Clone)]
pub struct Database {
    /// Customers.
    pub customers: Arc<dyn CustomerRepository>,
    /// Changes of many customers at once.
    pub batches: Arc<dyn CustomerBatches>,
    /// All customers in parts, for exports.
    pub parts: Arc<dyn CustomerParts>,
    /// The index by which customers are found.
    pub finder: Arc<dyn CustomerFinder>,
    /// Tax rates and associations.
    pub taxes: Arc<dyn TaxRepository>,
    /// Definitions of custom fields.
    pub custom_fields: Arc<dyn CustomFieldRepository>,
    /// Tenants and environments.
    pub tenancy: Arc<dyn TenancyRepository>,
    /// All environments for which data was ever stored, including those that an embedding application manages.
    pub owners: Arc<dyn Owners>,
    /// API keys.
    pub keys: Arc<dyn ApiKeyRepository>,
    /// The audit log.
    pub audit: Arc<dyn AuditLog>,
    /// The log of events.
    pub events: Arc<dyn EventLog>,
    /// The chain of its hashes.
    pub chain: Arc<dyn EventChain>,
    /// Webhook endpoints and deliveries.
    pub webhooks: Arc<dyn WebhookRepository>,
    /// Records of idempotency keys.
    pub records: Arc<dyn IdempotencyRecords>,
    /// Imports.
    pub imports: Arc<dyn ImportRepository>,
    /// Onboarding workflows and runs.
    pub onboarding: Arc<dyn OnboardingRepository>,
    /// Encrypts stored secrets with another key.
    pub secrets: Arc<dyn Resealing>,
    /// Suppresses and erases customers.
    pub privacy: Arc<dyn PrivacyRepository>,
    /// How long environments keep archived customers and former external ids.
    pub customer_retention: Arc<dyn CustomerRetention>,
    /// The keys of the installation.
    pub installation_keys: Arc<dyn InstallationKeys>,
    /// Deletes expired data.
    pub retention: Arc<dyn RetentionStore>,
    /// The commits of this process: they wake and pace background work.
    pub commits: Arc<Commits>,
    engine: Arc<dyn Engine>,
    store: Arc<Store>,
}

impl Database {
    /// Opens a database and brings its tables up to date. Creates a missing SQLite file if the options allow it.
    ///
    /// # Errors
    /// [`OpenError`] says on one line what to do.
    pub async fn open(url: &DatabaseUrl, options: OpenOptions) -> Result<Self, OpenError> {
        match url {
            #[cfg(feature = "sqlite")]
            DatabaseUrl::Sqlite(path) => {
                Ok(Self::over(Arc::new(super::sqlite::SqliteEngine::open(path.clone(), options).await?)))
            }
            #[cfg(not(feature = "sqlite"))]
            DatabaseUrl::Sqlite(_) => Err(OpenError::NotBuilt("sqlite")),
            #[cfg(feature = "postgres")]
            DatabaseUrl::Postgres(url) => {
                Ok(Self::over(Arc::new(super::postgres::PostgresEngine::connect(url, options).await?)))
            }
            #[cfg(not(feature = "postgres"))]
            DatabaseUrl::Postgres(_) => Err(OpenError::NotBuilt("postgres")),
        }
    }

    /// Distributes the tables of a PostgreSQL database over the workers of Citus by environment, in one transaction.
    /// Returns `false` if they are distributed already. Stop all servers first.
    ///
    /// # Errors
    /// [`OpenError`] if the database cannot be opened, is not a PostgreSQL database, or has no Citus.
    pub async fn distribute(url: &DatabaseUrl) -> Result<bool, OpenError> {
        match url {
            DatabaseUrl::Sqlite(_) => {
                Err(OpenError::Url { reason: "only a database of PostgreSQL can be distributed".to_owned() })
            }
            #[cfg(feature = "postgres")]
            DatabaseUrl::Postgres(url) => super::postgres::distribute::distribute(url).await,
            #[cfg(not(feature = "postgres"))]
            DatabaseUrl::Postgres(_) => Err(OpenError::NotBuilt("postgres")),
        }
    }

    fn over(engine: Arc<dyn Engine>) -> Self {
        let ports = Arc::new(Store::over(engine.clone()));
        Self {
            customers: ports.clone(),
            batches: ports.clone(),
            parts: ports.clone(),
            finder: ports.clone(),
            taxes: ports.clone(),
            custom_fields: ports.clone(),
            tenancy: ports.clone(),
            owners: ports.clone(),
            keys: ports.clone(),
            audit: ports.clone(),
            events: ports.clone(),
            chain: ports.clone(),
            webhooks: ports.clone(),
            records: ports.clone(),
            imports: ports.clone(),
            onboarding: ports.clone(),
            secrets: ports.clone(),
            privacy: ports.clone(),
            customer_retention: ports.clone(),
            installation_keys: ports.clone(),
            retention: ports.clone(),
            commits: engine.commits(),
            engine,
            store: ports,
        }
    }

    /// Sets the key by which external ids of erased customers are recognised; later calls have no effect. Without it,
    /// customers cannot be erased, and environments with erased customers reject new external ids.
    pub fn recognise_erased(&self, key: SubjectKey) {
        self.store.use_subject_key(key);
    }

    /// Whether that key is set.
    #[must_use]
    pub fn recognises_erased(&self) -> bool {
        self.store.subject_key().is_some()
    }

    /// Checks whether the database responds.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.engine.ping().await
    }

    /// Sets the gauges among the metrics. Call it before the metrics are shown.
    pub fn observe(&self) {
        self.engine.observe();
    }

    /// Commits the queued writes, and closes the database.
    pub async fn close(&self) {
        self.engine.close().await;
    }
}
