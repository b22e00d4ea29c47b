//! Queries over `customers`, written once for both databases.

use diesel::{dsl::auto_type, prelude::*};

use crate::persistence::{
    PUBLISHED,
    schema::{customers, integration_mappings},
};

/// The customer of any status with an id: one row for each of its published mappings, or one without any.
#[auto_type(no_type_alias)]
pub(crate) fn by_id<'a>(tenant_id: &'a str, environment_id: &'a str, id: &'a str) -> _ {
    let with_mappings = mappings();
    customers::table
        .left_join(integration_mappings::table.on(with_mappings))
        .filter(customers::tenant_id.eq(tenant_id))
        .filter(customers::environment_id.eq(environment_id))
        .filter(customers::id.eq(id))
        .order(integration_mappings::id.asc())
}

/// The published customer with an external id: one row for each of its published mappings, or one without any.
#[auto_type(no_type_alias)]
pub(crate) fn by_external_id<'a>(tenant_id: &'a str, environment_id: &'a str, external_id: &'a str) -> _ {
    let with_mappings = mappings();
    let published: &'static str = PUBLISHED;
    customers::table
        .left_join(integration_mappings::table.on(with_mappings))
        .filter(customers::tenant_id.eq(tenant_id))
        .filter(customers::environment_id.eq(environment_id))
        .filter(customers::external_id.eq(external_id))
        .filter(customers::status.eq(published))
        .order(integration_mappings::id.asc())
}

/// The id of the published customer with an external id.
#[auto_type(no_type_alias)]
pub(crate) fn id_by_external_id<'a>(tenant_id: &'a str, environment_id: &'a str, external_id: &'a str) -> _ {
    let published: &'static str = PUBLISHED;
    customers::table
        .filter(customers::tenant_id.eq(tenant_id))
        .filter(customers::environment_id.eq(environment_id))
        .filter(customers::external_id.eq(external_id))
        .filter(customers::status.eq(published))
        .select(customers::id)
}

/// How a customer and its published mappings belong together.
#[auto_type]
fn mappings() -> _ {
    let published: &'static str = PUBLISHED;
    integration_mappings::tenant_id
        .eq(customers::tenant_id)
        .and(integration_mappings::environment_id.eq(customers::environment_id))
        .and(integration_mappings::customer_id.eq(customers::id))
        .and(integration_mappings::status.eq(published))
}
