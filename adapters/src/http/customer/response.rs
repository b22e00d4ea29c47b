//! A customer in responses: flat, with an empty string for every text that is not set.

use std::collections::BTreeMap;

use patron_domain::{
    custom_field::CustomFields,
    customer::{
        AddressLine, BillingCurrency, BuyerReference, City, Contact, CountryCode, Customer, CustomerAggregate,
        CustomerChanged, CustomerName, CustomerRecord, CustomerType, Email, ExternalId, LegalName, Locale, PostalCode,
        RegistrationNumber, State, Tag, TaxTreatment, TimeZone,
    },
    ids::{CustomerId, EnvironmentId, TenantId},
    integration::IntegrationMapping,
    lifecycle::Status,
    tenancy::Actor,
    time::Timestamp,
};
use rocket::http::Status as StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    items::response::{ContactPersonResponse, TaxExemptionResponse, TaxIdResponse},
    parts_response::{ElectronicAddressResponse, ShippingAddressResponse},
};
use crate::{
    blocking::blocking,
    http::{
        answer::Answer,
        error::ApiError,
        integration::response::MappingResponse,
        openapi::{all, custom_fields, exactly, metadata, or_empty},
        version::{IfNoneMatch, etag},
    },
};

/// About the number of bytes of a customer's links in a response. Only links make a customer large.
pub(crate) fn weight(mappings: &[IntegrationMapping]) -> usize {
    mappings.len().saturating_mul(4_096)
}

/// The response to a change: the changed customer.
pub(crate) fn changed(status: StatusCode, changed: &CustomerChanged) -> Result<Answer, ApiError> {
    let CustomerAggregate { customer, mappings, .. } = &changed.event.state;
    let write = || Answer::json(status, &CustomerResponse::new(customer, mappings));
    let mut answer = blocking(weight(mappings), write)?;
    if status == StatusCode::Created {
        answer = answer.at(format!("/customers/{}", customer.id));
    }
    Ok(answer.header("ETag", etag(customer.version)).replayed(changed.replayed))
}

/// The response to reading one customer.
pub(super) fn found(record: &CustomerRecord, known: &IfNoneMatch<'_>) -> Result<Answer, ApiError> {
    let version = record.customer.version;
    let answer = if known.is_known(version) {
        Answer::empty(StatusCode::NotModified)
    } else {
        let write = || Answer::ok(&CustomerResponse::new(&record.customer, &record.mappings));
        blocking(weight(&record.mappings), write)?
    };
    Ok(answer.header("ETag", etag(version)))
}

