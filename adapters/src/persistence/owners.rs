//! Which small number stands for an environment.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use diesel::{ExpressionMethods, QueryDsl};
use futures_util::FutureExt;
use patron_domain::{
    ids::EnvironmentId,
    lifecycle::Owner,
    store::StoreError,
};

use super::{
    engine::{Decision, Pace},
    error::Failure,
    schema::{logs, owners},
    statements::statements,
    store::Store,
    value::Key,
};

/// The numbers that this process knows: one entry an environment, some 100 bytes each. A number never changes its meaning, so
/// none is ever forgotten.
#[derive(Default)]
pub(crate) struct Owners(RwLock<HashMap<EnvironmentId, Known>>);

#[derive(Clone, Copy)]
struct Known {
    owner: Owner,
    environment: i32,
}

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

        /// Gives an environment a number, and a log.
        fn make_owner(db, tenant_id: Key, environment_id: Key) -> () {
            let row = (owners::tenant_id.eq(tenant_id), owners::environment_id.eq(environment_id));
            db.run(diesel::insert_into(owners::table).values(row)).await?;
            Ok(())
        }

        /// Makes an empty log.
        fn make_log(db, environment: i32) -> () {
            let row = (
                logs::environment.eq(environment), logs::epoch.eq(0_i64), logs::position.eq(0_i64), logs::at.eq(0_i64),
                logs::published.eq(0_i64), logs::archived.eq(0_i64),
            );
            db.run(diesel::insert_into(logs::table).values(row)).await?;
            Ok(())
        }
    }
}

impl Owners {
    fn known(&self, owner: Owner) -> Option<Known> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&owner.environment_id).copied()
    }

    fn learn(&self, owner: Owner, environment: i32) {
        let known = Known { owner, environment };
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(owner.environment_id, known);
    }

    /// The number of an environment; `None` where there is none, or it is another tenant's.
    pub(super) async fn find(&self, store: &Store, owner: Owner) -> Result<Option<i32>, StoreError> {
        if let Some(known) = self.known(owner) {
            return Ok((known.owner == owner).then_some(known.environment));
        }
        let id = Key::from(owner.environment_id);
        let found = store.read(Pace::LookUp, move |unit| unit.owner(id).boxed()).await?;
        let Some((environment, tenant)) = found else { return Ok(None) };
        let found = Owner { tenant_id: tenant.id(), ..owner };
        self.learn(found, environment);
        Ok((found == owner).then_some(environment))
    }

    /// The number of an environment, which is given when there is none.
    ///
    /// An environment belongs to one tenant: the id under another tenant is refused.
    pub(super) async fn find_or_make(&self, store: &Store, owner: Owner) -> Result<i32, StoreError> {
        if let Some(environment) = self.find(store, owner).await? {
            return Ok(environment);
        }
        if self.known(owner).is_some() {
            return Err(StoreError::Failed { reason: "this environment id belongs to another tenant".to_owned() });
        }
        let (tenant, id) = (Key::from(owner.tenant_id), Key::from(owner.environment_id));
        let environment = store.write(move |unit| {
            let make = async move {
                // Somebody else may have been first.
                if let Some((environment, _)) = unit.owner(id).await? {
                    return Ok(Decision::nothing(environment));
                }
                unit.make_owner(tenant, id).await?;
                let made = unit.owner(id).await?;
                let (environment, _) = made.ok_or(diesel::result::Error::NotFound)?;
                unit.make_log(environment).await?;
                Ok::<_, Failure<StoreError>>(Decision::nothing(environment))
            };
            make.boxed()
        });
        environment.await?;
        // What is there now is what counts: a number of another tenant, or of a transaction that was first.
        match self.find(store, owner).await? {
            Some(environment) => Ok(environment),
            None => Err(StoreError::Failed { reason: "this environment id belongs to another tenant".to_owned() }),
        }
    }
}
