//! The objects and lists within a customer.

use std::{borrow::Cow, collections::BTreeMap};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, IgnoredAny},
};

use super::values::Text;
use crate::customer::{
    AddressLine, City, CountryCode, ElectronicAddress, ElectronicAddressScheme, ElectronicAddressValue, PostalCode,
    ShippingAddress, ShippingName, ShippingPhone, State,
};

macro_rules! shipping_form {
    ($($field:ident: $type:ident, $says:literal;)+) => {
        /// The form of a shipping address.
        #[derive(Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct ShippingForm<'a> {
            $(
                #[serde(skip_serializing_if = "Option::is_none")]
                $field: Option<Text<'a, $type>>,
            )+
        }

        impl<'a> ShippingForm<'a> {
            pub(super) fn of(object: &'a ShippingAddress) -> Self {
                Self { $($field: Text::of_any(object.$field.as_ref()),)+ }
            }

            pub(super) fn take(self) -> ShippingAddress {
                ShippingAddress { $($field: Text::take_any(self.$field),)+ }
            }
        }
    };
}

crate::shipping_address_texts!(shipping_form);

impl<'a> ShippingForm<'a> {
    /// None where nothing is set.
    pub(super) fn of_any(address: &'a ShippingAddress) -> Option<Self> {
        (!address.is_empty()).then(|| Self::of(address))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ElectronicForm<'a> {
    scheme: Text<'a, ElectronicAddressScheme>,
    value: Text<'a, ElectronicAddressValue>,
}

impl<'a> ElectronicForm<'a> {
    pub(super) fn of(address: &'a ElectronicAddress) -> Self {
        Self { scheme: Text::of(&address.scheme), value: Text::of(&address.value) }
    }

    pub(super) fn take(self) -> ElectronicAddress {
        ElectronicAddress { scheme: self.scheme.take(), value: self.value.take() }
    }
}

/// Texts without their case, for stores that search in documents: only those that lower-casing the letters A to Z does not
/// give. They follow from the rest, so they are written and not read.
#[derive(Default)]
pub(super) struct Folds(pub(super) BTreeMap<&'static str, String>);

impl Folds {
    /// Notes a text that is searched without its case.
    pub(super) fn note(&mut self, name: &'static str, text: &str) {
        // Stores keep these two in columns of their own, because they lead indexes.
        if text.is_ascii() || matches!(name, "name" | "email") {
            return;
        }
        let folded = crate::customer::query::Folded::new(text).into_string();
        if folded != text.to_ascii_lowercase() {
            self.0.insert(name, folded);
        }
    }

    pub(super) fn goes_unsaid(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Folds {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(&self.0)
    }
}

impl<'de> Deserialize<'de> for Folds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::<Cow<'de, str>, IgnoredAny>::deserialize(deserializer).map_err(D::Error::custom)?;
        Ok(Self::default())
    }
}
