//! Tenants, their environments, and the API keys, roles and scopes that separate them.

mod access;
mod actor;
mod administration;
mod api_key;
mod api_key_secret;
mod gcra;
mod limits;
mod maker;
#[cfg(any(test, feature = "mock"))]
mod mock;
mod origin;
mod owners;
mod port;
mod quotas;
mod role;
mod scope;
mod service;
mod tenant;

pub use access::{AccessService, AuthenticateError};
pub use actor::{Actor, ActorError, RequestId, RequestIdError};
pub use administration::{AdministrationService, EnvironmentChange, EnvironmentError, KeyError};
pub use api_key::{
    ApiKey, ApiKeyName, ApiKeyNameError, ApiKeyType, Bootstrap, ExpiryError, KeyRotation, KeyUse, NewApiKey,
    NotRotated, check_expiry,
};
pub use api_key_secret::{ApiKeySecret, ApiKeySecretError, ChosenKeyError};
pub use gcra::{Gcra, Passed};
pub use limits::{
    AllowedNetworks, KeyOverlapError, MAX_KEY_OVERLAP_SECONDS, PerSecond, PerSecondError, RateLimit, TooManyNetworks,
    check_key_overlap, end_of_key,
};
pub use origin::Origin;
#[cfg(any(test, feature = "mock"))]
pub use owners::MockOwners;
pub use owners::{Owners, TenancyOwners};
pub use port::{
    ApiKeyRepository, CreateEnvironmentError, KeyUses, MAX_USES, NoKeyUses, NotedUse, REVOCATION_DELAY_SECONDS,
    RotateKeyError, TenancyRepository,
};
#[cfg(any(test, feature = "mock"))]
pub use port::{MockApiKeyRepository, MockKeyUses, MockTenancyRepository};
pub use quotas::{Quota, QuotaReached, Quotas, Quoted};
pub use role::{NoRole, Permission, PermissionDenied, Role, Roles};
pub use scope::{Caller, EnvironmentScope, SystemScope, TenantScope};
pub use service::{ApiKeyError, TenancyService, TenantError};
pub use tenant::{
    Environment, EnvironmentName, EnvironmentNameError, EnvironmentType, Tenant, TenantName, TenantNameError,
};
