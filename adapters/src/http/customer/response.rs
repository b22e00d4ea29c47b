//! A customer in responses: flat, with an empty string for every text that is not set.

use std::collections::BTreeMap;

use patron_domain::{
    customer::{
        AddressLine, City, Contact, CountryCode, Customer, CustomerAggregate, CustomerChanged, CustomerName,
        CustomerRecord, Email, ExternalId, PostalCode, State, TimeZone,
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

use crate::{
    blocking::blocking,
    http::{
        answer::Answer,
        error::ApiError,
        integration::response::MappingResponse,
        openapi::{exactly, metadata, or_empty},
        version::{IfNoneMatch, etag},
    },
};

/// About the number of bytes of a customer's links in a response. Only links make a customer large.
pub(crate) fn weight(mappings: &[IntegrationMapping]) -> usize {
    mappings.len().saturating_mul(4_096)
}

/// The response to a change: the changed customer.
pub(super) fn changed(status: StatusCode, changed: &CustomerChanged) -> Result<Answer, ApiError> {
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

/// One customer.
#[derive(Serialize, ToSchema)]
#[schema(as = Customer)]
pub(crate) struct CustomerResponse<'a> {
    #[schema(schema_with = exactly::<CustomerId>)]
    id: CustomerId,
    #[schema(schema_with = exactly::<ExternalId>)]
    external_id: &'a ExternalId,
    #[schema(schema_with = or_empty::<CustomerName>)]
    name: &'a str,
    #[schema(schema_with = or_empty::<Email>)]
    email: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<Contact>)]
    contact: Option<&'a Contact>,
    #[schema(schema_with = or_empty::<AddressLine>)]
    address_line1: &'a str,
    #[schema(schema_with = or_empty::<AddressLine>)]
    address_line2: &'a str,
    #[schema(schema_with = or_empty::<City>)]
    address_city: &'a str,
    #[schema(schema_with = or_empty::<State>)]
    address_state: &'a str,
    #[schema(schema_with = or_empty::<PostalCode>)]
    address_postal_code: &'a str,
    #[schema(schema_with = or_empty::<CountryCode>)]
    address_country: &'a str,
    #[schema(schema_with = exactly::<TimeZone>)]
    timezone: &'a TimeZone,
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
    /// A customer with its published mappings.
    pub(crate) fn new(customer: &'a Customer, mappings: &'a [IntegrationMapping]) -> Self {
        let integrations = Some(mappings.iter().map(MappingResponse::new).collect());
        Self { integrations, ..Self::bare(customer) }
    }

    /// A customer without mappings, as in lists.
    pub(crate) fn bare(customer: &'a Customer) -> Self {
        let profile = &customer.profile;
        let address = &profile.address;
        Self {
            id: customer.id,
            external_id: &customer.external_id,
            name: profile.name.as_ref().map_or("", CustomerName::as_str),
            email: profile.email.as_ref().map_or("", Email::as_str),
            contact: profile.contact.as_ref(),
            address_line1: address.line1.as_ref().map_or("", |line| line.as_str()),
            address_line2: address.line2.as_ref().map_or("", |line| line.as_str()),
            address_city: address.city.as_ref().map_or("", |city| city.as_str()),
            address_state: address.state.as_ref().map_or("", |state| state.as_str()),
            address_postal_code: address.postal_code.as_ref().map_or("", |code| code.as_str()),
            address_country: address.country.as_ref().map_or("", |country| country.as_str()),
            timezone: &profile.timezone,
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
