//! What a write changes, as responses show it.

use patron_domain::{
    diff::changes,
    event::{EventKind, EventType},
    report::{ObjectChange, ObjectState, Written},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::http::{
    custom_field,
    customer::ChangeResponse,
    event::customer_value,
    onboarding,
    openapi::{ChangedField, all, exactly},
    privacy,
    tax::response::{TaxAssociationResponse, TaxRateResponse},
    tenancy, webhook,
};

/// An event that a write would add to the log.
#[derive(Serialize, ToSchema)]
#[schema(as = WouldBeEvent)]
pub(super) struct EventSummary {
    #[schema(schema_with = exactly::<EventType>)]
    r#type: EventType,
    /// The fields that an update changes.
    #[schema(schema_with = all::<ChangedField>)]
    changed: Vec<&'static str>,
}

impl EventSummary {
    pub(super) fn new(kind: &EventKind) -> Self {
        Self { r#type: kind.event_type(), changed: kind.changed() }
    }
}

/// The differences that a write makes. If it changes several objects, each path begins with the object.
pub(super) fn differences(written: &Written) -> Vec<ChangeResponse> {
    let several = written.objects.len() > 1;
    let of_object = |ObjectChange { before, after }: &ObjectChange| {
        let shown = |state: &Option<ObjectState>| state.as_ref().map(value).unwrap_or_default();
        let (old, new) = (shown(before), shown(after));
        let name = before.as_ref().or(after.as_ref()).filter(|_| several).map(|state| {
            let id = old.get("id").or(new.get("id")).and_then(Value::as_str).unwrap_or_default();
            format!("{}[{id}].", kind(state))
        });
        let name = name.unwrap_or_default();
        changes(&old, &new).into_iter().map(move |mut change| {
            change.path.insert_str(0, &name);
            ChangeResponse::from(change)
        })
    };
    written.objects.iter().flat_map(of_object).collect()
}

/// An object in the form of its own responses.
fn value(state: &ObjectState) -> Value {
    let shown = match state {
        ObjectState::Customer(customer) => return customer_value(customer),
        ObjectState::TaxRate(rate) => serde_json::to_value(TaxRateResponse::new(rate)),
        ObjectState::TaxDefault(default) => serde_json::to_value(TaxAssociationResponse::new(default)),
        ObjectState::Environment(environment) => tenancy::environment_value(environment),
        ObjectState::ApiKey(key) => tenancy::key_value(key),
        ObjectState::CustomField(definition) => custom_field::definition_value(definition),
        ObjectState::Retention(setting) => privacy::retention_value(setting),
        ObjectState::Endpoint(endpoint) => webhook::endpoint_value(endpoint),
        ObjectState::Workflow(workflow) => onboarding::workflow_value(workflow),
        ObjectState::Run(run) => onboarding::run_value(run),
        // A kind of object that this adapter does not know, because the domain is newer.
        _ => return Value::Null,
    };
    // Serialising a response cannot fail. Without it there would be nothing to compare.
    shown.unwrap_or_default()
}

fn kind(state: &ObjectState) -> &'static str {
    match state {
        ObjectState::Customer(_) => "customers",
        ObjectState::TaxRate(_) => "tax_rates",
        ObjectState::TaxDefault(_) => "tax_associations",
        ObjectState::Environment(_) => "environments",
        ObjectState::ApiKey(_) => "api_keys",
        ObjectState::CustomField(_) => "custom_fields",
        ObjectState::Retention(_) => "customer_retention",
        ObjectState::Endpoint(_) => "webhook_endpoints",
        ObjectState::Workflow(_) => "onboarding_workflows",
        ObjectState::Run(_) => "onboarding_runs",
        _ => "objects",
    }
}
