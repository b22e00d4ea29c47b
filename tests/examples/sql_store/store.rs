//! The port over the tables.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use patron_domain::{
    customer::{
        ChangeCustomer, ChangeCustomerError, CustomerAggregate, CustomerChanged, CustomerFacts, CustomerRecord,
        CustomerRepository, ExternalId, IndexEntry, MappingFilter, Subject, found_by_external_id,
        query::{CustomerPage, CustomerQuery, Folded},
    },
    event::CustomerEvent,
    idempotency::{Fingerprint, IdempotencyClaim, IdempotencyRecord, Outcome},
    ids::{CustomerId, EventId},
    integration::IntegrationMapping,
    lifecycle::{Owner, Status},
    page::{Page, PageRequest},
    store::StoreError,
    stored::Stored,
    tenancy::EnvironmentScope,
    time::Timestamp,
};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, TransactionBehavior, params};

use super::search;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS customers (
    tenant INTEGER NOT NULL, environment INTEGER NOT NULL, id TEXT NOT NULL,
    external_id TEXT NOT NULL, status TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
    external_id_folded TEXT NOT NULL, name_folded TEXT NOT NULL, email_folded TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (tenant, environment, id)
) STRICT, WITHOUT ROWID;
-- Who wins of two creates is decided here.
CREATE UNIQUE INDEX IF NOT EXISTS customers_external_id ON customers (tenant, environment, external_id)
    WHERE status = 'published';
CREATE INDEX IF NOT EXISTS customers_listed ON customers (tenant, environment, status, created_at DESC, id DESC);
-- What else customers are found by: see patron_domain::customer::IndexEntry.
CREATE TABLE IF NOT EXISTS customer_index (
    tenant INTEGER NOT NULL, environment INTEGER NOT NULL, kind INTEGER NOT NULL, key BLOB NOT NULL, customer TEXT NOT NULL,
    PRIMARY KEY (tenant, environment, kind, key, customer)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS customer_index_customer ON customer_index (tenant, environment, customer);
CREATE TABLE IF NOT EXISTS customer_events (
    tenant INTEGER NOT NULL, environment INTEGER NOT NULL, customer TEXT NOT NULL, sequence INTEGER NOT NULL,
    id TEXT NOT NULL, event TEXT NOT NULL,
    PRIMARY KEY (tenant, environment, customer, sequence), UNIQUE (tenant, environment, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS idempotency_keys (
    tenant INTEGER NOT NULL, environment INTEGER NOT NULL, key TEXT NOT NULL,
    fingerprint TEXT NOT NULL, event TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (tenant, environment, key)
) STRICT, WITHOUT ROWID;
";

/// The application's own database. One connection is enough here; a real service has a pool, and uses it on threads that
/// may block.
pub(crate) struct SqlStore(Mutex<Connection>);

/// The numbers of a tenant and an environment. Every statement has them, so none reads outside its scope.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) owner: Owner,
    pub(super) tenant: i64,
    pub(super) environment: i64,
}

impl Place {
    /// `None` for an owner of another application, which has no data here.
    fn of(scope: &EnvironmentScope) -> Option<Self> {
        let (tenant, environment) = scope.owner.numbers()?;
        let (tenant, environment) = (i64::try_from(tenant).ok()?, i64::try_from(environment).ok()?);
        Some(Self { owner: scope.owner, tenant, environment })
    }
}

/// The database's message is for the log. It may quote values, so only its code is returned.
pub(super) fn failed(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseBusy) => StoreError::unavailable("the database is busy"),
        code => StoreError::Failed { reason: format!("SQLite answered {code:?}") },
    }
}

fn unreadable(_: impl std::error::Error) -> StoreError {
    StoreError::Corrupt { table: "customers", column: "document", row: String::new() }
}

