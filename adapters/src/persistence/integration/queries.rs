//! Queries over `integration_mappings`, written once for both databases.

use diesel::{dsl::auto_type, prelude::*};

#[cfg(feature = "sqlite")]
use crate::persistence::integration::row::MappingRow;
use crate::persistence::{
    literal::{Archived, Published},
    schema::integration_mappings,
};

/// The mapping that a row is of, in whatever status.
#[cfg(feature = "sqlite")]
#[auto_type(no_type_alias)]
pub(crate) fn same<'a>(row: &'a MappingRow) -> _ {
    let (tenant_id, environment_id): (&'a str, &'a str) = (row.tenant_id.as_str(), row.environment_id.as_str());
    let (customer_id, id): (&'a str, &'a str) = (row.customer_id.as_str(), row.id.as_str());
    integration_mappings::table
        .filter(integration_mappings::tenant_id.eq(tenant_id))
        .filter(integration_mappings::environment_id.eq(environment_id))
        .filter(integration_mappings::customer_id.eq(customer_id))
        .filter(integration_mappings::id.eq(id))
}

/// The published mappings of a customer.
#[auto_type(no_type_alias)]
pub(crate) fn of_customer<'a>(tenant_id: &'a str, environment_id: &'a str, customer_id: &'a str) -> _ {
    let published: Published = Published;
    integration_mappings::table
        .filter(integration_mappings::tenant_id.eq(tenant_id))
        .filter(integration_mappings::environment_id.eq(environment_id))
        .filter(integration_mappings::customer_id.eq(customer_id))
        .filter(integration_mappings::status.eq(published))
}

/// The mappings that were archived with a customer.
#[auto_type(no_type_alias)]
pub(crate) fn archived_of_customer<'a>(tenant_id: &'a str, environment_id: &'a str, customer_id: &'a str) -> _ {
    let archived: Archived = Archived;
    integration_mappings::table
        .filter(integration_mappings::tenant_id.eq(tenant_id))
        .filter(integration_mappings::environment_id.eq(environment_id))
        .filter(integration_mappings::customer_id.eq(customer_id))
        .filter(integration_mappings::status.eq(archived))
}

/// The published mappings to one entity of another system.
#[auto_type(no_type_alias)]
pub(crate) fn to_provider<'a>(
    tenant_id: &'a str,
    environment_id: &'a str,
    provider_type: &'a str,
    provider_entity_id: &'a str,
) -> _ {
    let published: Published = Published;
    integration_mappings::table
        .filter(integration_mappings::tenant_id.eq(tenant_id))
        .filter(integration_mappings::environment_id.eq(environment_id))
        .filter(integration_mappings::provider_type.eq(provider_type))
        .filter(integration_mappings::provider_entity_id.eq(provider_entity_id))
        .filter(integration_mappings::status.eq(published))
}

/// The order of every list of mappings: the newest first, ids breaking ties.
#[auto_type(no_type_alias)]
pub(crate) fn newest_first() -> _ {
    (integration_mappings::created_at.desc(), integration_mappings::id.desc())
}

/// The published mappings of several customers.
#[auto_type(no_type_alias)]
pub(crate) fn of_customers<'a>(tenant_id: &'a str, environment_id: &'a str, customer_ids: Vec<String>) -> _ {
    let published: Published = Published;
    integration_mappings::table
        .filter(integration_mappings::tenant_id.eq(tenant_id))
        .filter(integration_mappings::environment_id.eq(environment_id))
        .filter(integration_mappings::customer_id.eq_any(customer_ids))
        .filter(integration_mappings::status.eq(published))
        .order(integration_mappings::id.asc())
}
