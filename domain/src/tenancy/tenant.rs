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
    /// The name of a tenant for people: 1–255 characters, not blank, no control characters, nothing that
    /// turns the direction of text.
    public TenantName, TenantNameError, "name", max 255, not_blank true, no_bidi true
}

text_newtype! {
    /// The name of an environment for people: 1–255 characters, not blank, no control characters, nothing that
    /// turns the direction of text.
    public EnvironmentName, EnvironmentNameError, "name", max 255, not_blank true, no_bidi true
}

/// A company that keeps its customers here. Nothing is shared between tenants.
///
/// ```
/// use patron_domain::{tenancy::Tenant, testkit::a_tenant};
///
/// let tenant: Tenant = a_tenant();
/// assert_eq!(tenant.name.as_str(), "Acme Billing");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its name.
    pub name: TenantName,
    /// Who created it when.
    pub audit: Audit,
}

/// What an environment is for. Fixed once it is created.
///
/// ```
/// use patron_domain::tenancy::EnvironmentType;
///
/// assert_eq!(EnvironmentType::parse("production"), Ok(EnvironmentType::Production));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnvironmentType {
    /// Trying out.
    Development,
    /// Real customers.
    Production,
}

words!(EnvironmentType, "development, production", Development => "development", Production => "production");

/// A part of a tenant with customers, tax rates and keys of its own.
///
/// ```
/// use patron_domain::{tenancy::Environment, testkit::{a_tenant, an_environment}};
///
/// let environment: Environment = an_environment();
/// assert_eq!(environment.tenant_id, a_tenant().id);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Its id.
    pub id: EnvironmentId,
    /// Its tenant.
    pub tenant_id: TenantId,
    /// Its name.
    pub name: EnvironmentName,
    /// What it is for.
    pub kind: EnvironmentType,
    /// Who created it when.
    pub audit: Audit,
}

impl Environment {
    /// Gives it another name; without one nothing changes.
    pub fn rename(&mut self, name: Option<EnvironmentName>, at: Timestamp, by: &Actor) {
        if let Some(name) = name {
            self.name = name;
            self.audit.touch(at, by);
        }
    }
}
