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
    open::{OpenError, OpenOptions},
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
    store: Store,
}

#[derive(Clone)]
enum Store {
    #[cfg(feature = "sqlite")]
    Sqlite(Arc<super::sqlite::SqliteStore>),
    #[cfg(feature = "postgres")]
    Postgres(Arc<super::postgres::PostgresStore>),
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
                let store = Arc::new(super::sqlite::SqliteStore::open(path.clone(), options).await?);
                Ok(Self::over(store.clone(), Store::Sqlite(store)))
            }
            #[cfg(not(feature = "sqlite"))]
            DatabaseUrl::Sqlite(_) => Err(OpenError::NotBuilt("sqlite")),
            #[cfg(feature = "postgres")]
            DatabaseUrl::Postgres(url) => {
                let store = Arc::new(super::postgres::PostgresStore::connect(url, options).await?);
                Ok(Self::over(store.clone(), Store::Postgres(store)))
            }
            #[cfg(not(feature = "postgres"))]
            DatabaseUrl::Postgres(_) => Err(OpenError::NotBuilt("postgres")),
        }
    }

    fn over<S>(ports: Arc<S>, store: Store) -> Self
    where
        S: CustomerRepository
            + TaxRepository
            + TenancyRepository
            + ApiKeyRepository
            + EventLog
            + WebhookRepository
            + IdempotencyRecords
            + OnboardingRepository
            + Housekeeping
            + 'static,
    {
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
            store,
        }
    }

    /// Asks the database whether it answers.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        match &self.store {
            #[cfg(feature = "sqlite")]
            Store::Sqlite(store) => store.ping().await,
            #[cfg(feature = "postgres")]
            Store::Postgres(store) => store.ping().await,
        }
    }

    /// Sets the figures of [`crate::metrics`] that are read rather than counted: to be called before they are shown.
    pub fn observe(&self) {
        match &self.store {
            #[cfg(feature = "sqlite")]
            Store::Sqlite(store) => store.observe(),
            #[cfg(feature = "postgres")]
            Store::Postgres(store) => store.observe(),
        }
    }

    /// Commits the writes that were taken, and closes.
    pub async fn close(&self) {
        match &self.store {
            #[cfg(feature = "sqlite")]
            Store::Sqlite(store) => store.close().await,
            #[cfg(feature = "postgres")]
            Store::Postgres(store) => store.close().await,
        }
    }
}
