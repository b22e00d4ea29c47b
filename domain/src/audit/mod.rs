//! The audit log: changes of keys, environments, webhook endpoints and workflows, with actor, origin and time. These
//! objects have no events.
//!
//! Each environment has its own log. An entry is written in the same transaction as its change, so neither exists
//! without the other. Entries are never changed or removed, except that their addresses are removed after some time.

mod act;
mod entry;
#[cfg(any(test, feature = "mock"))]
mod mock;
mod port;
mod service;

pub use self::{
    act::{Act, AuditAction, AuditObject, AuditObjectType},
    entry::{AuditEntry, AuditNumber, AuditNumberError},
    port::{AuditLog, AuditQuery, CountedUse, CountedUses, MAX_COUNTED_USES},
    service::{AuditError, AuditPage, AuditService},
};
#[cfg(any(test, feature = "mock"))]
pub use port::MockAuditLog;
