//! The addresses for goods and for electronic invoices.

use super::text_object;
use crate::{
    customer::{AddressLine, City, CountryCode, PostalCode, State},
    patch::Patch,
    text::{serde_as_text, text_newtype},
    violation::{Rule, Violation, Violations},
};

text_newtype! {
    /// The recipient of goods: 1–150 characters, no control characters.
    personal ShippingName, ShippingNameError, "name", max 150
}

text_newtype! {
    /// The telephone number of the person who receives goods: 1–20 characters, no control characters.
    personal ShippingPhone, ShippingPhoneError, "phone", max 20
}

/// The texts of a shipping address. For each, a macro gets the name, the type and a description.
#[doc(hidden)]
#[macro_export]
macro_rules! shipping_address_texts {
    ($with:ident) => {
        $with! {
            name: ShippingName, "The recipient.";
            phone: ShippingPhone, "The recipient's telephone number.";
            line1: AddressLine, "The first line.";
            line2: AddressLine, "The second line.";
            city: City, "The city.";
            state: State, "The state, province or region.";
            postal_code: PostalCode, "The postal code.";
            country: CountryCode, "The country, in two letters.";
        }
    };
}

macro_rules! shipping_address {
    ($($field:ident: $type:ident, $says:literal;)+) => {
        text_object! {
            /// The address for goods. Every part is optional, and parts are not checked against each other.
            ShippingAddress / ShippingAddressUpdate,
            "assert_eq!(patron_domain::customer::ShippingAddress::default().city, None);"
            { $(#[doc = $says] $field: $type,)+ }
        }
    };
}

shipping_address_texts!(shipping_address);

impl ShippingAddress {
    /// Whether nothing is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The scheme of an electronic address: four digits of the code list EAS, such as `0204` for a Leitweg-ID.
///
/// ```
/// use patron_domain::customer::ElectronicAddressScheme;
///
/// assert_eq!(ElectronicAddressScheme::new("0204").unwrap().as_str(), "0204");
/// assert!(ElectronicAddressScheme::new("204").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ElectronicAddressScheme(String);

/// Why a text is not an [`ElectronicAddressScheme`].
///
/// ```
/// use patron_domain::{customer::{ElectronicAddressScheme, ElectronicAddressSchemeError}, violation::Rule};
///
/// assert_eq!(ElectronicAddressSchemeError.rule(), "eas");
/// assert_eq!(ElectronicAddressScheme::new("x"), Err(ElectronicAddressSchemeError));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("scheme must be the four digits of a scheme of the code list EAS, such as 0204")]
pub struct ElectronicAddressSchemeError;

impl Rule for ElectronicAddressSchemeError {
    fn rule(&self) -> &'static str {
        "eas"
    }
}

impl ElectronicAddressScheme {
    /// Checks the form. The list changes twice a year, so membership is not checked.
    ///
    /// # Errors
    /// When it is not four digits.
    pub fn new(scheme: impl Into<String>) -> Result<Self, ElectronicAddressSchemeError> {
        let scheme = scheme.into();
        let fits = scheme.len() == 4 && scheme.bytes().all(|byte| byte.is_ascii_digit());
        if fits { Ok(Self(scheme)) } else { Err(ElectronicAddressSchemeError) }
    }

    /// The four digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

serde_as_text!(ElectronicAddressScheme);

text_newtype! {
    /// An address within a scheme: 1–100 characters, no control characters.
    personal ElectronicAddressValue, ElectronicAddressValueError, "value", max 100
}

/// The address for electronic invoices: an address in the Peppol network (EN 16931, BT-49).
///
/// ```
/// use patron_domain::customer::{ElectronicAddress, ElectronicAddressScheme, ElectronicAddressValue};
///
/// let (scheme, value) = ("0204", "991-12345-67");
/// let address = ElectronicAddress {
///     scheme: ElectronicAddressScheme::new(scheme).unwrap(),
///     value: ElectronicAddressValue::new(value).unwrap(),
/// };
/// assert_eq!(address.value.as_str(), value);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElectronicAddress {
    /// The scheme.
    pub scheme: ElectronicAddressScheme,
    /// The address within it.
    pub value: ElectronicAddressValue,
}

/// An update of an [`ElectronicAddress`]: a patch for each member.
///
/// ```
/// use patron_domain::customer::ElectronicAddressUpdate;
///
/// let mut address = None;
/// assert_eq!(ElectronicAddressUpdate::clear().apply(&mut address), Ok(false));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ElectronicAddressUpdate {
    /// The scheme.
    pub scheme: Patch<ElectronicAddressScheme>,
    /// The address within it.
    pub value: Patch<ElectronicAddressValue>,
}

impl ElectronicAddressUpdate {
    /// An update after which there is no address.
    #[must_use]
    pub fn clear() -> Self {
        Self { scheme: Patch::Clear, value: Patch::Clear }
    }

    /// The same update, but replacing the whole object: members that it does not name are cleared.
    #[must_use]
    pub fn whole(self) -> Self {
        Self { scheme: self.scheme.or_clear(), value: self.value.or_clear() }
    }

    /// Applies it, and returns whether the address has changed.
    ///
    /// # Errors
    /// If one of the two members would be left without the other.
    pub fn apply(self, to: &mut Option<ElectronicAddress>) -> Result<bool, Violations> {
        let (mut scheme, mut value) = match to.clone() {
            Some(ElectronicAddress { scheme, value }) => (Some(scheme), Some(value)),
            None => (None, None),
        };
        let changed = [self.scheme.apply(&mut scheme), self.value.apply(&mut value)];
        let missing = |member: &str| {
            let mut broken = Violations::new();
            let path = format!("electronic_address.{member}");
            let message = format!("{member} is required: an electronic address has a scheme and a value");
            broken.push(Violation { path, rule: "required", message });
            broken
        };
        *to = match (scheme, value) {
            (Some(scheme), Some(value)) => Some(ElectronicAddress { scheme, value }),
            (None, None) => None,
            (None, Some(_)) => return Err(missing("scheme")),
            (Some(_), None) => return Err(missing("value")),
        };
        Ok(changed.contains(&true))
    }
}
