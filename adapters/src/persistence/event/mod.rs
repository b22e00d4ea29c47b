//! Events: rows, statements, and the port of the log.

mod chain;
pub(crate) mod log_row;
pub(crate) mod past;
mod port;
pub(crate) mod redacted;
pub(crate) mod row;
pub(crate) mod statements;
pub(crate) mod superseded;

use patron_domain::event::EventEntity;

use super::value::Key;

/// The column `entity`.
pub(crate) fn entity_key(entity: EventEntity) -> Key {
    match entity {
        EventEntity::Customer(id) => id.into(),
        EventEntity::TaxRate(id) => id.into(),
        EventEntity::Import(id) => id.into(),
    }
}
