//! Queries over `customers`, written once for both databases.
//!
//! What belongs to one customer is put in order by the program: asked for an order by id, a planner may rather walk the
//! whole environment along its primary key.

use diesel::{dsl::auto_type, prelude::*};

use crate::persistence::{
    customer::metadata_row::CustomerMetadataRow,
    literal::Published,
    schema::{customer_metadata, customers, former_external_ids, integration_mappings},
};

/// What a customer is read from, see [`super::row::StoredCustomer`].
#[auto_type]
pub(crate) fn columns() -> _ {
    (
        customers::id,
        customers::external_id,
        customers::name,
        customers::email,
        customers::contact,
        customers::address_line1,
        customers::address_line2,
        customers::address_city,
        customers::address_state,
        customers::address_postal_code,
        customers::address_country,
        customers::timezone,
        customers::metadata,
        customers::status,
        customers::version,
        customers::created_at,
        customers::created_by,
        customers::updated_at,
        customers::updated_by,
    )
}

/// The same, with one of its mappings, see [`StoredMapping`](crate::persistence::integration::row::StoredMapping).
#[auto_type]
fn with_mapping() -> _ {
    let columns = columns();
    let mapping = (
        integration_mappings::id,
        integration_mappings::provider_type,
        integration_mappings::provider_entity_id,
        integration_mappings::metadata,
        integration_mappings::created_at,
        integration_mappings::created_by,
        integration_mappings::updated_at,
        integration_mappings::updated_by,
    );
    (columns, mapping.nullable())
}

/// The customer of any status with an id: one row for each of its published mappings, or one without any.
#[cfg(feature = "sqlite")]
#[auto_type(no_type_alias)]
pub(crate) fn by_id<'a>(tenant_id: &'a str, environment_id: &'a str, id: &'a str) -> _ {
    let with_mappings = mappings();
    let with_mapping = with_mapping();
    customers::table
        .left_join(integration_mappings::table.on(with_mappings))
        .select(with_mapping)
        .filter(customers::tenant_id.eq(tenant_id))
        .filter(customers::environment_id.eq(environment_id))
        .filter(customers::id.eq(id))
}

/// The published customer with an external id: one row for each of its published mappings, or one without any.
#[cfg(feature = "sqlite")]
#[auto_type(no_type_alias)]
pub(crate) fn by_external_id<'a>(tenant_id: &'a str, environment_id: &'a str, external_id: &'a str) -> _ {
    let with_mappings = mappings();
    let with_mapping = with_mapping();
    let published: Published = Published;
    customers::table
        .left_join(integration_mappings::table.on(with_mappings))
        .select(with_mapping)
        .filter(customers::tenant_id.eq(tenant_id))
        .filter(customers::environment_id.eq(environment_id))
        .filter(customers::external_id.eq(external_id))
        .filter(customers::status.eq(published))
}

/// The customers of any status with these ids: one row for each published mapping, or one without any. For
/// PostgreSQL, where a list is one parameter; on SQLite each length would be another statement.
#[cfg(feature = "postgres")]
#[auto_type(no_type_alias)]
pub(crate) fn by_ids<'a>(tenant_id: &'a str, environment_id: &'a str, ids: Vec<&'a str>) -> _ {
    let with_mappings = mappings();
    let with_mapping = with_mapping();
    customers::table
        .left_join(integration_mappings::table.on(with_mappings))
        .select(with_mapping)
        .filter(customers::tenant_id.eq(tenant_id))
        .filter(customers::environment_id.eq(environment_id))
        .filter(customers::id.eq_any(ids))
}

/// The published customers with these external ids: one row for each published mapping, or one without any.
#[cfg(feature = "postgres")]
#[auto_type(no_type_alias)]
pub(crate) fn by_external_ids<'a>(tenant_id: &'a str, environment_id: &'a str, external_ids: Vec<&'a str>) -> _ {
    let with_mappings = mappings();
    let with_mapping = with_mapping();
    let published: Published = Published;
    customers::table
        .left_join(integration_mappings::table.on(with_mappings))
        .select(with_mapping)
        .filter(customers::tenant_id.eq(tenant_id))
        .filter(customers::environment_id.eq(environment_id))
        .filter(customers::external_id.eq_any(external_ids))
        .filter(customers::status.eq(published))
}

