//! An event as one line of JSON, for reading the log without HTTP.

use patron_domain::{event::EventRecord, store::StoreError};
use serde::Serialize;

use super::response::EventResponse;

/// An event as in `GET /events`, with the cursor behind it.
#[derive(Serialize)]
struct Line<'a> {
    cursor: String,
    #[serde(flatten)]
    event: EventResponse<'a>,
}

/// An event as one line of JSON, without the line break: as in `GET /events`, with the cursor behind it.
///
/// # Errors
/// If it cannot be serialised, which would be a bug.
pub fn event_line(event: &EventRecord) -> Result<String, StoreError> {
    let line = Line { cursor: event.cursor().to_string(), event: EventResponse::new(event) };
    serde_json::to_string(&line).map_err(|_| StoreError::Failed { reason: "an event cannot be serialised".to_owned() })
}
