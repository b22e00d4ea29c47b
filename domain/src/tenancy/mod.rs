//! Tenants, their environments, and the API keys, roles and scopes that keep them apart.

mod actor;
mod api_key;
mod port;
mod role;
mod scope;
mod service;
mod tenant;

pub use actor::{Actor, ActorError, RequestId, RequestIdError};
pub use api_key::{ApiKey, ApiKeyName, ApiKeyNameError, ApiKeySecret, ApiKeySecretError, Bootstrap, NewApiKey};
pub use port::{ApiKeyRepository, CreateEnvironmentError, REVOCATION_DELAY_SECONDS, TenancyRepository};
#[cfg(any(test, feature = "mock"))]
pub use port::{MockApiKeyRepository, MockTenancyRepository};
pub use role::{NoRole, Permission, PermissionDenied, Role, Roles};
pub use scope::{Caller, EnvironmentScope, SystemScope, TenantScope};
pub use service::{AccessService, ApiKeyError, AuthenticateError, TenancyService};
pub use tenant::{
    Environment, EnvironmentName, EnvironmentNameError, EnvironmentType, Tenant, TenantName, TenantNameError,
};
