//! Activity: the events and the audit log of an environment together, newest first.

mod cursor;
mod item;
mod page;
mod query;
mod service;

pub use cursor::{ActivityCursor, ActivityCursorError};
pub use item::Activity;
pub use page::ActivityPage;
pub use query::ActivityQuery;
pub use service::ActivityService;
