//! The values of this crate in documents: as texts, numbers and objects, each checked when it is read.

mod audit;
mod int;

use std::{borrow::Cow, collections::BTreeMap, fmt, marker::PhantomData};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

#[cfg(feature = "serde")]
pub(super) use self::int::AsInt;
pub(super) use self::{
    audit::{AuditParts, audit_of},
    int::{Int, int_unless},
};
use super::CURRENT;
use crate::{
    custom_field::{CustomFieldDescription, CustomFieldKey, CustomFieldOption},
    customer::{
        AddressLine, BillingCurrency, BuyerReference, CertificateNumber, City, Contact, ContactDepartment,
        ContactDesignation, ContactMobile, ContactRole, CountryCode, CustomerName, CustomerType, DocumentUrl,
        ElectronicAddressScheme, ElectronicAddressValue, Email, ExemptionNote, ExemptionReason, ExternalId, FirstName,
        HoldReason, LastName, LegalName, Locale, PostalCode, RegistrationNumber, Salutation, ShippingName,
        ShippingPhone, State, Tag, TaxIdType, TaxTreatment, TextList, TimeZone,
    },
    ids::{Id, Kind},
    integration::{ProviderEntityId, ProviderType},
    lifecycle::Status,
    metadata::{JsonObject, Metadata},
    network::Network,
    onboarding::WorkflowName,
    privacy::{DeletionReason, DeletionState, RequestChannel},
    tax::{
        CurrencyCode, FixedAmount, Percentage, TaxBehavior, TaxRateCode, TaxRateDescription, TaxRateName, TaxRateScope,
        TaxRateStatus,
    },
    tenancy::{Actor, ApiKeyName, EnvironmentName, EnvironmentType, Role},
};

/// A value that is text in documents.
pub(super) trait AsText: Clone {
    /// Passes the text on.
    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error>;

    /// Parses the text.
    fn read(text: &str) -> Option<Self>;
}

/// A text in a document: borrowed for writing, owned after reading.
pub(super) struct Text<'a, T: AsText>(Cow<'a, T>);

impl<'a, T: AsText> Text<'a, T> {
    pub(super) fn of(value: &'a T) -> Self {
        Self(Cow::Borrowed(value))
    }

    /// The same for an optional value.
    pub(super) fn of_any(value: Option<&'a T>) -> Option<Self> {
        value.map(Self::of)
    }

    pub(super) fn take(self) -> T {
        self.0.into_owned()
    }

    /// The same for an optional value.
    pub(super) fn take_any(text: Option<Self>) -> Option<T> {
        text.map(Self::take)
    }
}

impl<T: AsText> From<T> for Text<'_, T> {
    fn from(value: T) -> Self {
        Self(Cow::Owned(value))
    }
}

impl<T: AsText> Serialize for Text<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer)
    }
}

struct TextVisitor<T>(PhantomData<T>);

impl<T: AsText> de::Visitor<'_> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        T::read(text).ok_or_else(|| E::custom("not a value of this member"))
    }
}

impl<'de, T: AsText> Deserialize<'de> for Text<'_, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor(PhantomData::<T>)).map(Self::from)
    }
}

impl<K: Kind> AsText for Id<K> {
    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.with_text(|text| to.serialize_str(text))
    }

    fn read(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }
}

/// Types with the text of `as_str`, and how each is parsed.
macro_rules! texts {
    ($($read:ident: $($type:ty),+;)+) => {$($(
        impl AsText for $type {
            fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.as_str())
            }

            fn read(text: &str) -> Option<Self> {
                Self::$read(text.to_owned()).ok()
            }
        }
    )+)+};
}

/// Enumerations, by their words.
macro_rules! word_texts {
    ($($type:ty),+ $(,)?) => {$(
        impl $crate::stored::values::AsText for $type {
            fn write<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.as_str())
            }

            fn read(text: &str) -> Option<Self> {
                Self::parse(text).ok()
            }
        }
    )+};
}

pub(super) use word_texts;

texts! {
    new: Actor, AddressLine, ApiKeyName, BuyerReference, CertificateNumber, City, Contact, ContactDepartment,
        ContactDesignation, ContactMobile, ContactRole, CustomerName, DocumentUrl, ElectronicAddressScheme,
        ElectronicAddressValue, EnvironmentName, ExemptionNote, ExternalId, FirstName, HoldReason, LastName, LegalName, Locale,
        CustomFieldDescription, CustomFieldKey, CustomFieldOption, DeletionReason, PostalCode, ProviderEntityId, ProviderType, RegistrationNumber, Salutation, ShippingName, ShippingPhone, State,
        Tag, TaxIdType, TaxRateCode, TaxRateDescription, TaxRateName, WorkflowName;
    from_stored: BillingCurrency, CountryCode, CurrencyCode, Email, TimeZone;
}