impl SqlStore {
    /// Opens a file, or `:memory:`, and creates the tables.
    pub(crate) fn open(file: &str) -> rusqlite::Result<Self> {
        let connection = Connection::open(file)?;
        connection.execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=5000;")?;
        connection.execute_batch(TABLES)?;
        Ok(Self(Mutex::new(connection)))
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads in a scope; the scope of another application has no data.
    fn read<T>(
        &self,
        scope: &EnvironmentScope,
        nothing: T,
        read: impl FnOnce(&Connection, Place) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        Place::of(scope).map_or(Ok(nothing), |place| read(&self.connection(), place))
    }

    fn do_change(
        &self,
        scope: &EnvironmentScope,
        mut command: ChangeCustomer,
    ) -> Result<CustomerChanged, ChangeCustomerError> {
        let Some(place) = Place::of(scope) else {
            // The scope of another application cannot be changed.
            command.decide(scope, &CustomerFacts::default())?;
            return Err(StoreError::Failed { reason: "not a tenant of this application".to_owned() }.into());
        };
        let mut connection = self.connection();
        // Immediate: it waits here for other writers, so later reads stay valid until the commit.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let claim = command.claim.take();
        if let Some(claim) = &claim
            && let Some(done) = claim.settle(kept(&transaction, place, claim)?.as_ref())?
        {
            return Ok(CustomerChanged { event: event(&transaction, place, done)?, replayed: true });
        }
        let facts = facts(&transaction, place, &command)?;
        let decision = command.decide(scope, &facts)?;
        let (is_change, event) = (decision.is_change(&facts), decision.event);
        if is_change {
            write(&transaction, place, &event, claim)?;
        }
        // Without a commit, a dry run leaves nothing.
        if !scope.origin.is_dry_run() {
            transaction.commit().map_err(failed)?;
        }
        Ok(CustomerChanged { event, replayed: false })
    }
}

/// The result under an idempotency key.
fn kept(db: &Connection, place: Place, claim: &IdempotencyClaim) -> Result<Option<IdempotencyRecord>, StoreError> {
    let statement =
        "SELECT fingerprint, event, at FROM idempotency_keys WHERE tenant = ? AND environment = ? AND key = ?";
    let values = params![place.tenant, place.environment, claim.key.as_str()];
    let row = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?));
    let Some((fingerprint, event, at)) = db.query_row(statement, values, row).optional().map_err(failed)? else {
        return Ok(None);
    };
    let fingerprint = Fingerprint::from_hex(&fingerprint).ok_or(StoreError::unavailable("no fingerprint"))?;
    let event: EventId = event.parse().map_err(unreadable)?;
    let at = Timestamp::from_micros(at).map_err(unreadable)?;
    Ok(Some(IdempotencyRecord { fingerprint, outcome: Outcome::Event(event), at }))
}

fn event(db: &Connection, place: Place, id: EventId) -> Result<CustomerEvent, StoreError> {
    let statement = "SELECT event FROM customer_events WHERE tenant = ? AND environment = ? AND id = ?";
    let values = params![place.tenant, place.environment, id.to_string()];
    let text: String = db.query_row(statement, values, |row| row.get(0)).map_err(failed)?;
    serde_json::from_str(&text).map_err(unreadable)
}

/// The aggregates that a statement finds; it selects documents.
pub(super) fn aggregates(
    db: &Connection,
    place: Place,
    statement: &str,
    values: &[&dyn ToSql],
) -> Result<Vec<CustomerAggregate>, StoreError> {
    let mut statement = db.prepare(statement).map_err(failed)?;
    let documents = statement.query_map(values, |row| row.get::<_, String>(0)).map_err(failed)?;
    let read = |document: rusqlite::Result<String>| {
        CustomerAggregate::from_document(place.owner, &document.map_err(failed)?).map_err(unreadable)
    };
    documents.map(read).collect()
}

fn by_id(db: &Connection, place: Place, id: CustomerId) -> Result<Option<CustomerAggregate>, StoreError> {
    let statement = "SELECT document FROM customers WHERE tenant = ? AND environment = ? AND id = ?";
    let values: [&dyn ToSql; 3] = [&place.tenant, &place.environment, &id.to_string()];
    Ok(aggregates(db, place, statement, &values)?.pop())
}

