//! A database of either kind, open and ready for every port.

use std::sync::Arc;

use patron_domain::{
    customer::CustomerRepository,
    event::EventLog,
    idempotency::IdempotencyRecords,
    onboarding::OnboardingRepository,
    retention::Housekeeping,
    store::StoreError,
    tax::TaxRepository,
    tenancy::{ApiKeyRepository, TenancyRepository},
    webhook::WebhookRepository,
};

use super::{
    engine::Engine,
    open::{OpenError, OpenOptions},
    store::Store,
    url::DatabaseUrl,
};

/// A database that is open, with its tables up to date, as the ports see it.
#[derive(Clone)]
pub struct Database {
    /// Customers.
    pub customers: Arc<dyn CustomerRepository>,
    /// Tax rates and associations.
    pub taxes: Arc<dyn TaxRepository>,
    /// Tenants and environments.
    pub tenancy: Arc<dyn TenancyRepository>,
    /// API keys.
    pub keys: Arc<dyn ApiKeyRepository>,
    /// The log of events.
    pub events: Arc<dyn EventLog>,
    /// Webhook endpoints and deliveries.
    pub webhooks: Arc<dyn WebhookRepository>,
    /// Records of idempotency keys.
    pub records: Arc<dyn IdempotencyRecords>,
    /// Onboarding workflows and runs.
    pub onboarding: Arc<dyn OnboardingRepository>,
    /// Clears away what has served its time.
    pub housekeeping: Arc<dyn Housekeeping>,
    engine: Arc<dyn Engine>,
}

impl Database {
    /// Opens a database and brings its tables up to date; a SQLite file that does not exist is made.
    ///
    /// # Errors
    /// [`OpenError`] says what to do, in one line.
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

    fn over(engine: Arc<dyn Engine>) -> Self {
        let ports = Arc::new(Store::over(engine.clone()));
        Self {
            customers: ports.clone(),
            taxes: ports.clone(),
            tenancy: ports.clone(),
            keys: ports.clone(),
            events: ports.clone(),
            webhooks: ports.clone(),
            records: ports.clone(),
            onboarding: ports.clone(),
            housekeeping: ports,
            engine,
        }
    }

    /// Asks the database whether it answers.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.engine.ping().await
    }

    /// Sets the figures of [`crate::metrics`] that are read rather than counted: to be called before they are shown.
    pub fn observe(&self) {
        self.engine.observe();
    }

    /// Commits the writes that were taken, and closes.
    pub async fn close(&self) {
        self.engine.close().await;
    }
}