#[cfg(feature = "webhooks")]
texts! {
    new: crate::onboarding::JsonPointer, crate::webhook::EndpointDescription;
    from_stored: crate::webhook::EndpointUrl;
}

word_texts!(
    CustomerType,
    DeletionState,
    EnvironmentType,
    ExemptionReason,
    RequestChannel,
    Role,
    Status,
    TaxBehavior,
    TaxRateScope,
    TaxRateStatus,
    TaxTreatment
);

/// Decimal numbers, which must never become floating-point numbers.
macro_rules! decimals {
    ($($type:ty),+) => {$(
        impl AsText for $type {
            fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }

            fn read(text: &str) -> Option<Self> {
                Self::new(text).ok()
            }
        }
    )+};
}

decimals!(FixedAmount, Percentage);

impl AsText for Network {
    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }

    fn read(text: &str) -> Option<Self> {
        Self::new(text).ok()
    }
}

/// The texts of a list in a document.
pub(super) fn list_of<T: AsText>(list: &TextList<T>) -> Vec<Text<'_, T>> {
    list.iter().map(Text::of).collect()
}

/// The list that they came from.
pub(super) fn list_from<T: AsText>(texts: Vec<Text<'_, T>>) -> TextList<T> {
    TextList::from_stored(texts.into_iter().map(Text::take).collect())
}

/// Pairs in a document.
pub(super) struct Pairs<'a>(Cow<'a, Metadata>);

impl<'a> Pairs<'a> {
    /// `None` if there are no pairs.
    pub(super) fn of(metadata: &'a Metadata) -> Option<Self> {
        (!metadata.is_empty()).then_some(Self(Cow::Borrowed(metadata)))
    }

    pub(super) fn take(pairs: Option<Self>) -> Metadata {
        pairs.map(|pairs| pairs.0.into_owned()).unwrap_or_default()
    }
}

impl Serialize for Pairs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.as_map())
    }
}

impl<'de> Deserialize<'de> for Pairs<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pairs = BTreeMap::<String, String>::deserialize(deserializer)?;
        let metadata = Metadata::new(pairs, "metadata").map_err(|_| de::Error::custom("not valid metadata"))?;
        Ok(Self(Cow::Owned(metadata)))
    }
}

/// A JSON object in a document.
pub(super) struct Object<'a>(Cow<'a, JsonObject>);

impl<'a> Object<'a> {
    /// `None` if it is empty.
    pub(super) fn of(object: &'a JsonObject) -> Option<Self> {
        (!object.is_empty()).then_some(Self(Cow::Borrowed(object)))
    }

    pub(super) fn take(object: Option<Self>) -> JsonObject {
        object.map(|object| object.0.into_owned()).unwrap_or_default()
    }
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_map().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Object<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map = serde_json::Map::deserialize(deserializer)?;
        let object = JsonObject::new(map).map_err(|_| de::Error::custom("not a valid JSON object"))?;
        Ok(Self(Cow::Owned(object)))
    }
}

/// The version of a form. It is absent while there is only one version.
#[derive(Default)]
pub(super) struct V1;

impl V1 {
    /// Whether it is left out: always.
    pub(super) fn goes_unsaid(&self) -> bool {
        true
    }
}

impl Serialize for V1 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(CURRENT)
    }
}

impl<'de> Deserialize<'de> for V1 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u64::deserialize(deserializer)? {
            CURRENT => Ok(Self),
            _ => Err(de::Error::custom("an unknown version")),
        }
    }
}

/// The value, or `None` if it is the default that an absent member stands for.
pub(super) fn unless<T: PartialEq>(default: &T, value: T) -> Option<T> {
    (value != *default).then_some(value)
}

/// The same for a text.
pub(super) fn text_unless<'a, T: AsText + PartialEq>(default: &T, value: &'a T) -> Option<Text<'a, T>> {
    (value != default).then_some(Text::of(value))
}

/// Whether a switch is on, in which case it is left out.
pub(super) fn is_on(switch: &bool) -> bool {
    *switch
}

/// Whether a switch is off, in which case it is left out.
pub(super) fn is_false(switch: &bool) -> bool {
    !switch
}

/// The value of an absent switch.
pub(super) fn on() -> bool {
    true
}
