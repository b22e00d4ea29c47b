//! A database with what the tests do to it.

use std::time::Duration;

use patron_adapters::{
    persistence::{Database, DatabaseUrl, OpenError, OpenOptions},
    system::{SystemClock, SystemIds},
};
use patron_domain::{
    Clock,
    customer::{ChangeCustomer, ChangeCustomerError, CustomerChange, ExternalId, NewCustomer, Stamp, TaxChoice},
    event::TaxRateEvent,
    ids::{IdGenerator, IdSequence},
    lifecycle::{Audit, Owner, Status, Version},
    metadata::Metadata,
    page::PageRequest,
    store::StoreError,
    tax::{
        CreateTaxRateError, CurrencyCode, Percentage, Priority, TaxRate, TaxRateCode, TaxRateHistory, TaxRateName,
        TaxRateOverride, TaxRateOverrides, TaxRateScope, TaxRateStatus, TaxValue,
    },
    tenancy::{
        Actor, AllowedNetworks, ApiKey, ApiKeyName, ApiKeySecret, Bootstrap, Environment, EnvironmentName,
        EnvironmentScope, EnvironmentType, RateLimit, Role, Roles, SystemScope, Tenant, TenantName,
    },
};
use patron_tests::{
    postgres::Cluster,
    wait::{self, TIMEOUT},
};
use tokio_postgres::NoTls;

/// A database, open, with one environment.
pub(super) struct World {
    pub(super) url: String,
    pub(super) database: Database,
    pub(super) scope: EnvironmentScope,
}

pub(super) async fn open(url: &str, connections: usize) -> Result<Database, OpenError> {
    open_with(url, OpenOptions { connections, timeout: TIMEOUT, ..OpenOptions::default() }).await
}

pub(super) async fn open_with(url: &str, options: OpenOptions) -> Result<Database, OpenError> {
    Database::open(&DatabaseUrl::parse(url).unwrap(), options).await
}

pub(super) fn ids() -> IdSequence {
    SystemIds.start(SystemClock.now())
}

pub(super) fn first(secret: &str) -> Bootstrap {
    let actor = Actor::system();
    let audit = Audit::created(SystemClock.now(), &actor);
    let mut ids = ids();
    let tenant =
        Tenant { id: ids.next_id(), name: TenantName::new("T").unwrap(), suspended_at: None, audit: audit.clone() };
    let environment = Environment {
        id: ids.next_id(),
        tenant_id: tenant.id,
        name: EnvironmentName::new("E").unwrap(),
        kind: EnvironmentType::Development,
        audit: audit.clone(),
    };
    let secret = ApiKeySecret::new(secret).unwrap();
    let key = ApiKey {
        id: ids.next_id(),
        owner: Owner { tenant_id: tenant.id, environment_id: environment.id },
        name: ApiKeyName::new("K").unwrap(),
        display_id: secret.display_id(),
        roles: Roles::new([Role::SuperAdmin]).unwrap(),
        expires_at: None,
        allowed_networks: AllowedNetworks::default(),
        rate_limit: RateLimit::default(),
        tenant_suspended_at: None,
        revoked_at: None,
        last_used_at: None,
        audit,
    };
    Bootstrap { tenant, environment, key, secret }
}

impl World {
    /// Opens a fresh database of a server, with this time-out for callers.
    pub(super) async fn over(cluster: &Cluster, timeout: Duration) -> Self {
        let url = cluster.fresh_database().await;
        let options = OpenOptions { connections: 4, timeout, ..OpenOptions::default() };
        let database = open_with(&url, options).await.unwrap();
        let first = first("sk_0123456789abcdef");
        let scope = EnvironmentScope::new(first.key.owner, Actor::system());
        assert!(database.tenancy.bootstrap(&SystemScope::patron(), first).await.unwrap());
        Self { url, database, scope }
    }

    /// Uses an open database with its first environment.
    pub(super) fn of(url: String, database: Database, first: &Bootstrap) -> Self {
        let scope = EnvironmentScope::new(first.key.owner, Actor::system());
        Self { url, database, scope }
    }

    pub(super) async fn fresh() -> Self {
        Self::over(Cluster::shared(), TIMEOUT).await
    }

    /// A connection of an administrator's.
    pub(super) async fn admin(&self) -> tokio_postgres::Client {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    pub(super) async fn create_rate(&self, code: &str) {
        self.try_create_rate(code).await.unwrap();
    }

    pub(super) async fn try_create_rate(&self, code: &str) -> Result<(), CreateTaxRateError> {
        let rate = TaxRate {
            id: ids().next_id(),
            owner: self.scope.owner,
            code: TaxRateCode::new(code).unwrap(),
            name: TaxRateName::new(code).unwrap(),
            description: None,
            value: TaxValue::Percentage(Percentage::new("19").unwrap()),
            history: TaxRateHistory::default(),
            scope: TaxRateScope::Internal,
            rate_status: TaxRateStatus::Active,
            metadata: Metadata::default(),
            status: Status::Published,
            version: Version::FIRST,
            audit: Audit::created(SystemClock.now(), &self.scope.actor),
        };
        let created = TaxRateEvent::created(ids().next_id(), None, rate);
        self.database.taxes.create_rate(&self.scope, created, None).await.map(drop)
    }

    /// Creates a customer with tax rates.
    pub(super) async fn create(&self, external_id: &str, codes: &[&str]) -> Result<(), ChangeCustomerError> {
        self.create_in(&self.database, external_id, codes).await
    }

    pub(super) async fn create_in(
        &self,
        database: &Database,
        external_id: &str,
        codes: &[&str],
    ) -> Result<(), ChangeCustomerError> {
        let overrides = codes.iter().map(|code| TaxRateOverride {
            code: TaxRateCode::new(*code).unwrap(),
            currency: CurrencyCode::new("EUR").unwrap(),
            priority: Priority::new(1).unwrap(),
            auto_apply: true,
            behavior: None,
            metadata: Metadata::default(),
        });
        let taxes = TaxChoice::Overrides(TaxRateOverrides::new(overrides.collect()).unwrap());
        let new = NewCustomer { taxes, ..NewCustomer::new(ExternalId::new(external_id).unwrap()) };
        let stamp = Stamp { ids: ids(), at: SystemClock.now(), request_id: None };
        let command = ChangeCustomer::new(CustomerChange::Create(new), stamp);
        let event = database.customers.change(&self.scope, command).await?.event;
        // What is answered is what is stored.
        let history = database.customers.history(&self.scope, event.state.customer.id, PageRequest::default()).await?;
        assert_eq!(history.items, [event]);
        Ok(())
    }

    pub(super) async fn exists(&self, external_id: &str) -> Result<bool, StoreError> {
        let external_id = ExternalId::new(external_id).unwrap();
        let found = self.database.customers.find_by_external_id(&self.scope, &external_id).await?;
        Ok(found.is_some())
    }

    pub(super) async fn count(&self, table: &str) -> i64 {
        let count = self.admin().await.query_one(&format!("SELECT count(*) FROM {table}"), &[]).await;
        count.unwrap().get(0)
    }
}

/// Waits until something holds.
pub(super) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    wait::until(async || holds().await.then_some(()).ok_or(what)).await;
}

pub(super) fn reason(error: impl Into<Result<(), ChangeCustomerError>>) -> String {
    match error.into() {
        Err(ChangeCustomerError::Store(StoreError::Unavailable { reason })) => reason,
        Err(ChangeCustomerError::Store(slow @ StoreError::TooSlow)) => slow.to_string(),
        other => panic!("{other:?}"),
    }
}
