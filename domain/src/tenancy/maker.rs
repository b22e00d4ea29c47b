//! Builds new tenants, environments and keys: their initial values are defined only here.

use super::{
    Actor, ApiKey, ApiKeySecret, Environment, EnvironmentName, EnvironmentType, NewApiKey, Tenant, TenantName,
};
use crate::{
    ids::{IdSequence, TenantId},
    lifecycle::{Audit, Owner},
    time::Timestamp,
};

/// Builds objects that belong together: with the same time and actor, and consecutive ids.
pub(super) struct Maker {
    ids: IdSequence,
    audit: Audit,
}

impl Maker {
    /// Starts with ids, the current time and this actor.
    pub(super) fn start(ids: IdSequence, now: Timestamp, by: &Actor) -> Self {
        Self { ids, audit: Audit::created(now, by) }
    }

    pub(super) fn tenant(&mut self, name: TenantName) -> Tenant {
        Tenant { id: self.ids.next_id(), name, suspended_at: None, audit: self.audit.clone() }
    }

    pub(super) fn environment(
        &mut self,
        tenant_id: TenantId,
        name: EnvironmentName,
        kind: EnvironmentType,
    ) -> Environment {
        Environment { id: self.ids.next_id(), tenant_id, name, kind, audit: self.audit.clone() }
    }

    /// A key with this secret, which is valid at once and was never used.
    pub(super) fn key(&mut self, owner: Owner, new: NewApiKey, secret: &ApiKeySecret) -> ApiKey {
        ApiKey {
            id: self.ids.next_id(),
            owner,
            name: new.name,
            display_id: secret.display_id(),
            roles: new.roles,
            allowed_networks: new.allowed_networks,
            rate_limit: new.rate_limit,
            expires_at: new.expires_at,
            revoked_at: None,
            last_used_at: None,
            tenant_suspended_at: None,
            audit: self.audit.clone(),
        }
    }
}
