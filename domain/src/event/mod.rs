//! Events: the changes of customers and tax rates and the ends of imports, written together with each change, and the log of
//! all events.

#[cfg(feature = "chain")]
pub mod chain;
mod cursor;
mod customer;
mod event_type;
mod import;
#[cfg(any(test, feature = "mock"))]
mod mock;
mod page;
mod past;
mod port;
mod position;
mod query;
mod record;
mod service;
mod tax_rate;

pub use cursor::{EventCursor, EventCursorError, EventMark, LogTakenBack};
pub use customer::{CustomerEvent, CustomerEventKind, CustomerField, CustomerMark};
pub use event_type::EventType;
pub use import::{ImportEvent, ImportEventKind, ImportSummary};
pub use page::{EventPage, HandOver, Reached};
pub use past::{Moment, Past, PastError, PastService};
pub use port::{EventLog, EventLogError, EventReaders, EventSink};
#[cfg(any(test, feature = "mock"))]
pub use port::{MockEventLog, MockEventReaders};
pub use position::EventPosition;
pub use query::{EventLimit, EventLimitError, EventQuery};
pub use record::{EventEntities, EventEntity, EventEntityType, EventKind, EventRecord, EventState};
pub use service::{EventService, FollowError};
pub use tax_rate::{TaxRateEvent, TaxRateEventKind, TaxRateField};
