//! The objects within a customer, as clients see them.

use patron_domain::customer::{
    AddressLine, City, CountryCode, ElectronicAddress, ElectronicAddressScheme, ElectronicAddressValue, PostalCode,
    ShippingAddress, ShippingName, ShippingPhone, State,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::openapi::{exactly, or_empty};

/// An object of texts, each empty while it is unset.
macro_rules! object_response {
    ($(#[$doc:meta])* $response:ident as $shown:ident: $object:ident { $($field:ident: $type:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Serialize, ToSchema)]
        #[schema(as = $shown)]
        pub(super) struct $response<'a> {
            $(
                #[schema(schema_with = or_empty::<$type>)]
                $field: &'a str,
            )+
        }

        impl<'a> $response<'a> {
            pub(super) fn new(object: &'a $object) -> Self {
                Self { $($field: object.$field.as_ref().map_or("", |value| value.as_str()),)+ }
            }
        }
    };
}

object_response! {
    /// The address for goods.
    ShippingAddressResponse as ShippingAddress: ShippingAddress {
        name: ShippingName, phone: ShippingPhone, line1: AddressLine, line2: AddressLine, city: City, state: State,
        postal_code: PostalCode, country: CountryCode,
    }
}

impl<'a> ShippingAddressResponse<'a> {
    /// Nothing where nothing is set.
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
