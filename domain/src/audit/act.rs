//! Actions on objects.

use super::{AuditAction, AuditObject};
use crate::{
    custom_field::CustomFieldDefinition,
    ids::{CustomFieldId, ImportId, TenantId},
    import::ImportAmendment,
    privacy::{DeletionRequest, DeletionState, RetentionSetting},
    tenancy::{ApiKey, Environment},
};
#[cfg(feature = "webhooks")]
use crate::{
    ids::{WebhookEndpointId, WorkflowId},
    onboarding::Workflow,
    webhook::WebhookEndpoint,
};

/// An action on an object: the part of an entry that does not depend on the actor, the origin and the time.
///
/// ```
/// use patron_domain::{audit::{Act, AuditAction}, testkit::an_api_key};
///
/// assert_eq!(Act::key_created(&an_api_key()).action, AuditAction::KeyCreated);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// The action.
    pub action: AuditAction,
    /// The object.
    pub object: AuditObject,
    /// The names of the fields that changed, never their values.
    pub changed: Vec<String>,
}

impl Act {
    fn plain(action: AuditAction, object: AuditObject) -> Self {
        Self { action, object, changed: Vec::new() }
    }

    /// An update of these fields; `None` when none of them changed.
    fn of_changes(action: AuditAction, object: AuditObject, fields: &[(&str, bool)]) -> Option<Self> {
        let changed: Vec<_> =
            fields.iter().filter(|(_, differs)| *differs).map(|(name, _)| (*name).to_owned()).collect();
        (!changed.is_empty()).then_some(Self { action, object, changed })
    }

    /// A file of customers was uploaded.
    #[must_use]
    pub fn import_uploaded(import: ImportId) -> Self {
        Self::plain(AuditAction::ImportUploaded, AuditObject::Import(import))
    }

    /// An import was started or cancelled.
    #[must_use]
    pub fn import_amended(import: ImportId, amendment: ImportAmendment) -> Self {
        let action = match amendment {
            ImportAmendment::Start => AuditAction::ImportStarted,
            ImportAmendment::Cancel => AuditAction::ImportCancelled,
        };
        Self::plain(action, AuditObject::Import(import))
    }

    /// An import has written its rows.
    #[must_use]
    pub fn import_completed(import: ImportId) -> Self {
        Self::plain(AuditAction::ImportCompleted, AuditObject::Import(import))
    }

    /// A key was created.
    #[must_use]
    pub fn key_created(key: &ApiKey) -> Self {
        Self::plain(AuditAction::KeyCreated, AuditObject::ApiKey(key.id))
    }

    /// A key was revoked; `None` when it was already revoked.
    #[must_use]
    pub fn key_revoked(before: &ApiKey) -> Option<Self> {
        let act = Self::plain(AuditAction::KeyRevoked, AuditObject::ApiKey(before.id));
        before.revoked_at.is_none().then_some(act)
    }

    /// A key was replaced by a new one.
    #[must_use]
    pub fn key_rotated(key: &ApiKey) -> Self {
        Self::plain(AuditAction::KeyRotated, AuditObject::ApiKey(key.id))
    }

    /// A custom field was defined.
    #[must_use]
    pub fn custom_field_created(definition: &CustomFieldDefinition) -> Self {
        Self::plain(AuditAction::CustomFieldCreated, AuditObject::CustomField(definition.id))
    }

    /// A custom field was changed; `None` when both states are the same.
    #[must_use]
    pub fn custom_field_changed(before: &CustomFieldDefinition, after: &CustomFieldDefinition) -> Option<Self> {
        let fields = [
            ("options", before.options != after.options),
            ("required", before.required != after.required),
            ("unique", before.unique != after.unique),
            ("personal", before.personal != after.personal),
            ("description", before.description != after.description),
        ];
        Self::of_changes(AuditAction::CustomFieldUpdated, AuditObject::CustomField(after.id), &fields)
    }

    /// A custom field was deleted.
    #[must_use]
    pub fn custom_field_deleted(id: CustomFieldId) -> Self {
        Self::plain(AuditAction::CustomFieldDeleted, AuditObject::CustomField(id))
    }

    /// The tenant was suspended, or its suspension ended.
    #[must_use]
    pub fn tenant_suspended(id: TenantId, suspended: bool) -> Self {
        let action = if suspended { AuditAction::TenantSuspended } else { AuditAction::TenantResumed };
        Self::plain(action, AuditObject::Tenant(id))
    }

    /// The deletion of a customer was requested, was cancelled, or is completed. Nothing in the entry names the customer.
    #[must_use]
    pub fn deletion(request: &DeletionRequest) -> Option<Self> {
        let action = match request.state {
            DeletionState::Suppressed => AuditAction::DeletionRequested,
            DeletionState::Cancelled => AuditAction::DeletionCancelled,
            DeletionState::Completed => AuditAction::DeletionCompleted,
            DeletionState::Redacting | DeletionState::Failed => return None,
        };
        Some(Self::plain(action, AuditObject::DeletionRequest(request.id)))
    }

    /// The retention of an environment was set, changed or deleted; `None` when nothing changed.
    #[must_use]
    pub fn retention_put(before: Option<&RetentionSetting>, after: &RetentionSetting) -> Option<Self> {
        let before = before.map(|before| before.retention).unwrap_or_default();
        let fields = [
            ("archived_days", before.archived_days != after.retention.archived_days),
            ("former_ids_days", before.former_ids_days != after.retention.former_ids_days),
        ];
        let object = AuditObject::Environment(after.owner.environment_id);
        Self::of_changes(AuditAction::RetentionUpdated, object, &fields)
    }

