//! Events of every kind from their rows.

use diesel::prelude::Queryable;
use patron_domain::{
    event::{CustomerEvent, EventEntity, EventEntityType, EventKind, EventPosition, EventRecord, EventState},
    ids::{CustomerId, EventId, TaxRateId},
    lifecycle::Owner,
    page::Page,
    store::StoreError,
    tenancy::{Actor, RequestId},
    time::Timestamp,
};

use super::{detail::kind, frozen::FrozenState};
use crate::persistence::{column::RowName, tax::rate_row::TaxRateRow};

/// An event as it is read: its envelope without its owner, whom whoever reads knows, and its payload unless that was
/// erased.
#[derive(Queryable)]
pub(crate) struct StoredRecord {
    id: String,
    event_type: String,
    entity_type: String,
    entity_id: String,
    sequence: i64,
    at: i64,
    actor: String,
    request_id: Option<String>,
    detail: Option<String>,
    position: i64,
    payload: Option<String>,
}

impl StoredRecord {
    /// The event, of this owner.
    pub(crate) fn of(self, owner: Owner) -> Result<EventRecord, StoreError> {
        let row = self;
        let named = RowName { table: "events", id: &row.id };
        let kind = named.column("detail", kind(&row.event_type, row.detail.as_deref()).ok_or(()))?;
        let entity = match named.column("entity_type", EventEntityType::parse(&row.entity_type))? {
            EventEntityType::Customer => {
                EventEntity::Customer(named.column("entity_id", CustomerId::parse(&row.entity_id))?)
            }
            EventEntityType::TaxRate => {
                EventEntity::TaxRate(named.column("entity_id", TaxRateId::parse(&row.entity_id))?)
            }
        };
        Ok(EventRecord {
            position: named.column("position", EventPosition::from_stored(row.position).ok_or(()))?,
            id: named.column("id", EventId::parse(&row.id))?,
            owner,
            entity,
            state: row.payload.map(|payload| state(owner, &kind, &row.id, &payload)).transpose()?,
            kind,
            sequence: named.version("sequence", row.sequence)?,
            at: named.column("at", Timestamp::from_micros(row.at))?,
            actor: named.column("actor", Actor::new(row.actor))?,
            request_id: named.nullable("request_id", row.request_id, RequestId::new)?,
        })
    }
}

/// A page of a customer's history: the events whose states were not erased.
pub(crate) fn of_customer(page: Page<EventRecord>) -> Page<CustomerEvent> {
    let items = page.items.into_iter().filter_map(EventRecord::into_customer_event).collect();
    Page { items, total: page.total }
}

fn state(owner: Owner, kind: &EventKind, id: &str, payload: &str) -> Result<EventState, StoreError> {
    let frozen = RowName { table: "event_payloads", id };
    match kind {
        EventKind::Customer(_) => {
            let state: FrozenState<'_> = frozen.column("payload", serde_json::from_str(payload))?;
            Ok(EventState::Customer(Box::new(state.of(owner)?)))
        }
        EventKind::TaxRate(_) => {
            let rate: TaxRateRow = frozen.column("payload", serde_json::from_str(payload))?;
            Ok(EventState::TaxRate(Box::new(rate.try_into()?)))
        }
        _ => Err(StoreError::Corrupt { table: "events", column: "type", row: id.to_owned() }),
    }
}
