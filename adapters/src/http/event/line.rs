//! An event as one line of JSON, for whoever reads the log without HTTP.

use patron_domain::{
    event::EventRecord,
    ids::{EnvironmentId, TenantId},
    store::StoreError,
};
use serde::Serialize;

use super::response::EventResponse;

/// What `GET /events` shows, with the place of the event in the log and whose it is.
#[derive(Serialize)]
struct Line<'a> {
    position: String,
    tenant_id: TenantId,
    environment_id: EnvironmentId,
    #[serde(flatten)]
    event: EventResponse<'a>,
}

/// An event as one line of JSON, without the end of the line: what `GET /events` shows of it, with its position (a cursor),
/// its tenant and its environment.
///
/// # Errors
/// When it has no JSON form, which would be a bug.
pub fn event_line(event: &EventRecord) -> Result<String, StoreError> {
    let line = Line {
        position: event.position.to_string(),
        tenant_id: event.owner.tenant_id,
        environment_id: event.owner.environment_id,
        event: EventResponse::new(event),
    };
    serde_json::to_string(&line).map_err(|_| StoreError::Failed { reason: "an event has no JSON form".to_owned() })
}
