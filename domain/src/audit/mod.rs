//! The audit log: changes of keys, environments, webhook endpoints, workflows, custom fields, imports, requests for deletion and
//! suspensions, with actor, origin and time.
//!
//! Each environment has its own log. An entry is written in the same transaction as its change, so neither exists
//! without the other. Entries are never removed. They change only in two ways: counts grow, and addresses are removed after some
//! time.

mod act;
mod action;
mod entry;
#[cfg(any(test, feature = "mock"))]
mod mock;
mod object;
mod port;
mod service;

pub use self::{
    act::Act,
    action::AuditAction,
    entry::{AuditEntry, AuditNumber, AuditNumberError},
    object::{AuditObject, AuditObjectType},
    port::{AuditLog, AuditQuery, CountedUse, CountedUses, MAX_COUNTED_USES},
    service::{AuditError, AuditPage, AuditService},
};
#[cfg(any(test, feature = "mock"))]
pub use port::MockAuditLog;