/// The published customer that has an external id.
fn holder(db: &Connection, place: Place, external_id: &ExternalId) -> Result<Option<CustomerAggregate>, StoreError> {
    let statement = "SELECT document FROM customers \
                     WHERE tenant = ? AND environment = ? AND external_id = ? AND status = 'published'";
    let values: [&dyn ToSql; 3] = [&place.tenant, &place.environment, &external_id.as_str()];
    Ok(aggregates(db, place, statement, &values)?.pop())
}

/// The customers that an entry of the index leads to.
fn indexed(db: &Connection, place: Place, entry: &IndexEntry) -> Result<Vec<CustomerAggregate>, StoreError> {
    let statement = "SELECT document FROM customer_index AS entry JOIN customers AS one \
                     ON one.tenant = entry.tenant AND one.environment = entry.environment AND one.id = entry.customer \
                     WHERE entry.tenant = ? AND entry.environment = ? AND entry.kind = ? AND entry.key = ?";
    let values: [&dyn ToSql; 4] = [&place.tenant, &place.environment, &entry.kind.code(), &entry.key];
    aggregates(db, place, statement, &values)
}

/// The facts for a decision. There are no tax rates here to look up.
fn facts(db: &Connection, place: Place, command: &ChangeCustomer) -> Result<CustomerFacts, StoreError> {
    let current = match command.subject() {
        Subject::New => None,
        Subject::Id(id) => by_id(db, place, id)?,
        Subject::ExternalId(external_id) => holder(db, place, external_id)?,
    };
    let held = match command.wanted_external_id(current.as_ref()) {
        Some(wanted) => holder(db, place, wanted)?.map(|holder| holder.customer.id),
        None => None,
    };
    let facts = CustomerFacts::new(current, held);
    Ok(if command.count_needed() { facts.with_published(count_published(db, place)?) } else { facts })
}

/// The number of published customers.
fn count_published(db: &Connection, place: Place) -> Result<u64, StoreError> {
    let statement = "SELECT COUNT(*) FROM customers WHERE tenant = ? AND environment = ? AND status = ?";
    let values: [&dyn ToSql; 3] = [&place.tenant, &place.environment, &Status::Published.as_str()];
    let count: i64 = db.query_row(statement, values, |row| row.get(0)).map_err(failed)?;
    Ok(u64::try_from(count).unwrap_or_default())
}

/// Writes the rows of a decision: the event contains the whole new state.
fn write(
    db: &Connection,
    place: Place,
    event: &CustomerEvent,
    claim: Option<IdempotencyClaim>,
) -> Result<(), StoreError> {
    let (state, customer) = (&event.state, &event.state.customer);
    let id = customer.id.to_string();
    let folded = |text: Option<&str>| text.map(|text| Folded::new(text).into_string()).unwrap_or_default();
    let run = |statement: &str, values: &[&dyn ToSql]| db.prepare(statement)?.execute(values);
    let (tenant, environment) = (&place.tenant, &place.environment);
    let write = || -> rusqlite::Result<()> {
        run("DELETE FROM customers WHERE tenant = ? AND environment = ? AND id = ?", params![tenant, environment, id])?;
        run(
            "INSERT INTO customers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                tenant,
                environment,
                id,
                customer.external_id.as_str(),
                customer.status.as_str(),
                customer.audit.created_at.micros(),
                customer.audit.updated_at.micros(),
                folded(Some(customer.external_id.as_str())),
                folded(customer.profile.name.as_ref().map(|name| name.as_str())),
                folded(customer.profile.email.as_ref().map(|email| email.as_str())),
                state.to_document(),
            ],
        )?;
        run(
            "DELETE FROM customer_index WHERE tenant = ? AND environment = ? AND customer = ?",
            params![tenant, environment, id],
        )?;
        for entry in state.index_entries() {
            run(
                "INSERT INTO customer_index VALUES (?, ?, ?, ?, ?)",
                params![tenant, environment, entry.kind.code(), entry.key, id],
            )?;
        }
        let sequence = i64::try_from(event.sequence.get()).unwrap_or(i64::MAX);
        let text = serde_json::to_string(event).unwrap_or_default();
        run(
            "INSERT INTO customer_events VALUES (?, ?, ?, ?, ?, ?)",
            params![tenant, environment, id, sequence, event.id.to_string(), text],
        )?;
        if let Some(claim) = claim {
            run(
                "INSERT OR REPLACE INTO idempotency_keys VALUES (?, ?, ?, ?, ?, ?)",
                params![
                    tenant,
                    environment,
                    claim.key.as_str(),
                    claim.fingerprint.to_hex(),
                    event.id.to_string(),
                    event.at.micros(),
                ],
            )?;
        }
        Ok(())
    };
    write().map_err(failed)
}

