//! The audit log. An entry is written in the transaction that it reports, and numbered under the lock of its
//! environment's log.

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

/// The audit logs that record an act, with its actor and origin.
#[derive(Debug, Clone)]
pub(crate) struct Auditing {
    places: Vec<i32>,
    actor: Actor,
    origin: Origin,
}

impl Auditing {
    /// For acts within an environment.
    pub(crate) async fn of(store: &Store, scope: &EnvironmentScope) -> Result<Self, StoreError> {
        let Owner { tenant_id, environment_id } = scope.owner;
        let mut places = Vec::new();
        for environment_id in scope.origin.places(environment_id) {
            places.push(store.environment_to_write(&scope.origin, Owner { tenant_id, environment_id }).await?);
        }
        Ok(Self { places, actor: scope.actor.clone(), origin: scope.origin.clone() })
    }

    /// For acts on an environment of a tenant.
    pub(crate) async fn within(store: &Store, scope: &TenantScope, of: EnvironmentId) -> Result<Self, StoreError> {
        Self::of(store, &scope.clone().environment(of)).await
    }

    /// Adds the entries of an act, if there is one.
    pub(crate) fn note(&self, writes: &mut Writes, act: impl Into<Option<Act>>, at: Timestamp) {
        let Some(act) = act.into() else { return };
        let row = |environment: &i32| AuditRow::new(*environment, &act, (&self.actor, &self.origin), at);
        writes.audit.extend(self.places.iter().map(row));
    }
}
