//! The small integers that stand for environments in the tables.

use std::{
    collections::HashMap,
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use diesel::{ExpressionMethods, Insertable, QueryDsl};
use futures_util::FutureExt;
use patron_domain::{
    ids::EnvironmentId,
    lifecycle::Owner,
    store::StoreError,
    tenancy::{self, SystemScope},
};

#[cfg(all(feature = "sqlite", feature = "postgres"))]
use super::rows::rows;
use super::{
    author::Author,
    engine::{Decision, Pace},
    error::Failure,
    event::log_row::LogRow,
    party::Party,
    schema::{logs, owners},
    statements::statements,
    store::Store,
    unit::Unit,
    value::Key,
    writes::Writes,
};

/// The numbers that this process has read, one entry of about 100 bytes for each environment. A number never changes
/// its meaning in a database. After a lost connection the database may be an older copy, by a fail-over or a restore,
/// which can assign a number again. So all entries are then dropped.
#[derive(Default)]
pub(crate) struct Owners {
    known: RwLock<HashMap<EnvironmentId, Known>>,
    /// The number of lost connections when the entries were read.
    losses: AtomicU64,
}

#[derive(Clone, Copy)]
struct Known {
    owner: Owner,
    environment: i32,
    /// Whether the environment has a log. Writes need one.
    writable: bool,
}

/// A number that no environment has. A row of `logs` with it is created with the first tenant, and dry runs in environments
/// without a number use it.
pub(crate) const OF_NO_ENVIRONMENT: i32 = 0;

/// The most tries to find a number while other servers assign numbers too.
const TRIES: u32 = 5;

statements! {
    /// Statements about the numbers of environments.
    OwnerStatements {
        /// The number of an environment, and its tenant.
        fn owner(db, environment_id: Key) -> Option<(i32, Key)> {
            let found = owners::table.filter(owners::environment_id.eq(environment_id));
            db.one(found.select((owners::environment, owners::tenant_id))).await
        }

        /// The numbers of all environments.
        fn environments_known(db) -> Vec<i32> {
            db.rows(owners::table.select(owners::environment).order(owners::environment.asc())).await
        }

        /// Tenants and environments by their numbers.
        fn owners_of(db, environments: &[i32]) -> Vec<(i32, Key, Key)> {
            let columns = (owners::environment, owners::tenant_id, owners::environment_id);
            db.each(
                environments,
                |one| owners::table.filter(owners::environment.eq(one)).select(columns),
                |all| owners::table.filter(owners::environment.eq_any(all)).select(columns),
            ).await
        }

        /// Whether an environment has a log.
        fn has_log(db, environment: i32) -> bool {
            let log = logs::table.filter(logs::environment.eq(environment)).select(logs::position);
            Ok(db.one::<_, i64>(log).await?.is_some())
        }
    }
}

#[cfg(all(feature = "sqlite", feature = "postgres"))]
rows! {
    /// An environment with its number.
    OwnerRow: owners {
        environment: i32;
        tenant_id: Key,
        environment_id: Key,
    }
}

/// An environment that needs a number.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = owners)]
pub(crate) struct NewOwnerRow {
    tenant_id: Key,
    environment_id: Key,
}

impl NewOwnerRow {
    /// The database assigns the number.
    #[cfg(feature = "sqlite")]
    pub(crate) fn insert(&self, connection: &mut diesel::SqliteConnection) -> diesel::QueryResult<usize> {
        use diesel::RunQueryDsl as _;
        diesel::insert_into(owners::table).values(self).execute(connection)
    }

    /// The database assigns the numbers.
    #[cfg(feature = "postgres")]
    pub(crate) async fn insert_all(
        rows: &[Self],
        unit: &super::postgres::unit::PostgresUnit<'_>,
    ) -> diesel::QueryResult<usize> {
        use diesel_async::RunQueryDsl as _;
        let mut pg = unit.pg();
        for row in rows {
            diesel::insert_into(owners::table).values(row).execute(&mut pg).await?;
        }
        Ok(rows.len())
    }
}

impl Owners {
    fn known(&self, store: &Store, owner: Owner) -> Option<Known> {
        let losses = store.engine.losses();
        if self.losses.swap(losses, Ordering::AcqRel) != losses {
            self.known.write().unwrap_or_else(PoisonError::into_inner).clear();
        }
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(&owner.environment_id).copied()
    }

    /// Caches an entry, unless a connection was lost since it was read.
    fn learn(&self, store: &Store, losses: u64, known: Known) {
        let mut all = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if store.engine.losses() == losses {
            all.insert(known.owner.environment_id, known);
        }
    }

    /// Reads an environment's entry from the database.
    async fn look(&self, store: &Store, owner: Owner) -> Result<Option<Known>, StoreError> {
        let id = Key::from(owner.environment_id);
        let losses = store.engine.losses();
        let look = store.read(Pace::LookUp, move |unit| {
            let look = async move {
                let Some((environment, tenant)) = unit.owner(id).await? else { return Ok(None) };
                Ok(Some((environment, tenant, unit.has_log(environment).await?)))
            };
            look.boxed()
        });
        let Some((environment, tenant, writable)) = look.await? else { return Ok(None) };
        let known = Known { owner: Owner { tenant_id: tenant.id(), ..owner }, environment, writable };
        self.learn(store, losses, known);
        Ok(Some(known))
    }

    /// The number of an environment. `None` if it has none or belongs to another tenant.
    pub(super) async fn find(&self, store: &Store, owner: Owner) -> Result<Option<i32>, StoreError> {
        let known = match self.known(store, owner) {
            Some(known) => Some(known),
            None => self.look(store, owner).await?,
        };
        Ok(known.filter(|known| known.owner == owner).map(|known| known.environment))
    }

    /// The number of an environment. Assigns one if it has none.
    ///
    /// An environment belongs to one tenant: its id under another tenant is an error.
    pub(super) async fn find_or_make(&self, store: &Store, owner: Owner) -> Result<i32, StoreError> {
        let mut known = self.known(store, owner).filter(|known| known.writable);
        for _ in 0..TRIES {
            known = match known {
                Some(known) => Some(known),
                None => self.look(store, owner).await?,
            };
            match known {
                Some(known) if known.owner != owner => {
                    return Err(other_tenants());
                }
                Some(Known { environment, writable: true, .. }) => return Ok(environment),
                Some(Known { environment, .. }) => self.make_log(store, environment).await?,
                None => self.make(store, owner).await?,
            }
            known = None;
        }
        Err(StoreError::unavailable("other servers are registering the same environment; try again"))
    }

    /// Assigns a number to an environment, unless another server was first.
    async fn make(&self, store: &Store, owner: Owner) -> Result<(), StoreError> {
        let row = NewOwnerRow { environment_id: owner.environment_id.into(), tenant_id: owner.tenant_id.into() };
        let make = store.write(Author::system(), Party::Tenant(owner.tenant_id.into()), move |unit| {
            let row = row.clone();
            let make = async move {
                let mut writes = Writes::default();
                if unit.owner(row.environment_id).await?.is_none() {
                    writes.new_owners.push(row);
                }
                Ok::<_, Failure<StoreError>>(Decision { answer: (), writes })
            };
            make.boxed()
        });
        make.await
    }

    /// Creates the log of an environment, unless another server was first.
    async fn make_log(&self, store: &Store, environment: i32) -> Result<(), StoreError> {
        let make = store.write(Author::system(), environment, move |unit| {
            let make = async move {
                let mut writes = Writes::default();
                if !unit.has_log(environment).await? {
                    writes.new_logs.push(LogRow::empty(environment));
                }
                Ok::<_, Failure<StoreError>>(Decision { answer: (), writes })
            };
            make.boxed()
        });
        make.await
    }
}

/// All environments that have a number.
#[async_trait]
impl tenancy::Owners for Store {
    async fn owners(&self, _scope: &SystemScope) -> Result<Vec<Owner>, StoreError> {
        let read = self.read(Pace::LookUp, |unit| {
            let read = async move {
                let all = unit.environments_known().await?;
                unit.owners_of(&all).await
            };
            read.boxed()
        });
        let owner = |(_, tenant, environment): (i32, Key, Key)| Owner {
            tenant_id: tenant.id(),
            environment_id: environment.id(),
        };
        Ok(read.await?.into_iter().map(owner).collect())
    }
}

/// The number of an environment, within a transaction that the caller commits. Assigns a number and creates the log if
/// they are missing.
pub(crate) async fn within(unit: &dyn Unit, owner: Owner) -> Result<i32, Failure<StoreError>> {
    let id = Key::from(owner.environment_id);
    let mut found = unit.owner(id).await?;
    if found.is_none() {
        let row = NewOwnerRow { environment_id: id, tenant_id: owner.tenant_id.into() };
        Writes { new_owners: vec![row], ..Writes::default() }.apply(unit).await?;
        found = unit.owner(id).await?;
    }
    let (environment, tenant) = found.ok_or(diesel::result::Error::NotFound)?;
    if tenant != Key::from(owner.tenant_id) {
        return Err(Failure::Refused(other_tenants()));
    }
    if !unit.has_log(environment).await? {
        Writes { new_logs: vec![LogRow::empty(environment)], ..Writes::default() }.apply(unit).await?;
    }
    Ok(environment)
}

fn other_tenants() -> StoreError {
    StoreError::Failed { reason: "this environment id belongs to another tenant".to_owned() }
}
