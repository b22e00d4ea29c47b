//! Results that are stored with an idempotency key, because no event contains them.

use std::{borrow::Cow, fmt};

use serde::{Serialize, de::DeserializeOwned};

use super::IdempotencyKeyReused;
use crate::{
    custom_field::CustomFieldDefinition,
    ids::WorkflowId,
    lifecycle::Owner,
    store::StoreError,
    stored::{Stored, StoredError},
    tax::TaxAssociation,
    tenancy::{ApiKey, Environment},
};
#[cfg(feature = "webhooks")]
use crate::{
    onboarding::OnboardingRun,
    webhook::{Delivery, WebhookEndpoint},
};

/// The stored result of a request: a word for its kind, and the result as JSON. Both are opaque to the store. It
/// contains no secret, not even a sealed one. The rest may be personal data, so `Debug` shows only the kind.
///
/// ```
/// use patron_domain::{idempotency::{Answer, KeptAnswer}, tenancy::Environment, testkit::{an_environment, an_owner}};
///
/// let kept = an_environment().to_kept();
/// let stored = (kept.kind().to_owned(), kept.json().to_owned());
/// let kept = KeptAnswer::new(stored.0, stored.1);
/// assert_eq!(Environment::from_kept(an_owner(), &kept), Ok(an_environment()));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    kind: Cow<'static, str>,
    json: String,
}

impl KeptAnswer {
    /// A result as a store kept it.
    #[must_use]
    pub fn new(kind: impl Into<Cow<'static, str>>, json: impl Into<String>) -> Self {
        Self { kind: kind.into(), json: json.into() }
    }

    /// The kind of result: [`Answer::KIND`].
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The result.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.json
    }
}

impl fmt::Debug for KeptAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptAnswer").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// A result that can be stored and returned again.
///
/// A new kind of result needs one more `impl`. If a type has a [`Stored`] form, that form is used.
///
/// ```
/// use patron_domain::{idempotency::{Answer, NotKept}, testkit::an_owner};
///
/// assert_eq!(7_u64.to_kept().json(), "7");
/// assert_eq!(<()>::from_kept(an_owner(), &7_u64.to_kept()), Err(NotKept::AnotherKind));
/// ```
pub trait Answer: Sized {
    /// The word for this kind of result. Each kind has its own.
    const KIND: &'static str;

    /// The result in its stored form.
    fn to_kept(&self) -> KeptAnswer;

    /// Restores a stored result. The owner is the environment of the record; a result about another environment of the
    /// tenant contains that environment's id.
    ///
    /// # Errors
    /// [`NotKept`] when the record is of another kind or cannot be read.
    fn from_kept(owner: Owner, kept: &KeptAnswer) -> Result<Self, NotKept>;
}

/// Why a stored result could not be restored.
///
/// ```
/// use patron_domain::{idempotency::{Answer, KeptAnswer, NotKept}, testkit::an_owner};
///
/// let damaged = u64::from_kept(an_owner(), &KeptAnswer::new(u64::KIND, "seven"));
/// assert!(matches!(damaged, Err(NotKept::Unreadable(_))));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotKept {
    /// The result is of another kind: it belongs to a different request.
    #[error("the stored result is of another kind")]
    AnotherKind,
    /// The result is damaged, or was written by a newer version.
    #[error(transparent)]
    Unreadable(#[from] StoredError),
}

impl From<IdempotencyKeyReused> for NotKept {
    fn from(_: IdempotencyKeyReused) -> Self {
        Self::AnotherKind
    }
}

/// The JSON of a result, after a check of its kind.
fn json_of<T: Answer>(kept: &KeptAnswer) -> Result<&str, NotKept> {
    if kept.kind == T::KIND { Ok(&kept.json) } else { Err(NotKept::AnotherKind) }
}

fn plain_from<T: Answer + DeserializeOwned>(kept: &KeptAnswer) -> Result<T, NotKept> {
    let read = serde_json::from_str(json_of::<T>(kept)?);
    read.map_err(|error| StoredError::Unreadable { form: T::KIND, line: error.line(), column: error.column() }.into())
}

fn plain_kept<T: Answer + Serialize>(answer: &T) -> KeptAnswer {
    // Numbers and `null` always have a JSON form.
    KeptAnswer::new(T::KIND, serde_json::to_string(answer).unwrap_or_default())
}

/// Results that use their type's stored form.
macro_rules! kept_as_stored {
    ($($answer:ty),+ $(,)?) => {$(
        impl Answer for $answer {
            const KIND: &'static str = <Self as Stored>::NAME;

            fn to_kept(&self) -> KeptAnswer {
                KeptAnswer::new(Self::KIND, self.to_document())
            }

            fn from_kept(owner: Owner, kept: &KeptAnswer) -> Result<Self, NotKept> {
                Ok(Self::from_document(owner, json_of::<Self>(kept)?)?)
            }
        }
    )+};
}

kept_as_stored!(TaxAssociation, Environment, ApiKey, CustomFieldDefinition);

