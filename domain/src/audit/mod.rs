//! The audit log: who changed what is not a customer's, from where, and when. Keys, environments, webhook endpoints and
//! workflows have no events; what is done to them stands here.
//!
//! Each environment has a log of its own. An entry is written in the transaction of what it reports, so there is none
//! without the other. Nobody changes or removes one; after a while addresses alone are taken out.

mod act;
mod entry;
#[cfg(any(test, feature = "mock"))]
mod mock;
mod port;
mod service;

pub use self::{
    act::{Act, AuditAction, AuditObject, AuditObjectType},
    entry::{AuditEntry, AuditNumber, AuditNumberError},
    port::{AuditLog, AuditQuery, MAX_REFUSED_USES, RefusedUses},
    service::{AuditError, AuditPage, AuditService},
};
#[cfg(any(test, feature = "mock"))]
pub use port::MockAuditLog;
