//! A customer as clients see it: flat, with an empty string for a text that was never given.

use std::collections::BTreeMap;

use patron_domain::{
    customer::{
        Contact, Customer, CustomerAggregate, CustomerChanged, CustomerName, CustomerRecord, Email, ExternalId,
        TimeZone,
    },
    ids::{CustomerId, EnvironmentId, TenantId},
    integration::IntegrationMapping,
    lifecycle::Status,
    tenancy::Actor,
    time::Timestamp,
};
use rocket::http::Status as StatusCode;
use serde::Serialize;

use crate::http::{
    answer::Answer,
    error::ApiError,
    integration::response::MappingResponse,
    version::{IfNoneMatch, etag},
};

/// The answer to a change: the customer as the change left it.
pub(super) fn changed(status: StatusCode, changed: &CustomerChanged) -> Result<Answer, ApiError> {
    let CustomerAggregate { customer, mappings, .. } = &changed.event.state;
    let answer = Answer::json(status, &CustomerResponse::new(customer, mappings))?;
    Ok(answer.header("ETag", etag(customer.version)).replayed(changed.replayed))
}

/// The answer to reading one customer.
pub(super) fn found(record: &CustomerRecord, known: &IfNoneMatch) -> Result<Answer, ApiError> {
    let version = record.customer.version;
    let answer = if known.is_known(version) {
        Answer::empty(StatusCode::NotModified)
    } else {
        Answer::ok(&CustomerResponse::new(&record.customer, &record.mappings))?
    };
    Ok(answer.header("ETag", etag(version)))
}

/// One customer.
#[derive(Serialize)]
pub(crate) struct CustomerResponse<'a> {
    id: CustomerId,
    external_id: &'a ExternalId,
    name: &'a str,
    email: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<&'a Contact>,
    address_line1: &'a str,
    address_line2: &'a str,
    address_city: &'a str,
    address_state: &'a str,
    address_postal_code: &'a str,
    address_country: &'a str,
    timezone: &'a TimeZone,
    metadata: &'a BTreeMap<String, String>,
    status: Status,
    tenant_id: TenantId,
    environment_id: EnvironmentId,
    created_at: Timestamp,
    created_by: &'a Actor,
    updated_at: Timestamp,
    updated_by: &'a Actor,
    #[serde(skip_serializing_if = "Option::is_none")]
    integrations: Option<Vec<MappingResponse<'a>>>,
}

impl<'a> CustomerResponse<'a> {
    /// A customer with its published mappings.
    pub(crate) fn new(customer: &'a Customer, mappings: &'a [IntegrationMapping]) -> Self {
        let integrations = Some(mappings.iter().map(MappingResponse::new).collect());
        Self { integrations, ..Self::bare(customer) }
    }

    /// A customer alone, as lists show it.
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
