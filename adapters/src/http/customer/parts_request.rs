//! The objects and lists within a customer, as clients send them. One struct serves create, `PUT` and `PATCH`.

use patron_domain::{
    customer::{
        AddressLine, City, CountryCode, ElectronicAddress, ElectronicAddressScheme, ElectronicAddressUpdate,
        ElectronicAddressValue, Limits, Listed, Locale, PostalCode, ShippingAddressUpdate, ShippingName, ShippingPhone,
        State, TextList,
    },
    violation::Rule,
};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::{
    json::{Elements, Field, List, Null, Reader, Stated, Statement, Text, object_from_json},
    openapi::optional,
};

/// The maximum number of languages.
pub(super) const MAX_LOCALES: usize = most::<Locale>();

/// The maximum number of elements of a list.
pub(super) const fn most<T: Listed>() -> usize {
    match T::MAX {
        Some(max) => max,
        None => usize::MAX,
    }
}

/// The maximum number of tags.
pub(super) const MAX_TAGS: usize = Limits::TAGS;

/// An object of optional texts, and its update.
macro_rules! object_request {
    ($(#[$doc:meta])* $request:ident: $update:ident { $($field:ident: $type:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Default, Deserialize, ToSchema)]
        #[serde(default, bound(deserialize = "'de: 'a"))]
        pub(super) struct $request<'a> {
            $(
                #[schema(schema_with = optional::<$type>)]
                $field: Stated<Text<'a>>,
            )+
        }

        object_from_json!($request<'a>);

        impl $request<'_> {
            /// A patch for each member.
            pub(super) fn into_update(self, fields: &mut Reader<'_>, null: Null) -> $update {
                $update { $($field: fields.patch(stringify!($field), self.$field, null, $type::new),)+ }
            }
        }
    };
}

macro_rules! shipping_address_request {
    ($($field:ident: $type:ident, $says:literal;)+) => {
        object_request! {
            /// The address for goods.
            ShippingAddressRequest: ShippingAddressUpdate { $($field: $type),+ }
        }
    };
}

patron_domain::shipping_address_texts!(shipping_address_request);

object_request! {
    /// The address for electronic invoices.
    ElectronicAddressRequest: ElectronicAddressUpdate {
        scheme: ElectronicAddressScheme, value: ElectronicAddressValue,
    }
}

/// The electronic address of a create.
pub(super) fn electronic_address(
    fields: &mut Reader<'_>,
    given: Field<ElectronicAddressRequest<'_>>,
) -> Option<ElectronicAddress> {
    let read = |request: ElectronicAddressRequest<'_>, fields: &mut Reader<'_>| {
        let had_faults = fields.faults();
        let update = request.into_update(fields, Null::Keeps);
        (fields.faults() == had_faults).then_some(update)
    };
    let update = fields.within("electronic_address", given, read)?;
    let mut address = None;
    fields.group(update.apply(&mut address))?;
    address
}

/// The shipping address of a create.
pub(super) fn shipping_address(
    fields: &mut Reader<'_>,
    given: Field<ShippingAddressRequest<'_>>,
) -> ShippingAddressUpdate {
    let read =
        |request: ShippingAddressRequest<'_>, fields: &mut Reader<'_>| Some(request.into_update(fields, Null::Keeps));
    fields.within("shipping_address", given, read).unwrap_or_default()
}

macro_rules! object_update {
    ($name:ident, $wire:literal, $request:ident, $update:ident) => {
        /// The update of the object: `PUT` replaces it, `PATCH` merges into it.
        pub(super) fn $name(fields: &mut Reader<'_>, stated: Stated<$request<'_>>, null: Null) -> $update {
            let object = match fields.stated($wire, stated, null) {
                Statement::Nothing => return $update::default(),
                Statement::Clear => return $update::clear(),
                Statement::Value(object) => Field::Value(object),
            };
            let read = |request: $request<'_>, fields: &mut Reader<'_>| Some(request.into_update(fields, null));
            let update = fields.within($wire, object, read).unwrap_or_default();
            if null == Null::Keeps { update.whole() } else { update }
        }
    };
}

object_update!(shipping_address_update, "shipping_address", ShippingAddressRequest, ShippingAddressUpdate);
object_update!(electronic_address_update, "electronic_address", ElectronicAddressRequest, ElectronicAddressUpdate);

/// A list of distinct texts.
pub(super) fn list<'t, T: Listed, E: Rule>(
    fields: &mut Reader<'_>,
    given: Field<List<Text<'t>>>,
    check: impl Fn(Text<'t>) -> Result<T, E>,
) -> Option<TextList<T>> {
    let list = fields.take(T::NAME, given)?;
    let Elements { count, valid } = fields.checked_texts(T::NAME, list, check);
    fields.group(TextList::at_places(count, valid))
}

/// The update of such a list, which replaces it.
pub(super) fn list_update<'t, T: Listed, E: Rule>(
    fields: &mut Reader<'_>,
    stated: Stated<List<Text<'t>>>,
    null: Null,
    check: impl Fn(Text<'t>) -> Result<T, E>,
) -> Option<TextList<T>> {
    match fields.stated(T::NAME, stated, null) {
        Statement::Nothing => None,
        Statement::Clear => Some(TextList::default()),
        Statement::Value(given) => list(fields, Field::Value(given), check),
    }
}