/// The members of an answer that are single texts: those of the table, each as it looks while it is unset, and the rest.
macro_rules! customer_response {
    ($($wire:ident: $type:ident, $variant:ident, [$($place:tt)+], $unset:ident, $says:literal;)+) => {
        customer_response!(@members {} {} $($wire $type [$($place)+] $unset,)+);
    };
    (@members { $($member:tt)* } { $($value:tt)* } $wire:ident $type:ident $place:tt omitted, $($rest:tt)*) => {
        customer_response!(@members {
            $($member)*
            #[serde(skip_serializing_if = "Option::is_none")]
            #[schema(required = false, schema_with = exactly::<$type>)]
            $wire: Option<&'a str>,
        } { $($value)* ($wire $place omitted) } $($rest)*);
    };
    (@members { $($member:tt)* } { $($value:tt)* } $wire:ident $type:ident $place:tt empty, $($rest:tt)*) => {
        customer_response!(@members {
            $($member)*
            #[schema(schema_with = or_empty::<$type>)]
            $wire: &'a str,
        } { $($value)* ($wire $place empty) } $($rest)*);
    };
    (@members { $($member:tt)* } { $($value:tt)* } $wire:ident $type:ident $place:tt default, $($rest:tt)*) => {
        customer_response!(@members {
            $($member)*
            #[schema(schema_with = exactly::<$type>)]
            $wire: &'a str,
        } { $($value)* ($wire $place default) } $($rest)*);
    };
    (@members { $($member:tt)* } { $(($wire:ident [$($place:tt)+] $unset:ident))+ }) => {
        /// One customer.
        #[derive(Serialize, ToSchema)]
        #[schema(as = Customer)]
        pub(crate) struct CustomerResponse<'a> {
            #[schema(schema_with = exactly::<CustomerId>)]
            id: CustomerId,
            #[schema(schema_with = exactly::<ExternalId>)]
            external_id: &'a ExternalId,
            $($member)*
            #[serde(skip_serializing_if = "Option::is_none")]
            #[schema(nullable = false)]
            electronic_address: Option<ElectronicAddressResponse<'a>>,
            #[serde(skip_serializing_if = "Option::is_none")]
            #[schema(nullable = false)]
            shipping_address: Option<ShippingAddressResponse<'a>>,
            #[schema(schema_with = all::<Locale>)]
            preferred_locales: &'a [Locale],
            #[schema(schema_with = all::<Tag>)]
            tags: &'a [Tag],
            contact_persons: Vec<ContactPersonResponse<'a>>,
            tax_ids: Vec<TaxIdResponse<'a>>,
            tax_exemptions: Vec<TaxExemptionResponse<'a>>,
            #[schema(schema_with = custom_fields)]
            custom_fields: &'a CustomFields,
            /// `true` if a legal hold is placed on the customer, which keeps it from being erased; absent otherwise.
            #[serde(skip_serializing_if = "Option::is_none")]
            #[schema(nullable = false)]
            legal_hold: Option<bool>,
            #[schema(schema_with = metadata)]
            metadata: &'a BTreeMap<String, String>,
            #[schema(schema_with = exactly::<Status>)]
            status: Status,
            #[schema(schema_with = exactly::<TenantId>)]
            tenant_id: TenantId,
            #[schema(schema_with = exactly::<EnvironmentId>)]
            environment_id: EnvironmentId,
            #[schema(schema_with = exactly::<Timestamp>)]
            created_at: Timestamp,
            #[schema(schema_with = exactly::<Actor>)]
            created_by: &'a Actor,
            #[schema(schema_with = exactly::<Timestamp>)]
            updated_at: Timestamp,
            #[schema(schema_with = exactly::<Actor>)]
            updated_by: &'a Actor,
            #[serde(skip_serializing_if = "Option::is_none")]
            #[schema(nullable = false)]
            integrations: Option<Vec<MappingResponse<'a>>>,
        }

        impl<'a> CustomerResponse<'a> {
            /// A customer alone, as lists show it.
            pub(crate) fn bare(customer: &'a Customer) -> Self {
                let profile = &customer.profile;
                Self {
                    id: customer.id,
                    external_id: &customer.external_id,
                    $($wire: shown!($unset, profile.$($place)+),)+
                    electronic_address: profile.electronic_address.as_ref().map(ElectronicAddressResponse::new),
                    shipping_address: ShippingAddressResponse::of_any(&profile.shipping_address),
                    preferred_locales: profile.preferred_locales.as_slice(),
                    tags: profile.tags.as_slice(),
                    contact_persons: customer.contact_persons.iter().map(ContactPersonResponse::new).collect(),
                    tax_ids: customer.tax_ids.iter().map(TaxIdResponse::new).collect(),
                    tax_exemptions: customer.tax_exemptions.iter().map(TaxExemptionResponse::new).collect(),
                    custom_fields: &profile.custom_fields,
                    legal_hold: customer.legal_hold.as_ref().map(|_| true),
                    metadata: profile.metadata.as_map(),
                    status: customer.status,
                    tenant_id: customer.owner.tenant_id,
                    environment_id: customer.owner.environment_id,
                    created_at: customer.audit.created_at,
                    created_by: &customer.audit.created_by,
                    updated_at: customer.audit.updated_at,
                    updated_by: &customer.audit.updated_by,
                    integrations: None,
                }
            }
        }
    };
}

/// A text as answers show it.
macro_rules! shown {
    (default, $place:expr) => {
        $place.as_str()
    };
    (omitted, $place:expr) => {
        $place.as_ref().map(|value| value.as_str())
    };
    (empty, $place:expr) => {
        $place.as_ref().map_or("", |value| value.as_str())
    };
}

patron_domain::customer_texts!(customer_response);

impl<'a> CustomerResponse<'a> {
    /// A customer with its published mappings.
    pub(crate) fn new(customer: &'a Customer, mappings: &'a [IntegrationMapping]) -> Self {
        let integrations = Some(mappings.iter().map(MappingResponse::new).collect());
        Self { integrations, ..Self::bare(customer) }
    }
}
