//! The body of a delivery: Flexprice's shape, with our fields added. docs/webhooks.md says which field of `GET /events`
//! each is.

use patron_domain::{
    event::{EventEntityType, EventRecord, EventState},
    ids::{EnvironmentId, EventId, TenantId},
    lifecycle::Owner,
    tenancy::Actor,
    time::Timestamp,
    webhook::{TEST_EVENT, WebhookBody},
};
use serde::Serialize;

use crate::{
    blocking::blocking,
    http::{
        customer::response::{CustomerResponse, weight},
        event::response::Detail,
        import::ImportSummaryResponse,
        tax::response::{TaxAssociationResponse, TaxRateResponse},
    },
};

/// Writes bodies as JSON: `{"event_type": "customer.created", "customer": {…}, …}`, with the customer in the form of
/// the API.
#[derive(Debug, Clone, Copy, Default)]
pub struct JsonBody;

#[derive(Serialize)]
struct Body<'a> {
    event_type: &'static str,
    // The resource after the change. All are absent if it was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<CustomerResponse<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tax_associations: Option<Vec<TaxAssociationResponse<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tax_rate: Option<TaxRateResponse<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    import: Option<ImportSummaryResponse<'a>>,
    event_id: EventId,
    entity_type: EventEntityType,
    entity_id: String,
    sequence: u64,
    at: Timestamp,
    tenant_id: TenantId,
    environment_id: EnvironmentId,
    actor: &'a Actor,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    changed: Vec<&'static str>,
    detail: Detail<'a>,
}

#[derive(Serialize)]
struct Test {
    event_type: &'static str,
    event_id: EventId,
    at: Timestamp,
    tenant_id: TenantId,
    environment_id: EnvironmentId,
    message: &'static str,
}

/// Enough capacity for most bodies, so that they are not copied while they are written.
const ROOM: usize = 2_048;

impl WebhookBody for JsonBody {
    fn event(&self, event: &EventRecord) -> Vec<u8> {
        let (mut customer, mut tax_associations, mut tax_rate, mut import) = (None, None, None, None);
        let mut bytes = 0;
        match &event.state {
            None => {}
            Some(EventState::Customer(state)) => {
                bytes = weight(&state.mappings);
                customer = Some(CustomerResponse::new(&state.customer, &state.mappings));
                tax_associations = Some(state.associations.iter().map(TaxAssociationResponse::new).collect());
            }
            Some(EventState::TaxRate(rate)) => tax_rate = Some(TaxRateResponse::at(rate, event.at)),
            Some(EventState::Import(summary)) => import = Some(ImportSummaryResponse::new(summary)),
        }
        let body = Body {
            event_type: event.kind.event_type().as_str(),
            customer,
            tax_associations,
            tax_rate,
            import,
            event_id: event.id,
            entity_type: event.entity.kind(),
            entity_id: event.entity.id(),
            sequence: event.sequence.get(),
            at: event.at,
            tenant_id: event.owner.tenant_id,
            environment_id: event.owner.environment_id,
            actor: &event.actor,
            request_id: event.request_id.as_ref().map(|id| id.as_str()),
            changed: event.kind.changed(),
            detail: Detail::of(&event.kind),
        };
        blocking(bytes, || json(&body))
    }

    fn test(&self, id: EventId, owner: Owner, at: Timestamp) -> Vec<u8> {
        let message = "a test event, sent on request";
        let Owner { tenant_id, environment_id } = owner;
        json(&Test { event_type: TEST_EVENT, event_id: id, at, tenant_id, environment_id, message })
    }
}

fn json(body: &impl Serialize) -> Vec<u8> {
    let mut json = Vec::with_capacity(ROOM);
    // Serialising these types cannot fail.
    serde_json::to_writer(&mut json, body).map(|()| json).unwrap_or_default()
}