/// The id of the published customer with an external id.
#[auto_type(no_type_alias)]
pub(crate) fn id_by_external_id<'a>(tenant_id: &'a str, environment_id: &'a str, external_id: &'a str) -> _ {
    let published: Published = Published;
    customers::table
        .filter(customers::tenant_id.eq(tenant_id))
        .filter(customers::environment_id.eq(environment_id))
        .filter(customers::external_id.eq(external_id))
        .filter(customers::status.eq(published))
        .select(customers::id)
}

/// The row of one pair of a customer's metadata.
#[auto_type(no_type_alias)]
pub(crate) fn pair<'a>(row: &'a CustomerMetadataRow) -> _ {
    let (tenant_id, environment_id): (&'a str, &'a str) = (row.tenant_id.as_str(), row.environment_id.as_str());
    let (pair_hash, customer_id): (i64, &'a str) = (row.pair_hash, row.customer_id.as_str());
    customer_metadata::table
        .filter(customer_metadata::tenant_id.eq(tenant_id))
        .filter(customer_metadata::environment_id.eq(environment_id))
        .filter(customer_metadata::pair_hash.eq(pair_hash))
        .filter(customer_metadata::customer_id.eq(customer_id))
}

/// How a customer and its published mappings belong together.
#[auto_type]
fn mappings() -> _ {
    let published: Published = Published;
    integration_mappings::tenant_id
        .eq(customers::tenant_id)
        .and(integration_mappings::environment_id.eq(customers::environment_id))
        .and(integration_mappings::customer_id.eq(customers::id))
        .and(integration_mappings::status.eq(published))
}

/// The row of the customer of any status with an id.
#[auto_type(no_type_alias)]
pub(crate) fn row_by_id<'a>(tenant_id: &'a str, environment_id: &'a str, id: &'a str) -> _ {
    customers::table
        .filter(customers::tenant_id.eq(tenant_id))
        .filter(customers::environment_id.eq(environment_id))
        .filter(customers::id.eq(id))
}

/// The row of the published customer with an external id.
#[auto_type(no_type_alias)]
pub(crate) fn row_by_external_id<'a>(tenant_id: &'a str, environment_id: &'a str, external_id: &'a str) -> _ {
    let published: Published = Published;
    customers::table
        .filter(customers::tenant_id.eq(tenant_id))
        .filter(customers::environment_id.eq(environment_id))
        .filter(customers::external_id.eq(external_id))
        .filter(customers::status.eq(published))
}

/// Who had an external id last that no published customer has now.
#[auto_type(no_type_alias)]
pub(crate) fn former_holder<'a>(tenant_id: &'a str, environment_id: &'a str, external_id: &'a str) -> _ {
    former_external_ids::table
        .filter(former_external_ids::tenant_id.eq(tenant_id))
        .filter(former_external_ids::environment_id.eq(environment_id))
        .filter(former_external_ids::external_id.eq(external_id))
}

/// The published customer that had an external id last: rows as of [`by_external_id`].
#[auto_type(no_type_alias)]
pub(crate) fn by_former_external_id<'a>(tenant_id: &'a str, environment_id: &'a str, external_id: &'a str) -> _ {
    let with_mappings = mappings();
    let with_mapping = with_mapping();
    let published: Published = Published;
    let former = former_external_ids::table
        .filter(former_external_ids::tenant_id.eq(tenant_id))
        .filter(former_external_ids::environment_id.eq(environment_id))
        .filter(former_external_ids::external_id.eq(external_id))
        .select(former_external_ids::customer_id);
    customers::table
        .left_join(integration_mappings::table.on(with_mappings))
        .select(with_mapping)
        .filter(customers::tenant_id.eq(tenant_id))
        .filter(customers::environment_id.eq(environment_id))
        .filter(customers::id.eq_any(former))
        .filter(customers::status.eq(published))
}