#[async_trait]
impl CustomerRepository for SqlStore {
    async fn change(
        &self,
        scope: &EnvironmentScope,
        command: ChangeCustomer,
    ) -> Result<CustomerChanged, ChangeCustomerError> {
        self.do_change(scope, command)
    }

    async fn find(&self, scope: &EnvironmentScope, id: CustomerId) -> Result<Option<CustomerRecord>, StoreError> {
        self.read(scope, None, |db, place| Ok(by_id(db, place, id)?.map(CustomerAggregate::into_record)))
    }

    async fn find_by_external_id(
        &self,
        scope: &EnvironmentScope,
        external_id: &ExternalId,
    ) -> Result<Option<CustomerRecord>, StoreError> {
        self.read(scope, None, |db, place| {
            if let Some(holder) = holder(db, place, external_id)? {
                return Ok(Some(holder.into_record()));
            }
            // The customer that had it last, of all former holders.
            let once = indexed(db, place, &IndexEntry::external_id(external_id.as_str()))?;
            let last = found_by_external_id(once.iter().flat_map(|one| one.terms_of(external_id)));
            Ok(once.into_iter().find(|one| Some(one.customer.id) == last).map(CustomerAggregate::into_record))
        })
    }

    async fn mappings(
        &self,
        scope: &EnvironmentScope,
        filter: &MappingFilter,
        page: PageRequest,
    ) -> Result<Page<IntegrationMapping>, StoreError> {
        self.read(scope, Page::empty(), |db, place| {
            let customers: Vec<_> = match filter {
                MappingFilter::Customer(id) => by_id(db, place, *id)?.into_iter().collect(),
                MappingFilter::Provider { provider_type, provider_entity_id } => {
                    indexed(db, place, &IndexEntry::provider(provider_type, provider_entity_id))?
                }
            };
            Ok(filter.page(customers.into_iter().flat_map(|one| one.mappings), page))
        })
    }

    async fn history(
        &self,
        scope: &EnvironmentScope,
        id: CustomerId,
        page: PageRequest,
    ) -> Result<Page<CustomerEvent>, StoreError> {
        self.read(scope, Page::empty(), |db, place| {
            let of_customer = "FROM customer_events WHERE tenant = ? AND environment = ? AND customer = ?";
            let values = params![place.tenant, place.environment, id.to_string()];
            let count = format!("SELECT count(*) {of_customer}");
            let total: i64 = db.query_row(&count, values, |row| row.get(0)).map_err(failed)?;
            let listed =
                format!("SELECT event {of_customer} ORDER BY sequence LIMIT {} OFFSET {}", page.limit(), page.offset());
            let mut listed = db.prepare(&listed).map_err(failed)?;
            let events = listed.query_map(values, |row| row.get::<_, String>(0)).map_err(failed)?;
            let events = events.map(|text| serde_json::from_str(&text.map_err(failed)?).map_err(unreadable));
            let items = events.collect::<Result<_, StoreError>>()?;
            Ok(Page { items, total: total.unsigned_abs() })
        })
    }

    async fn list(&self, scope: &EnvironmentScope, query: &CustomerQuery) -> Result<CustomerPage, StoreError> {
        let nothing = query.page_of(Vec::new(), query.with_total().then_some(0));
        self.read(scope, nothing, |db, place| search::list(db, place, query))
    }
}

/// Whether the mappings are part of the answer.
pub(super) fn record(one: CustomerAggregate, with_mappings: bool) -> CustomerRecord {
    let shows = with_mappings && one.customer.status == Status::Published;
    let mut record = one.into_record();
    if !shows {
        record.mappings.clear();
    }
    record
}
