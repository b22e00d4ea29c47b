//! The actions that the audit log records.

use crate::words::words;

/// An action.
///
/// ```
/// use patron_domain::audit::AuditAction;
///
/// assert_eq!(AuditAction::parse("api_key.revoked"), Ok(AuditAction::KeyRevoked));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum AuditAction {
    /// An API key was created.
    KeyCreated,
    /// A key was replaced by a new one.
    KeyRotated,
    /// A key was revoked.
    KeyRevoked,
    /// A revoked or expired key was presented. Counted per hour.
    KeyRefused,
    /// A dry run was made with a key. Counted per hour.
    KeyDryRun,
    /// An environment was created.
    EnvironmentCreated,
    /// An environment was renamed.
    EnvironmentUpdated,
    /// A webhook endpoint was created.
    EndpointCreated,
    /// A webhook endpoint was changed.
    EndpointUpdated,
    /// A webhook endpoint's secret was replaced.
    EndpointSecretRotated,
    /// A webhook endpoint was deleted.
    EndpointDeleted,
    /// An onboarding workflow was created.
    WorkflowCreated,
    /// An onboarding workflow was changed.
    WorkflowUpdated,
    /// An onboarding workflow was deleted.
    WorkflowDeleted,
    /// A custom field was defined.
    CustomFieldCreated,
    /// A custom field was changed.
    CustomFieldUpdated,
    /// A custom field was deleted.
    CustomFieldDeleted,
    /// The tenant was suspended.
    TenantSuspended,
    /// The tenant's suspension ended.
    TenantResumed,
    /// A file of customers was uploaded.
    ImportUploaded,
    /// An import was started after its check.
    ImportStarted,
    /// An import was cancelled.
    ImportCancelled,
    /// An import has written its rows.
    ImportCompleted,
    /// The deletion of a customer was requested.
    DeletionRequested,
    /// A request for deletion was cancelled.
    DeletionCancelled,
    /// A customer was erased.
    DeletionCompleted,
    /// The retention of an environment was set, changed or deleted.
    RetentionUpdated,
}

words!(
    AuditAction,
    "api_key.created, api_key.rotated, api_key.revoked, api_key.refused, api_key.dry_run, environment.created, environment.updated, \
     webhook_endpoint.created, webhook_endpoint.updated, webhook_endpoint.secret_rotated, webhook_endpoint.deleted, \
     onboarding_workflow.created, onboarding_workflow.updated, onboarding_workflow.deleted, custom_field.created, \
     custom_field.updated, custom_field.deleted, tenant.suspended, tenant.resumed, import.uploaded, import.started, \
     import.cancelled, import.completed, deletion_request.created, deletion_request.cancelled, \
     deletion_request.completed, customer_retention.updated",
    KeyCreated => "api_key.created",
    KeyRotated => "api_key.rotated",
    KeyRevoked => "api_key.revoked",
    KeyRefused => "api_key.refused",
    KeyDryRun => "api_key.dry_run",
    EnvironmentCreated => "environment.created",
    EnvironmentUpdated => "environment.updated",
    EndpointCreated => "webhook_endpoint.created",
    EndpointUpdated => "webhook_endpoint.updated",
    EndpointSecretRotated => "webhook_endpoint.secret_rotated",
    EndpointDeleted => "webhook_endpoint.deleted",
    WorkflowCreated => "onboarding_workflow.created",
    WorkflowUpdated => "onboarding_workflow.updated",
    WorkflowDeleted => "onboarding_workflow.deleted",
    CustomFieldCreated => "custom_field.created",
    CustomFieldUpdated => "custom_field.updated",
    CustomFieldDeleted => "custom_field.deleted",
    TenantSuspended => "tenant.suspended",
    TenantResumed => "tenant.resumed",
    ImportUploaded => "import.uploaded",
    ImportStarted => "import.started",
    ImportCancelled => "import.cancelled",
    ImportCompleted => "import.completed",
    DeletionRequested => "deletion_request.created",
    DeletionCancelled => "deletion_request.cancelled",
    DeletionCompleted => "deletion_request.completed",
    RetentionUpdated => "customer_retention.updated",
);
