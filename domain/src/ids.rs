//! Ids: a prefix for the kind, and a UUIDv7 (RFC 9562) as 26 Crockford base-32 characters.
//!
//! An id such as `cust_01JDG3W9Z5X0M8R2K7T4B6Q1NE` is opaque to clients and sorts by creation time. Its kind is part of
//! the type [`Id`], so ids of different kinds cannot be confused.

pub(crate) mod crockford;
#[cfg(any(test, feature = "mock"))]
mod mock;
mod randomness;
mod sequence;

use std::{fmt, hash, marker::PhantomData, str::FromStr};

#[cfg(any(test, feature = "mock"))]
pub use randomness::MockRandomness;
pub use randomness::{Randomness, RandomnessUnavailable};
#[cfg(any(test, feature = "mock"))]
pub use sequence::MockIdGenerator;
pub use sequence::{IdGenerator, IdSequence};
pub use uuid::Uuid;

use crate::{time::Timestamp, violation::Rule};

/// A kind of object with ids. Only this crate implements it.
///
/// ```
/// use patron_domain::ids::{CustomerKind, Kind};
///
/// assert_eq!(CustomerKind::PREFIX, "cust_");
/// ```
pub trait Kind: sealed::Sealed + 'static {
    /// The prefix before the 26 characters, including the underscore.
    const PREFIX: &'static str;
}

mod sealed {
    pub trait Sealed {}
}

/// The id of an object of kind `K`: 128 bits, written as a prefix and 26 Crockford base-32 characters.
///
/// ```
/// use patron_domain::{ids::{CustomerKind, Id}, testkit::an_id};
///
/// let id: Id<CustomerKind> = an_id(1);
/// assert_eq!(id.to_string().parse(), Ok(id));
/// ```
pub struct Id<K: Kind> {
    uuid: Uuid,
    kind: PhantomData<fn() -> K>,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident, $alias:ident, $prefix:literal;)*) => {
        $(
            $(#[$doc])*
            ///
            /// ```
            #[doc = concat!("use patron_domain::ids::{", stringify!($kind), ", Kind};")]
            #[doc = concat!("assert_eq!(", stringify!($kind), "::PREFIX, ", stringify!($prefix), ");")]
            /// ```
            #[derive(Debug, Clone, Copy, PartialEq, Eq)]
            pub enum $kind {}
            impl sealed::Sealed for $kind {}
            impl Kind for $kind {
                const PREFIX: &'static str = $prefix;
            }
            #[doc = concat!("An id such as `", $prefix, "01JDG3W9Z5X0M8R2K7T4B6Q1NE`.")]
            ///
            /// ```
            #[doc = concat!("use patron_domain::ids::", stringify!($alias), ";")]
            #[doc = concat!("let id: ", stringify!($alias), " = \"", $prefix, "01JDG3W9Z5X0M8R2K7T4B6Q1NE\".parse().unwrap();")]
            #[doc = concat!("assert!(id.to_string().starts_with(", stringify!($prefix), "));")]
            /// ```
            pub type $alias = Id<$kind>;
        )*
    };
}

