//! What came of a request under a key: enough to answer it again.

use super::IdempotencyKeyReused;
use crate::{
    ids::{EventId, WorkflowId},
    store::StoreError,
    tax::TaxAssociation,
    tenancy::{ApiKey, Environment},
};
#[cfg(feature = "webhooks")]
use crate::{
    onboarding::OnboardingRun,
    webhook::{Delivery, WebhookEndpoint},
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
    /// A webhook endpoint, without what its secrets were sealed as.
    #[cfg(feature = "webhooks")]
    WebhookEndpoint(Box<WebhookEndpoint>),
    /// A delivery to a webhook endpoint.
    #[cfg(feature = "webhooks")]
    WebhookDelivery(Box<Delivery>),
    /// A version of an onboarding workflow, which never changes.
    Workflow(Box<WorkflowId>),
    /// An onboarding run.
    #[cfg(feature = "webhooks")]
    OnboardingRun(Box<OnboardingRun>),
    /// How many things were done.
    Count(u64),
    /// It was done, and there is nothing to tell.
    Nothing,
}

/// A kind of answer is its type, how it is frozen, and how it is taken back; anything else came of another request.
macro_rules! frozen {
    ($($type:ty: $value:pat => $frozen:expr, $kept:pat => $answer:expr;)+) => {$(
        impl From<$type> for Frozen {
            fn from($value: $type) -> Self {
                $frozen
            }
        }

        /// Anything else came of another request.
        impl TryFrom<Frozen> for $type {
            type Error = IdempotencyKeyReused;

            fn try_from(frozen: Frozen) -> Result<Self, IdempotencyKeyReused> {
                match frozen {
                    $kept => Ok($answer),
                    _ => Err(IdempotencyKeyReused),
                }
            }
        }
    )+};
}

frozen! {
    TaxAssociation: value => Self::TaxDefault(Box::new(value)), Frozen::TaxDefault(value) => *value;
    Environment: value => Self::Environment(Box::new(value)), Frozen::Environment(value) => *value;
    ApiKey: value => Self::ApiKey(Box::new(value)), Frozen::ApiKey(value) => *value;
    WorkflowId: value => Self::Workflow(Box::new(value)), Frozen::Workflow(value) => *value;
    u64: count => Self::Count(count), Frozen::Count(count) => count;
    (): () => Self::Nothing, Frozen::Nothing => ();
}

#[cfg(feature = "webhooks")]
frozen! {
    WebhookEndpoint: value => Self::WebhookEndpoint(Box::new(value.without_secrets())), Frozen::WebhookEndpoint(value) => *value;
    Delivery: value => Self::WebhookDelivery(Box::new(value)), Frozen::WebhookDelivery(value) => *value;
    OnboardingRun: value => Self::OnboardingRun(Box::new(value)), Frozen::OnboardingRun(value) => *value;
}

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

/// Has errors say in their own variants, `KeyReused` and `Store`, why something was not done once.
macro_rules! from_once_error {
    ($($error:ident),+) => {$(
        impl From<crate::idempotency::OnceError> for $error {
            fn from(error: crate::idempotency::OnceError) -> Self {
                match error {
                    crate::idempotency::OnceError::KeyReused(reused) => reused.into(),
                    crate::idempotency::OnceError::Store(error) => error.into(),
                }
            }
        }
    )+};
}

pub(crate) use from_once_error;

#[cfg(test)]
mod tests {
    use super::Frozen;
    use crate::{
        testkit::a_webhook_endpoint,
        webhook::{EndpointSecrets, SealedSecret, WebhookEndpoint},
    };

    #[test]
    fn no_secret_of_an_endpoint_is_frozen_not_even_sealed() {
        let mut endpoint = a_webhook_endpoint();
        let [new, old, none] = ["new", "old", ""].map(SealedSecret::from_sealed);
        endpoint.secrets = EndpointSecrets { current: new, previous: Some((old, endpoint.audit.created_at)) };
        let frozen = WebhookEndpoint::try_from(Frozen::from(endpoint.clone())).unwrap();
        let secrets = EndpointSecrets { current: none.clone(), previous: Some((none, endpoint.audit.created_at)) };
        assert_eq!(frozen, WebhookEndpoint { secrets, ..endpoint });
    }
}
