//! Erasing a person: requests, suppression, redaction, verification, and the proof.
//!
//! A request suppresses its customer at once: it looks as if it did not exist. After the cool-down its personal data is
//! redacted everywhere, and counted. Until then the request can be cancelled, and every response is as it was before.
//! Events keep their envelopes, so the histories of others and the log stay whole.
//!
//! Serves Articles 15 (access), 17 (erasure), 19 (notification of recipients) and 20 (portability) of the GDPR and,
//! through [`crate::customer::LegalHold`], Article 17(3). The port and the service need the feature `webhooks`.

#[cfg(feature = "webhooks")]
mod bundle;
mod category;
mod decision;
mod error;
#[cfg(feature = "webhooks")]
mod keys;
#[cfg(feature = "webhooks")]
mod port;
mod progress;
mod receipt;
mod request;
mod retention;
#[cfg(feature = "webhooks")]
mod retention_port;
#[cfg(feature = "webhooks")]
mod service;
mod subject;

#[cfg(feature = "webhooks")]
pub use bundle::{Bundle, Due, DueReason, PersonalRecord};
pub use category::{Category, CategoryCount};
pub use decision::{CancelFacts, Cancellation, DeletionDecision, DeletionFacts, Suppression};
pub use error::{Blocking, KeysUnavailable, PrivacyError};
#[cfg(feature = "webhooks")]
pub use keys::{InstallationKey, InstallationKeys, KeyPurpose};
#[cfg(all(feature = "webhooks", any(test, feature = "mock")))]
pub use port::MockPrivacyRepository;
#[cfg(feature = "webhooks")]
pub use port::{CancelDeletion, DeletionQuery, ErasureClaim, PrivacyRepository, Redaction, RedactionStep, Requested};
#[cfg(any(test, feature = "mock"))]
pub use receipt::MockReceiptSigner;
pub use receipt::{Receipt, ReceiptFault, ReceiptKey, ReceiptSigner, SignedReceipt, StorageKind};
pub use request::{
    Cooldown, CooldownError, DeletionReason, DeletionReasonError, DeletionRequest, DeletionState, NamedSubject,
    NewDeletionRequest, RequestChannel,
};
pub use retention::{PutRetention, Retention, RetentionDays, RetentionDaysError, RetentionSetting};
#[cfg(all(feature = "webhooks", any(test, feature = "mock")))]
pub use retention_port::MockCustomerRetention;
#[cfg(feature = "webhooks")]
pub use retention_port::{CustomerRetention, RetentionStep};
#[cfg(feature = "webhooks")]
pub use service::PrivacyService;
#[cfg(feature = "webhooks")]
pub use subject::SubjectKey;
pub use subject::SubjectTag;
