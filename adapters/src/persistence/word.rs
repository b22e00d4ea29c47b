//! Codes of the domain's words. A code never changes its meaning.

use patron_domain::{
    audit::{AuditAction, AuditObjectType},
    event::{EventEntityType, EventType},
    import::ImportState,
    lifecycle::Status,
    onboarding::RunState,
    privacy::DeletionState,
    store::StoreError,
    tax::{TaxRateScope, TaxRateStatus},
    webhook::{DeliveryKind, DeliveryStatus},
};

use super::value::corrupt;

/// A word that tables store as a number.
pub(crate) trait Word: Sized {
    /// The code.
    fn code(self) -> i16;

    /// The word of a code. The error for an unknown code names its table and column.
    fn of(code: i16, table: &'static str, column: &'static str) -> Result<Self, StoreError>;
}

/// Stands for a word without a code.
const UNKNOWN: i16 = -1;

macro_rules! words {
    ($($name:ident { $($variant:ident = $code:literal),+ $(,)? })+) => {$(
        impl Word for $name {
            fn code(self) -> i16 {
                #[allow(unreachable_patterns, reason = "some of these may gain words, and a test finds words without a code")]
                match self {
                    $(Self::$variant => $code,)+
                    _ => UNKNOWN,
                }
            }

            fn of(code: i16, table: &'static str, column: &'static str) -> Result<Self, StoreError> {
                match code {
                    $($code => Ok(Self::$variant),)+
                    other => Err(corrupt(table, column, other)),
                }
            }
        }
    )+};
}

words! {
    // The partial indexes of the migrations and `literal.rs` use these codes.
    Status { Published = 0, Archived = 1, Deleted = 2 }
    DeliveryStatus { Waiting = 0, Delivered = 1, Failed = 2 }
    RunState { Pending = 0, Running = 1, Waiting = 2, Succeeded = 3, Failed = 4, Cancelled = 5 }
    ImportState {
        Uploading = 0,
        Checking = 1,
        Ready = 2,
        Running = 3,
        Completed = 4,
        CompletedWithErrors = 5,
        Failed = 6,
        Cancelled = 7,
    }
    DeliveryKind { First = 0, Replay = 1, Test = 2 }
    DeletionState { Suppressed = 0, Redacting = 1, Completed = 2, Failed = 3, Cancelled = 4 }
    EventEntityType { Customer = 1, TaxRate = 2, Import = 3 }
    TaxRateStatus { Active = 0, Inactive = 1 }
    TaxRateScope { Internal = 0, External = 1, Onetime = 2 }
    AuditObjectType {
        ApiKey = 1,
        Environment = 2,
        Endpoint = 3,
        Workflow = 4,
        Tenant = 5,
        CustomField = 6,
        Import = 7,
        DeletionRequest = 8,
    }
    AuditAction {
        KeyCreated = 1,
        KeyRotated = 2,
        KeyRevoked = 3,
        KeyRefused = 4,
        KeyDryRun = 5,
        EnvironmentCreated = 10,
        EnvironmentUpdated = 11,
        EndpointCreated = 20,
        EndpointUpdated = 21,
        EndpointSecretRotated = 22,
        EndpointDeleted = 23,
        WorkflowCreated = 30,
        WorkflowUpdated = 31,
        WorkflowDeleted = 32,
        TenantSuspended = 40,
        TenantResumed = 41,
        CustomFieldCreated = 50,
        CustomFieldUpdated = 51,
        CustomFieldDeleted = 52,
        ImportUploaded = 60,
        ImportStarted = 61,
        ImportCancelled = 62,
        ImportCompleted = 63,
        DeletionRequested = 70,
        DeletionCancelled = 71,
        DeletionCompleted = 72,
        RetentionUpdated = 73,
    }
    EventType {
        CustomerCreated = 1,
        CustomerUpdated = 2,
        CustomerDeleted = 3,
        CustomerRestored = 4,
        CustomerIntegrationLinked = 5,
        CustomerIntegrationUnlinked = 6,
        CustomerTaxAssociated = 7,
        CustomerTaxAssociationUpdated = 8,
        CustomerTaxDissociated = 9,
        CustomerOnboardingCompleted = 10,
        CustomerOnboardingFailed = 11,
        // The view of events uses the codes of the events without a state.
        CustomerSuppressed = 12,
        CustomerUnsuppressed = 13,
        CustomerErased = 14,
        CustomerLegalHoldPlaced = 15,
        CustomerLegalHoldRemoved = 16,
        TaxRateCreated = 20,
        TaxRateUpdated = 21,
        TaxRateDeleted = 22,
        TaxRateValueChanged = 23,
        ImportCompleted = 30,
        ImportFailed = 31,
        ImportCancelled = 32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_has_its_own_code() {
        fn check<W: Word + Copy + PartialEq + std::fmt::Debug>(all: &[W]) {
            for word in all {
                assert_eq!(W::of(word.code(), "a_table", "a_column").as_ref(), Ok(word));
            }
            assert!(W::of(UNKNOWN, "a_table", "a_column").is_err());
        }
        check(Status::ALL);
        check(DeliveryStatus::ALL);
        check(DeliveryKind::ALL);
        check(RunState::ALL);
        check(DeletionState::ALL);
        check(EventEntityType::ALL);
        check(EventType::ALL);
        check(AuditAction::ALL);
        check(AuditObjectType::ALL);
        check(TaxRateStatus::ALL);
        check(TaxRateScope::ALL);
    }
}
