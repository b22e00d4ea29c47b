//! Tenants and their environments.

use super::Actor;
use crate::{
    ids::{EnvironmentId, TenantId},
    lifecycle::Audit,
    text::text_newtype,
    time::Timestamp,
    words::words,
};

text_newtype! {
    /// The name of a tenant for people: 1–255 characters, not blank, no control characters, no bidirectional formatting
    /// characters.
    public TenantName, TenantNameError, "name", max 255, not_blank true, no_bidi true
}

text_newtype! {
    /// The name of an environment for people: 1–255 characters, not blank, no control characters, no bidirectional
    /// formatting characters.
    public EnvironmentName, EnvironmentNameError, "name", max 255, not_blank true, no_bidi true
}

/// A company with its own environments. Tenants share no data.
///
/// ```
/// use patron_domain::{tenancy::Tenant, testkit::a_tenant};
///
/// let tenant: Tenant = a_tenant();
/// assert_eq!(tenant.name.as_str(), "Acme Billing");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// The id.
    pub id: TenantId,
    /// The name.
    pub name: TenantName,
    /// The time since which it is suspended. A suspended tenant keeps its data, but its keys are rejected and its
    /// webhooks and onboarding pause.
    pub suspended_at: Option<Timestamp>,
    /// Who created it, and when.
    pub audit: Audit,
}

impl Tenant {
    /// Suspends the tenant or ends its suspension, and returns whether this changed anything.
    pub fn suspend(&mut self, suspended: bool, at: Timestamp, by: &Actor) -> bool {
        let changes = suspended != self.suspended_at.is_some();
        if changes {
            self.suspended_at = suspended.then_some(at);
            self.audit.touch(at, by);
        }
        changes
    }
}

/// The purpose of an environment. It cannot change.
///
/// ```
/// use patron_domain::tenancy::EnvironmentType;
///
/// assert_eq!(EnvironmentType::parse("production"), Ok(EnvironmentType::Production));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnvironmentType {
    /// For trials.
    Development,
    /// For real customers.
    Production,
}

words!(EnvironmentType, "development, production", Development => "development", Production => "production");

/// A part of a tenant with its own customers, tax rates and keys.
///
/// ```
/// use patron_domain::{tenancy::Environment, testkit::{a_tenant, an_environment}};
///
/// let environment: Environment = an_environment();
/// assert_eq!(environment.tenant_id, a_tenant().id);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// The id.
    pub id: EnvironmentId,
    /// The tenant.
    pub tenant_id: TenantId,
    /// The name.
    pub name: EnvironmentName,
    /// The type.
    pub kind: EnvironmentType,
    /// Who created and last changed it, and when.
    pub audit: Audit,
}

impl Environment {
    /// Renames the environment; without a name nothing changes.
    pub fn rename(&mut self, name: Option<EnvironmentName>, at: Timestamp, by: &Actor) {
        if let Some(name) = name
            && name != self.name
        {
            self.name = name;
            self.audit.advance(at, by);
        }
    }
}
