//! The objects that actions affect.

use crate::{
    ids::{
        ApiKeyId, CustomFieldId, DeletionRequestId, EnvironmentId, ImportId, TenantId, WebhookEndpointId, WorkflowId,
    },
    words::words,
};

/// The type of an action's object.
///
/// ```
/// use patron_domain::audit::AuditObjectType;
///
/// assert_eq!(AuditObjectType::ApiKey.as_str(), "api_key");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum AuditObjectType {
    /// A key.
    ApiKey,
    /// An environment.
    Environment,
    /// A webhook endpoint.
    Endpoint,
    /// A version of an onboarding workflow.
    Workflow,
    /// The definition of a custom field.
    CustomField,
    /// The tenant.
    Tenant,
    /// An import.
    Import,
    /// A request for deletion.
    DeletionRequest,
}

words!(
    AuditObjectType,
    "api_key, environment, webhook_endpoint, onboarding_workflow, custom_field, tenant, import, deletion_request",
    ApiKey => "api_key",
    Environment => "environment",
    Endpoint => "webhook_endpoint",
    Workflow => "onboarding_workflow",
    CustomField => "custom_field",
    Tenant => "tenant",
    Import => "import",
    DeletionRequest => "deletion_request",
);

/// The object of an action.
///
/// ```
/// use patron_domain::{audit::{AuditObject, AuditObjectType}, testkit::an_id};
///
/// let object = AuditObject::ApiKey(an_id(1));
/// assert_eq!((object.kind(), object.id().starts_with("secret_")), (AuditObjectType::ApiKey, true));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuditObject {
    /// A key.
    ApiKey(ApiKeyId),
    /// An environment.
    Environment(EnvironmentId),
    /// A webhook endpoint.
    Endpoint(WebhookEndpointId),
    /// A version of an onboarding workflow.
    Workflow(WorkflowId),
    /// The definition of a custom field.
    CustomField(CustomFieldId),
    /// The tenant.
    Tenant(TenantId),
    /// An import.
    Import(ImportId),
    /// A request for deletion.
    DeletionRequest(DeletionRequestId),
}

impl AuditObject {
    /// The object's type.
    #[must_use]
    pub fn kind(&self) -> AuditObjectType {
        match self {
            Self::ApiKey(_) => AuditObjectType::ApiKey,
            Self::Environment(_) => AuditObjectType::Environment,
            Self::Endpoint(_) => AuditObjectType::Endpoint,
            Self::Workflow(_) => AuditObjectType::Workflow,
            Self::CustomField(_) => AuditObjectType::CustomField,
            Self::Tenant(_) => AuditObjectType::Tenant,
            Self::Import(_) => AuditObjectType::Import,
            Self::DeletionRequest(_) => AuditObjectType::DeletionRequest,
        }
    }

    /// The object's id as text.
    #[must_use]
    pub fn id(&self) -> String {
        match self {
            Self::ApiKey(id) => id.to_string(),
            Self::Environment(id) => id.to_string(),
            Self::Endpoint(id) => id.to_string(),
            Self::Workflow(id) => id.to_string(),
            Self::CustomField(id) => id.to_string(),
            Self::Tenant(id) => id.to_string(),
            Self::Import(id) => id.to_string(),
            Self::DeletionRequest(id) => id.to_string(),
        }
    }
}
