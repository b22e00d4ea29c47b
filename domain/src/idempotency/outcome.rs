//! What came of a request under a key: enough to answer it again.

use super::IdempotencyKeyReused;
#[cfg(feature = "webhooks")]
use crate::onboarding::OnboardingRun;
use crate::{
    ids::{EventId, WorkflowId},
    store::StoreError,
    tax::TaxAssociation,
    tenancy::{ApiKey, Environment},
};

/// What came of a request: by this it is answered again.
///
/// ```
/// use patron_domain::{idempotency::Outcome, testkit::{an_environment, an_id}};
///
/// let of_a_customer = Outcome::Event(an_id(1));
/// let of_an_environment = Outcome::Frozen(an_environment().into());
/// assert_ne!(of_a_customer, of_an_environment);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// An event, whose frozen state is what was answered.
    Event(EventId),
    /// Something that has no events, as it was answered.
    Frozen(Frozen),
}

/// Something that has no events, as a request left it. There is no secret in it.
///
/// ```
/// use patron_domain::{idempotency::Frozen, tenancy::{ApiKey, Environment}, testkit::an_environment};
///
/// let frozen = Frozen::from(an_environment());
/// assert_eq!(Environment::try_from(frozen.clone()), Ok(an_environment()));
/// assert!(ApiKey::try_from(frozen).is_err());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Frozen {
    /// A default of an environment.
    TaxDefault(Box<TaxAssociation>),
    /// An environment.
    Environment(Box<Environment>),
    /// What is known of an API key.
    ApiKey(Box<ApiKey>),
    /// A version of an onboarding workflow, which never changes.
    Workflow(Box<WorkflowId>),
    /// An onboarding run.
    #[cfg(feature = "webhooks")]
    OnboardingRun(Box<OnboardingRun>),
}

macro_rules! frozen {
    ($($variant:ident($type:ty)),+ $(,)?) => {$(
        impl From<$type> for Frozen {
            fn from(value: $type) -> Self {
                Self::$variant(Box::new(value))
            }
        }

        /// Anything else came of another request.
        impl TryFrom<Frozen> for $type {
            type Error = IdempotencyKeyReused;

            fn try_from(frozen: Frozen) -> Result<Self, IdempotencyKeyReused> {
                match frozen {
                    Frozen::$variant(value) => Ok(*value),
                    _ => Err(IdempotencyKeyReused),
                }
            }
        }
    )+};
}

frozen!(TaxDefault(TaxAssociation), Environment(Environment), ApiKey(ApiKey), Workflow(WorkflowId));
#[cfg(feature = "webhooks")]
frozen!(OnboardingRun(OnboardingRun));

/// What a request made, or a request of the same key before it.
///
/// ```
/// use patron_domain::{idempotency::Done, testkit::an_environment};
///
/// assert!(!Done::now(an_environment()).replayed);
/// assert!(Done::before(an_environment()).replayed);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done<T> {
    /// What is answered: as the request left it, the first time.
    pub value: T,
    /// Whether it was done before, and not now.
    pub replayed: bool,
}

impl<T> Done<T> {
    /// Done just now.
    pub fn now(value: T) -> Self {
        Self { value, replayed: false }
    }

    /// Done before.
    pub fn before(value: T) -> Self {
        Self { value, replayed: true }
    }
}

/// Why something that is done once under a key was not done.
///
/// ```
/// use patron_domain::idempotency::{IdempotencyKeyReused, OnceError};
///
/// assert_eq!(OnceError::from(IdempotencyKeyReused).to_string(), IdempotencyKeyReused.to_string());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OnceError {
    /// The key stands for another request.
    #[error(transparent)]
    KeyReused(#[from] IdempotencyKeyReused),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