#[cfg(feature = "webhooks")]
kept_as_stored!(Delivery, OnboardingRun);

/// Stored without its secrets: they are returned only once.
#[cfg(feature = "webhooks")]
impl Answer for WebhookEndpoint {
    const KIND: &'static str = <Self as Stored>::NAME;

    fn to_kept(&self) -> KeptAnswer {
        KeptAnswer::new(Self::KIND, self.clone().without_secrets().to_document())
    }

    fn from_kept(owner: Owner, kept: &KeptAnswer) -> Result<Self, NotKept> {
        Ok(Self::from_document(owner, json_of::<Self>(kept)?)?)
    }
}

/// A workflow version never changes, so its id is enough.
impl Answer for WorkflowId {
    const KIND: &'static str = "onboarding_workflow_id";

    fn to_kept(&self) -> KeptAnswer {
        KeptAnswer::new(Self::KIND, format!("\"{self}\""))
    }

    fn from_kept(_: Owner, kept: &KeptAnswer) -> Result<Self, NotKept> {
        let id = json_of::<Self>(kept)?.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let id = id.and_then(|id| Self::parse(id).ok());
        id.ok_or(StoredError::Unreadable { form: Self::KIND, line: 1, column: 1 }.into())
    }
}

/// A number of things done.
impl Answer for u64 {
    const KIND: &'static str = "count";

    fn to_kept(&self) -> KeptAnswer {
        plain_kept(self)
    }

    fn from_kept(_: Owner, kept: &KeptAnswer) -> Result<Self, NotKept> {
        plain_from(kept)
    }
}

/// Success without further data.
impl Answer for () {
    const KIND: &'static str = "nothing";

    fn to_kept(&self) -> KeptAnswer {
        plain_kept(self)
    }

    fn from_kept(_: Owner, kept: &KeptAnswer) -> Result<Self, NotKept> {
        plain_from(kept)
    }
}

impl NotKept {
    /// The error that a store returns for it: the key was used for a different request, or the record cannot be read.
    pub(super) fn refusal(self) -> super::OnceError {
        match self {
            Self::AnotherKind => IdempotencyKeyReused::default().into(),
            Self::Unreadable(_) => {
                // The record's key is the client's own, so the error does not contain it.
                let (table, column, row) = ("idempotency_records", "answer", String::new());
                StoreError::Corrupt { table, column, row }.into()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        testkit::{
            a_delivery, a_tax_default, a_tax_rate, a_time, a_webhook_endpoint, an_api_key, an_environment, an_id,
            an_owner,
        },
        webhook::{EndpointSecrets, SealedSecret},
    };

    /// Asserts that a result can be restored, and returns its kind.
    fn survives<T: Answer + PartialEq + fmt::Debug>(answer: &T) -> &'static str {
        let kept = answer.to_kept();
        assert_eq!(T::from_kept(an_owner(), &kept).as_ref(), Ok(answer));
        assert!(!format!("{kept:?}").contains(kept.json()) && !kept.json().contains("sealed"), "{}", T::KIND);
        let damaged = KeptAnswer::new(T::KIND, "[");
        assert!(matches!(T::from_kept(an_owner(), &damaged), Err(NotKept::Unreadable(_))), "{}", T::KIND);
        let other = KeptAnswer::new("something else", kept.json());
        assert_eq!(T::from_kept(an_owner(), &other), Err(NotKept::AnotherKind));
        T::KIND
    }

    #[test]
    fn every_result_can_be_restored_and_every_kind_has_its_own_word() {
        let abroad = ApiKey { owner: Owner { environment_id: an_id(9), ..an_owner() }, ..an_api_key() };
        let kinds = [
            survives(&a_tax_default(&a_tax_rate("VAT"))),
            survives(&an_environment()),
            survives(&abroad),
            survives(&a_webhook_endpoint().without_secrets()),
            survives(&a_delivery(7)),
            survives(&WorkflowId::from_uuid(an_id::<crate::ids::WorkflowKind>(1).uuid())),
            survives(&OnboardingRun::start(an_owner(), an_id(1), an_id(2), a_time())),
            survives(&9_u64),
            survives(&()),
        ];
        assert_eq!(std::collections::BTreeSet::from(kinds).len(), kinds.len());
    }

    #[test]
    fn no_secret_of_an_endpoint_is_stored_not_even_sealed() {
        let mut endpoint = a_webhook_endpoint();
        let [new, old, none] = ["new", "old", ""].map(SealedSecret::from_sealed);
        endpoint.secrets = EndpointSecrets { current: new, previous: Some((old, endpoint.audit.created_at)) };
        let kept = WebhookEndpoint::from_kept(endpoint.owner, &endpoint.to_kept()).unwrap();
        let secrets = EndpointSecrets { current: none.clone(), previous: Some((none, endpoint.audit.created_at)) };
        assert_eq!(kept, WebhookEndpoint { secrets, ..endpoint });
    }
}
