//! The items of a customer, in responses.

use patron_domain::{
    customer::{
        CertificateNumber, ContactDepartment, ContactDesignation, ContactMobile, ContactPerson, ContactRole,
        CountryCode, DocumentUrl, Email, ExemptionNote, ExemptionReason, FirstName, Item, LastName, Locale, Salutation,
        State, TaxExemption, TaxId, TaxIdType,
    },
    ids::{ContactPersonId, TaxExemptionId, TaxIdId},
    tax::TaxRateCode,
    time::Timestamp,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::openapi::{all, exactly, or_empty};

macro_rules! person_response {
    ($($field:ident: $type:ident, $says:literal;)+) => {
        /// A contact person of a customer.
        #[derive(Serialize, ToSchema)]
        #[schema(as = ContactPerson)]
        pub(in crate::http::customer) struct ContactPersonResponse<'a> {
            #[schema(schema_with = exactly::<ContactPersonId>)]
            id: ContactPersonId,
            #[schema(schema_with = exactly::<FirstName>)]
            first_name: &'a str,
            $(
                #[schema(schema_with = or_empty::<$type>)]
                $field: &'a str,
            )+
            #[schema(schema_with = exactly::<bool>)]
            is_primary: bool,
            #[schema(schema_with = all::<ContactRole>)]
            roles: &'a [ContactRole],
        }

        impl<'a> ContactPersonResponse<'a> {
            pub(in crate::http::customer) fn new(item: &'a Item<ContactPerson>) -> Self {
                let person = &item.value;
                Self {
                    id: item.id,
                    first_name: person.first_name.as_str(),
                    $($field: person.$field.as_ref().map_or("", |value| value.as_str()),)+
                    is_primary: person.is_primary,
                    roles: person.roles.as_slice(),
                }
            }
        }
    };
}

patron_domain::contact_person_texts!(person_response);

/// A tax id of a customer.
#[derive(Serialize, ToSchema)]
#[schema(as = TaxId)]
pub(in crate::http::customer) struct TaxIdResponse<'a> {
    #[schema(schema_with = exactly::<TaxIdId>)]
    id: TaxIdId,
    #[schema(schema_with = exactly::<TaxIdType>)]
    r#type: TaxIdType,
    #[schema(schema_with = exactly::<TaxId>)]
    value: &'a str,
    /// The country that issued it, as far as type or value tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<CountryCode>)]
    country: Option<CountryCode>,
    /// Whether it was accepted without a check.
    #[schema(schema_with = exactly::<bool>)]
    unchecked: bool,
    /// The verification by an authority; always `null`, because none is asked.
    #[schema(required = true)]
    verification: Option<bool>,
}

impl<'a> TaxIdResponse<'a> {
    pub(in crate::http::customer) fn new(item: &'a Item<TaxId>) -> Self {
        let tax_id = &item.value;
        Self {
            id: item.id,
            r#type: tax_id.tax_id_type(),
            value: tax_id.value(),
            country: tax_id.country(),
            unchecked: tax_id.is_unchecked(),
            verification: None,
        }
    }
}

macro_rules! exemption_response {
    ($($field:ident: $type:ident, $says:literal;)+) => {
        /// A tax exemption of a customer.
        #[derive(Serialize, ToSchema)]
        #[schema(as = TaxExemption)]
        pub(in crate::http::customer) struct TaxExemptionResponse<'a> {
            #[schema(schema_with = exactly::<TaxExemptionId>)]
            id: TaxExemptionId,
            #[schema(schema_with = exactly::<ExemptionReason>)]
            reason: ExemptionReason,
            $(
                #[schema(schema_with = or_empty::<$type>)]
                $field: &'a str,
            )+
            #[schema(schema_with = all::<TaxRateCode>)]
            tax_rate_codes: &'a [TaxRateCode],
            #[serde(skip_serializing_if = "Option::is_none")]
            #[schema(required = false, schema_with = exactly::<Timestamp>)]
            starts_at: Option<Timestamp>,
            #[serde(skip_serializing_if = "Option::is_none")]
            #[schema(required = false, schema_with = exactly::<Timestamp>)]
            ends_at: Option<Timestamp>,
        }

        impl<'a> TaxExemptionResponse<'a> {
            pub(in crate::http::customer) fn new(item: &'a Item<TaxExemption>) -> Self {
                let exemption = &item.value;
                Self {
                    id: item.id,
                    reason: exemption.reason,
                    $($field: exemption.$field.as_ref().map_or("", |value| value.as_str()),)+
                    tax_rate_codes: exemption.tax_rate_codes.as_slice(),
                    starts_at: exemption.starts_at,
                    ends_at: exemption.ends_at,
                }
            }
        }
    };
}

patron_domain::tax_exemption_texts!(exemption_response);
