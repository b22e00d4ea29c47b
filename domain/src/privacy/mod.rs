//! Erasing a person: requests, suppression, redaction, verification, and the proof.
//!
//! A request suppresses its customer at once: it looks as if it did not exist. After the cool-down its personal data is
//! redacted everywhere, and counted. Until then the request can be cancelled, and every answer is as it was before.
//! Events keep their envelopes, so the histories of others and the log stay whole.
//!
//! Serves Articles 17 and 19 of the GDPR (erasure, notification of recipients) and, through [`crate::customer::LegalHold`],
//! Article 17(3).

mod category;
mod decision;
mod error;
mod port;
mod progress;
mod receipt;
mod request;
mod service;
mod subject;

pub use category::{Category, CategoryCount};
pub use decision::{CancelFacts, Cancellation, DeletionDecision, DeletionFacts, Suppression};
pub use error::{Blocking, KeysUnavailable, PrivacyError};
#[cfg(any(test, feature = "mock"))]
pub use port::MockPrivacyRepository;
pub use port::{CancelDeletion, DeletionQuery, ErasureClaim, PrivacyRepository, RedactionStep, Requested};
pub use receipt::{Receipt, ReceiptFault, SignedReceipt, StorageKind};
pub use request::{
    Cooldown, CooldownError, DeletionReason, DeletionReasonError, DeletionRequest, DeletionState, NamedSubject,
    NewDeletionRequest, RequestChannel,
};
pub use service::PrivacyService;
#[cfg(feature = "webhooks")]
pub use subject::SubjectKey;
pub use subject::SubjectTag;
