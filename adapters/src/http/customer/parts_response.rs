//! The objects within a customer, as clients see them.

use patron_domain::customer::{
    AddressLine, City, CountryCode, ElectronicAddress, ElectronicAddressScheme, ElectronicAddressValue, PostalCode,
    ShippingAddress, ShippingName, ShippingPhone, State,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::openapi::{exactly, or_empty};

macro_rules! shipping_address_response {
    ($($field:ident: $type:ident, $says:literal;)+) => {
        /// The address for goods. Each text is empty while it is unset.
        #[derive(Serialize, ToSchema)]
        #[schema(as = ShippingAddress)]
        pub(super) struct ShippingAddressResponse<'a> {
            $(
                #[schema(schema_with = or_empty::<$type>)]
                $field: &'a str,
            )+
        }

        impl<'a> ShippingAddressResponse<'a> {
            fn new(address: &'a ShippingAddress) -> Self {
                Self { $($field: address.$field.as_ref().map_or("", |value| value.as_str()),)+ }
            }
        }
    };
}

patron_domain::shipping_address_texts!(shipping_address_response);

impl<'a> ShippingAddressResponse<'a> {
    /// `None` if nothing is set.
    pub(super) fn of_any(address: &'a ShippingAddress) -> Option<Self> {
        (!address.is_empty()).then(|| Self::new(address))
    }
}

/// The address for electronic invoices.
#[derive(Serialize, ToSchema)]
#[schema(as = ElectronicAddress)]
pub(super) struct ElectronicAddressResponse<'a> {
    #[schema(schema_with = exactly::<ElectronicAddressScheme>)]
    scheme: &'a str,
    #[schema(schema_with = exactly::<ElectronicAddressValue>)]
    value: &'a str,
}

impl<'a> ElectronicAddressResponse<'a> {
    pub(super) fn new(address: &'a ElectronicAddress) -> Self {
        Self { scheme: address.scheme.as_str(), value: address.value.as_str() }
    }
}