    /// An environment was created.
    #[must_use]
    pub fn environment_created(environment: &Environment) -> Self {
        Self::plain(AuditAction::EnvironmentCreated, AuditObject::Environment(environment.id))
    }

    /// An environment was changed; `None` when both states are the same.
    #[must_use]
    pub fn environment_changed(before: &Environment, after: &Environment) -> Option<Self> {
        let object = AuditObject::Environment(after.id);
        Self::of_changes(AuditAction::EnvironmentUpdated, object, &[("name", before.name != after.name)])
    }

    /// A webhook endpoint was created.
    #[cfg(feature = "webhooks")]
    #[must_use]
    pub fn endpoint_created(endpoint: &WebhookEndpoint) -> Self {
        Self::plain(AuditAction::EndpointCreated, AuditObject::Endpoint(endpoint.id))
    }

    /// A webhook endpoint was changed, or its secret was replaced; `None` when both states are the same.
    #[cfg(feature = "webhooks")]
    #[must_use]
    pub fn endpoint_changed(before: &WebhookEndpoint, after: &WebhookEndpoint) -> Option<Self> {
        let object = AuditObject::Endpoint(after.id);
        if before.secrets.current != after.secrets.current {
            return Some(Self::plain(AuditAction::EndpointSecretRotated, object));
        }
        let fields = [
            ("url", before.url != after.url),
            ("event_types", before.event_types != after.event_types),
            ("description", before.description != after.description),
            ("enabled", before.disabled.is_some() != after.disabled.is_some()),
        ];
        Self::of_changes(AuditAction::EndpointUpdated, object, &fields)
    }

    /// A webhook endpoint was deleted.
    #[cfg(feature = "webhooks")]
    #[must_use]
    pub fn endpoint_deleted(id: WebhookEndpointId) -> Self {
        Self::plain(AuditAction::EndpointDeleted, AuditObject::Endpoint(id))
    }

    /// A workflow was created, or replaced the one in `before`; `None` when both are the same.
    #[cfg(feature = "webhooks")]
    #[must_use]
    pub fn workflow_put(before: Option<&Workflow>, after: &Workflow) -> Option<Self> {
        let object = AuditObject::Workflow(after.id);
        let Some(before) = before else { return Some(Self::plain(AuditAction::WorkflowCreated, object)) };
        let fields = [("steps", before.steps != after.steps), ("secret", before.secret != after.secret)];
        Self::of_changes(AuditAction::WorkflowUpdated, object, &fields)
    }

    /// A workflow was deleted; the id is that of its last version.
    #[cfg(feature = "webhooks")]
    #[must_use]
    pub fn workflow_deleted(id: WorkflowId) -> Self {
        Self::plain(AuditAction::WorkflowDeleted, AuditObject::Workflow(id))
    }
}

#[cfg(all(test, feature = "webhooks"))]
mod tests {
    use super::{Act, AuditAction};
    use crate::{
        onboarding::Steps,
        patch::Patch,
        tenancy::{ApiKey, Environment, EnvironmentName},
        testkit::{a_call, a_scope, a_time, a_webhook_endpoint, a_workflow, an_api_key, an_environment},
        webhook::{ChangeEndpoint, EndpointAmendment, EndpointDescription, EndpointUpdate, SealedSecret},
    };

    #[test]
    fn an_action_without_a_change_is_not_recorded() {
        let (key, environment, endpoint, workflow) =
            (an_api_key(), an_environment(), a_webhook_endpoint(), a_workflow());
        assert_eq!(Act::key_revoked(&ApiKey { revoked_at: Some(a_time()), ..key.clone() }), None);
        assert!(Act::key_revoked(&key).is_some());
        assert_eq!(Act::environment_changed(&environment, &environment), None);
        assert_eq!(Act::endpoint_changed(&endpoint, &endpoint), None);
        assert_eq!(Act::workflow_put(Some(&workflow), &workflow), None);
    }

    #[test]
    fn updates_name_their_fields_and_a_new_secret_is_a_rotation() {
        let environment = an_environment();
        let renamed = Environment { name: EnvironmentName::new("Other").unwrap(), ..environment.clone() };
        assert_eq!(Act::environment_changed(&environment, &renamed).unwrap().changed, ["name"]);

        let endpoint = a_webhook_endpoint();
        let change = |amendment| {
            let change = ChangeEndpoint { id: endpoint.id, amendment, at: a_time(), only_if: Default::default() };
            Act::endpoint_changed(&endpoint, &change.decide(&a_scope(), &endpoint).unwrap()).unwrap()
        };
        let description = Patch::Set(EndpointDescription::new("for the warehouse").unwrap());
        let update = EndpointUpdate { enabled: Some(false), description, ..EndpointUpdate::default() };
        let updated = change(EndpointAmendment::Update(Box::new(update)));
        assert_eq!(updated.changed, ["description", "enabled"]);
        let secret = SealedSecret::from_sealed("sealed");
        let rotated = change(EndpointAmendment::Rotate { secret, overlap_until: a_time() });
        assert_eq!((rotated.action, rotated.changed.len()), (AuditAction::EndpointSecretRotated, 0));

        let mut workflow = a_workflow();
        assert_eq!(Act::workflow_put(None, &workflow).unwrap().action, AuditAction::WorkflowCreated);
        let before = workflow.clone();
        workflow.steps = Steps::new(vec![a_call("https://other.example")], "").unwrap();
        assert_eq!(Act::workflow_put(Some(&before), &workflow).unwrap().changed, ["steps"]);
    }
}
