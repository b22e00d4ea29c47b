//! Which adapter stands behind which port.

use std::sync::Arc;

use patron_adapters::{
    http::Api,
    key_cache::CachedApiKeys,
    key_uses::NotedKeyUses,
    persistence::{Database, OpenOptions},
    system::{OsRandomness, SystemClock, SystemIds},
};
use patron_domain::{
    customer::CustomerService,
    event::EventService,
    tax::TaxService,
    tenancy::{AccessService, AdministrationService, TenancyService},
};

use crate::{config::Settings, failure::Failure};

/// Opens the configured database.
pub(crate) async fn open(settings: &Settings, exclusive: bool) -> Result<Database, Failure> {
    let connections = settings.database_connections;
    let options = OpenOptions { exclusive, connections, write_queue: settings.write_queue };
    Database::open(&settings.database_url, options).await.map_err(Failure::failed)
}

/// The services behind the HTTP API.
pub(crate) fn api(settings: &Settings, database: &Database, uses: Arc<NotedKeyUses>) -> Api {
    let (clock, ids) = (Arc::new(SystemClock), Arc::new(SystemIds));
    // One cache for both services: a key that is revoked through one stops at once in the other.
    let keys = Arc::new(CachedApiKeys::new(database.keys.clone()));
    Api {
        customers: customers(settings, database),
        taxes: TaxService {
            taxes: database.taxes.clone(),
            customers: database.customers.clone(),
            clock: clock.clone(),
            ids: ids.clone(),
        },
        events: EventService { events: database.events.clone() },
        administration: AdministrationService {
            tenancy: database.tenancy.clone(),
            keys: keys.clone(),
            clock: clock.clone(),
            ids,
            randomness: Arc::new(OsRandomness),
        },
        access: AccessService::new(keys, clock, uses),
        readiness: Arc::new(database.clone()),
        options: settings.http.clone(),
    }
}

/// Customers, for whoever has been recognised.
pub(crate) fn customers(settings: &Settings, database: &Database) -> CustomerService {
    CustomerService {
        customers: database.customers.clone(),
        clock: Arc::new(SystemClock),
        ids: Arc::new(SystemIds),
        idempotency_ttl: settings.idempotency_ttl,
    }
}

/// The service behind start-up and the command line.
pub(crate) fn tenancy(database: &Database) -> TenancyService {
    TenancyService {
        tenancy: database.tenancy.clone(),
        keys: database.keys.clone(),
        clock: Arc::new(SystemClock),
        ids: Arc::new(SystemIds),
        randomness: Arc::new(OsRandomness),
    }
}
