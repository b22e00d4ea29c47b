//! The audit log: entries are written with what they report, under the lock of their environment's log, which numbers them.

mod port;
pub(crate) mod row;
pub(crate) mod statements;

use patron_domain::{
    audit::Act,
    ids::EnvironmentId,
    lifecycle::Owner,
    store::StoreError,
    tenancy::{Actor, EnvironmentScope, Origin, TenantScope},
    time::Timestamp,
};

use self::row::AuditRow;
use super::{store::Store, writes::Writes};

/// In which logs an act stands, and who does it from where.
#[derive(Debug, Clone)]
pub(crate) struct Auditing {
    places: Vec<i32>,
    actor: Actor,
    origin: Origin,
}

impl Auditing {
    /// For what is done in an environment.
    pub(crate) async fn of(store: &Store, scope: &EnvironmentScope) -> Result<Self, StoreError> {
        let Owner { tenant_id, environment_id } = scope.owner;
        let mut places = Vec::new();
        for environment_id in scope.origin.places(environment_id) {
            places.push(store.environment_to_write(Owner { tenant_id, environment_id }).await?);
        }
        Ok(Self { places, actor: scope.actor.clone(), origin: scope.origin.clone() })
    }

    /// For what is done to an environment of a tenant.
    pub(crate) async fn within(store: &Store, scope: &TenantScope, of: EnvironmentId) -> Result<Self, StoreError> {
        Self::of(store, &scope.clone().environment(of)).await
    }

    /// Notes what was done, if anything was.
    pub(crate) fn note(&self, writes: &mut Writes, act: impl Into<Option<Act>>, at: Timestamp) {
        let Some(act) = act.into() else { return };
        let row = |environment: &i32| AuditRow::new(*environment, &act, (&self.actor, &self.origin), at);
        writes.audit.extend(self.places.iter().map(row));
    }
}
