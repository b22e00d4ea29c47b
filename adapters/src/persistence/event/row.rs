//! Rows of the table `events`.

use patron_domain::{
    event::{CustomerEvent, EventEntity, EventEntityType, EventKind, EventPosition, EventRecord, EventState, EventType, TaxRateEvent},
    lifecycle::{Owner, Version},
    store::StoreError,
    stored::{Stored, detail},
    tenancy::{Actor, RequestId},
    time::Timestamp,
};

use crate::persistence::{
    rows::rows,
    value::{Document, Key, corrupt},
    word::Word,
};

rows! {
    /// One row of `events`. Position and the log's own time are set under the lock of its environment's log.
    EventRow: events {
        environment: i32, position: i64;
        id: Key,
        entity_kind: i16,
        entity: Key,
        sequence: i64,
        kind: i16,
        at: i64,
        logged_at: i64,
        actor: String,
        request_id: Option<String>,
        trace_id: Option<String>,
        source: Option<i16>,
        detail: Option<Document>,
        document: Option<Document>,
        salt: Option<Vec<u8>>,
        hash: Option<Vec<u8>>,
    }
}