kinds! {
    /// Kind of [`CustomerId`].
    CustomerKind, CustomerId, "cust_";
    /// Kind of [`MappingId`].
    MappingKind, MappingId, "eim_";
    /// Kind of [`TaxRateId`].
    TaxRateKind, TaxRateId, "taxrate_";
    /// Kind of [`TaxRateChangeId`].
    TaxRateChangeKind, TaxRateChangeId, "trc_";
    /// Kind of [`TaxAssociationId`].
    TaxAssociationKind, TaxAssociationId, "ta_";
    /// Kind of [`ContactPersonId`].
    ContactPersonKind, ContactPersonId, "cper_";
    /// Kind of [`TaxIdId`].
    TaxIdKind, TaxIdId, "txi_";
    /// Kind of [`TaxExemptionId`].
    TaxExemptionKind, TaxExemptionId, "txe_";
    /// Kind of [`CustomFieldId`].
    CustomFieldKind, CustomFieldId, "cf_";
    /// Kind of [`TenantId`].
    TenantKind, TenantId, "tenant_";
    /// Kind of [`EnvironmentId`].
    EnvironmentKind, EnvironmentId, "env_";
    /// Kind of [`ApiKeyId`].
    ApiKeyKind, ApiKeyId, "secret_";
    /// Kind of [`EventId`].
    EventKind, EventId, "evt_";
    /// Kind of [`WebhookEndpointId`].
    WebhookEndpointKind, WebhookEndpointId, "wh_";
    /// Kind of [`WebhookDeliveryId`].
    WebhookDeliveryKind, WebhookDeliveryId, "whd_";
    /// Kind of [`WorkflowId`].
    WorkflowKind, WorkflowId, "wf_";
    /// Kind of [`AuditEntryId`].
    AuditEntryKind, AuditEntryId, "aud_";
    /// Kind of [`OnboardingRunId`].
    OnboardingRunKind, OnboardingRunId, "onb_";
    /// Kind of [`DeletionRequestId`].
    DeletionRequestKind, DeletionRequestId, "delreq_";
    /// Kind of [`InstallationKeyId`].
    InstallationKeyKind, InstallationKeyId, "ikey_";
}

/// Why a text is not an id of this kind.
///
/// ```
/// use patron_domain::ids::{CustomerId, IdError};
///
/// assert_eq!("cust_1".parse::<CustomerId>().unwrap_err().to_string(), "must be an id: cust_ and 26 characters");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an id: {prefix} and 26 characters")]
pub struct IdError {
    prefix: &'static str,
}

impl Rule for IdError {
    fn rule(&self) -> &'static str {
        "id"
    }
}

impl<K: Kind> Id<K> {
    /// An id of these 128 bits.
    #[must_use]
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self { uuid, kind: PhantomData }
    }

    /// The 128 bits.
    #[must_use]
    pub const fn uuid(self) -> Uuid {
        self.uuid
    }

    /// The id for a number of your own, such as a tenant of the embedding application.
    ///
    /// Numbers below 2^64 never equal an id of an [`IdGenerator`]: those begin with the time.
    ///
    /// ```
    /// use patron_domain::ids::TenantId;
    ///
    /// let tenant = TenantId::from_u128(4711);
    /// assert_eq!(tenant.to_string(), "tenant_000000000000000000000004K7");
    /// assert_eq!(tenant.to_u128(), 4711);
    /// ```
    #[must_use]
    pub const fn from_u128(number: u128) -> Self {
        Self::from_uuid(Uuid::from_u128(number))
    }

    /// The 128 bits as a number.
    #[must_use]
    pub const fn to_u128(self) -> u128 {
        self.uuid.as_u128()
    }

    /// The greatest id that an [`IdGenerator`] can give up to this time, to the millisecond. It selects objects by
    /// creation time without an index of times.
    ///
    /// ```
    /// use patron_domain::{ids::{CustomerId, IdSequence}, testkit::a_time};
    ///
    /// let made: CustomerId = IdSequence::start(a_time(), [0xFF; 10]).next_id();
    /// assert!(made <= CustomerId::last_at(a_time()));
    /// ```
    #[must_use]
    pub fn last_at(at: Timestamp) -> Self {
        Self::from_uuid(uuid::Builder::from_unix_timestamp_millis(at.unix_millis(), &[0xFF; 10]).into_uuid())
    }

    /// The smallest id that an [`IdGenerator`] can give at a time, to the millisecond.
    ///
    /// ```
    /// use patron_domain::{ids::CustomerId, testkit::a_time};
    ///
    /// assert!(CustomerId::first_at(a_time()) < CustomerId::last_at(a_time()));
    /// ```
    #[must_use]
    pub fn first_at(at: Timestamp) -> Self {
        Self::from_uuid(uuid::Builder::from_unix_timestamp_millis(at.unix_millis(), &[0; 10]).into_uuid())
    }

    /// Parses the text form. Only the canonical form is accepted: the prefix and 26 upper-case characters.
    ///
    /// # Errors
    /// [`IdError`] for anything else, including other kinds.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        text.strip_prefix(K::PREFIX)
            .and_then(|rest| crockford::decode(rest.as_bytes()))
            .map(|bits| Self::from_uuid(Uuid::from_u128(bits)))
            .ok_or(IdError { prefix: K::PREFIX })
    }

    /// Passes the text form on in one piece, without allocating: ids are written very often.
    pub(crate) fn with_text<T>(&self, hand_on: impl FnOnce(&str) -> T) -> T {
        const { assert!(K::PREFIX.len() <= 14, "prefix and 26 characters have room in 40") };
        let mut text = [0; 40];
        let prefix = K::PREFIX.as_bytes();
        text[..prefix.len()].copy_from_slice(prefix);
        let end = prefix.len() + 26;
        text[prefix.len()..end].copy_from_slice(&crockford::encode(self.uuid.as_u128()));
        hand_on(crockford::as_str(&text[..end]))
    }
}

impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_text(|text| f.write_str(text))
    }
}

impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

// Written by hand, because a derive would require the same of `K`, which is only a marker.
impl<K: Kind> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K: Kind> Copy for Id<K> {}
impl<K: Kind> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.uuid == other.uuid
    }
}
impl<K: Kind> Eq for Id<K> {}
impl<K: Kind> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<K: Kind> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.uuid.cmp(&other.uuid)
    }
}
impl<K: Kind> hash::Hash for Id<K> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.uuid.hash(state);
    }
}

impl<K: Kind> FromStr for Id<K> {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::parse(text)
    }
}

#[cfg(feature = "serde")]
impl<K: Kind> serde::Serialize for Id<K> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.with_text(|text| serializer.serialize_str(text))
    }
}

#[cfg(feature = "serde")]
impl<'de, K: Kind> serde::Deserialize<'de> for Id<K> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{CustomerId, EventId, IdSequence, MappingId, crockford};
    use crate::time::Timestamp;

    #[test]
    fn the_text_form_is_prefix_and_26_characters_and_sorts_by_time() {
        let mut early = IdSequence::start(Timestamp::from_micros(1_700_000_000_000_000).unwrap(), [0xFF; 10]);
        let mut late = IdSequence::start(Timestamp::from_micros(1_700_000_000_001_000).unwrap(), [0; 10]);
        let (early, late): (CustomerId, CustomerId) = (early.next_id(), late.next_id());
        assert_eq!(early.to_string().len(), "cust_".len() + 26);
        assert!(early.to_string() < late.to_string());
        assert_eq!(early.uuid().get_version_num(), 7);
    }

    #[test]
    fn only_the_canonical_form_of_the_right_kind_is_accepted() {
        let id: CustomerId = IdSequence::start(Timestamp::from_micros(0).unwrap(), [7; 10]).next_id();
        let text = id.to_string();
        assert_eq!(CustomerId::parse(&text), Ok(id));
        assert!(MappingId::parse(&text).is_err());
        assert!(CustomerId::parse(&text.to_lowercase()).is_err());
        assert!(CustomerId::parse("cust_80000000000000000000000000").is_err(), "129 bits");
        assert!(CustomerId::parse("cust_0000000000000000000000000I").is_err(), "I is not in the alphabet");
        assert!(CustomerId::parse("cust_").is_err());
    }

    #[test]
    fn a_sequence_keeps_version_and_variant_and_does_not_repeat_when_it_wraps() {
        let mut sequence = IdSequence::start(Timestamp::from_micros(0).unwrap(), [0xFF; 10]);
        let first: EventId = sequence.next_id();
        let second: EventId = sequence.next_id();
        assert_ne!(first, second);
        for id in [first, second] {
            assert_eq!(id.uuid().get_version_num(), 7);
            assert_eq!(id.uuid().get_variant(), uuid::Variant::RFC4122);
        }
    }

    proptest! {
        #[test]
        fn every_value_survives_its_text_form(bits: u128) {
            prop_assert_eq!(crockford::decode(&crockford::encode(bits)), Some(bits));
        }

        #[test]
        fn no_text_breaks_the_parser(text in "\\PC{0,40}") {
            let _ = CustomerId::parse(&text);
        }
    }
}
